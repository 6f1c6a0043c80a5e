"""Files of every format and container, each damaged in one way: refused in a sentence, or imported whole.

A refused file has left no row; of one that was read, as many rows are there as were told.
"""

import io
import json
import random
import re
from collections.abc import Callable
from itertools import product

from annotate.formats import FORMATS
from annotate.models import Project
from annotate.services.item import import_items
from tests.annotate.formats.samples import CONTAINERS, ROWS, packed
from tests.annotate.formats.test_fuzz import bent, container_of, counted, holds, twist
from tests.fuzz.tally import Tried

NUMBER = re.compile(rb"(?<![\w.\\])-?\d+(\.\d+)?")
NUMBERS = (
    b"-1",
    b"1e999",
    b"NaN",
    b"-Infinity",
    b"9" * 400,
    b"9" * 5000,
    b"9223372036854775808",
    b"0.5",
    b"1E400",
    b"01",
    b'"1"',
)
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-7", "cp037", "utf-8-sig")
CHARACTERS = (
    b"\x00",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00\\ud800",
    b"\xed\xa0\x80",
    b"\xff",
    b"\xc0\x80",
    b"\\",
    b"\r",
    b"\x1a",
)
WHERE = re.compile(r"(line|record) \d+: .|the (Parquet |gzip )?file[: ]", re.DOTALL)
Damage = Callable[[bytes, random.Random], bytes]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _characters(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + chance.choice(CHARACTERS) + data[place:]


def _encoding(data: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return data.decode("utf-8", "replace").encode("latin-1", "replace").replace(b"?", b"\xe9")
    return data.decode("utf-8", "replace").encode(chance.choice(ENCODINGS), "replace")


def _numbers(data: bytes, chance: random.Random) -> bytes:
    """One number, be it a rating or where a span begins, is another."""
    found = list(NUMBER.finditer(data))
    start, end = chance.choice(found).span() if found else (len(data) // 2,) * 2
    return data[:start] + chance.choice(NUMBERS) + data[end:]


def _nested(data: bytes, chance: random.Random) -> bytes:
    deep = chance.choice([49, 51, 1000, 100_000])
    inner = chance.choice([b"[" * deep + b"]" * deep, b'{"a":' * deep + b"1" + b"}" * deep, b"[" * deep])
    return data.replace(b'{"', b'{"deep": ' + inner + b', "', 1) if b'{"' in data else data + b"\n" + inner


def _twice(data: bytes, chance: random.Random) -> bytes:
    """A name twice: of an object, or of a column; or the file again behind itself."""
    names = re.findall(rb'"[\w ]+"(?=:)', data)
    if names and chance.random() < 0.7:
        name = chance.choice(names)
        return data.replace(name + b":", name + b": [0], " + name + b":", 1)
    head, _, rest = data.partition(b"\n")
    return head + b"," + head + b"\n" + rest if chance.random() < 0.5 else data + data


def _packed(data: bytes, chance: random.Random) -> bytes:
    """Inside gzip, which then is damaged itself."""
    return bent(packed(data), chance)


DAMAGES: dict[str, Damage] = {
    "cut short": _cut,
    "bytes changed, put in, taken out": bent,
    "NUL, half characters, bad UTF-8": _characters,
    "another encoding": _encoding,
    "odd numbers and offsets": _numbers,
    "deep nesting": _nested,
    "names or files twice": _twice,
    "broken gzip": _packed,
    "values of other types and names": lambda data, chance: data,  # the rows are what is twisted
}


def damaged(damage: str, format: str, seed: int) -> bytes:
    """The bytes of one file."""
    chance = random.Random(f"{damage} {format} {seed}")
    rows = json.loads(json.dumps(ROWS[format]))
    if damage == "values of other types and names":
        [twist(rows, chance) for _ in range(chance.randint(1, 3))]
    data = DAMAGES[damage](container_of(rows, chance.choice([*CONTAINERS, "raw"]), format), chance)
    return packed(data) if chance.random() < 0.2 else data


def files(project: Project, examples: int) -> Tried:
    """Import that many times six files of each damage, of one format after the other."""
    tried = Tried("import")
    for seed, (number, damage) in product(range(6 * examples), enumerate(DAMAGES)):
        format = list(FORMATS)[(seed + 2 * number) % len(FORMATS)]
        data = damaged(damage, format, seed)
        asked, before = ("auto", format)[seed % 2], counted(project)
        try:
            how, told = "accepted", import_items(project=project, file=io.BytesIO(data), format=asked)
            said = _not_whole(told, data, asked, before, counted(project))
        except ValueError as error:
            how, said = "refused", _not_refused(error, before, counted(project))
        except Exception as error:
            how, said = "server_errors", repr(error)[:300]
        tried.add(damage, "server_errors" if said else how, f"{format} {seed}: {said}")
    return tried


def _not_whole(told: dict, data: bytes, format: str, before: tuple, after: tuple) -> str:
    gained = [new - old for new, old in zip(after, before, strict=True)][:3]
    if gained != [told["items"], told["responses"], told["judgements"]]:
        return f"{gained} rows, told {told}"
    return "" if holds(data, format).items == told["items"] + told["skipped"] else "not every record was read"


def _not_refused(error: ValueError, before: tuple, after: tuple) -> str:
    if before != after:
        return f"{before} rows became {after}"
    said = type(error) is ValueError and len(str(error)) < 2000 and WHERE.match(str(error))
    return "" if said else f"refused with {error!r:.300}"
