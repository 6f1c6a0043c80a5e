"""10,000 damaged files: each is refused with a place and a reason, or read whole. Seeded, so a failure comes again."""

import copy
import io
import json
import random

from annotate.formats import FORMATS, read
from annotate.formats.holds import Holds
from annotate.models import Response
from annotate.services.item import import_items, survey_file
from tests.annotate.formats.samples import CONTAINERS, ROWS, packed, raw_tsv

FILES, WRITTEN = 10_000, 300
VALUES = (
    None, True, 0, -1, 10**30, 1e308, -0.0, "", " ", "\x00",
    "\ud800", "x" * 5000, "🙂" * 3, [], {}, [None], [[]],
    {"": None},
    [{"role": "user"}], "[{\"role\": 1}]", "NaN", 2**63, "1e999", [0, 0], {"a": {"b": {"c": []}}}, "\u202e",
    "-3", 2.5,
)  # fmt: skip
BYTES = (
    b"\x00",
    b"\xff",
    b'"',
    b"{",
    b"]",
    b"\n",
    b"\t",
    b",",
    b"\\u0000",
    b"\\ud800",
    b"1e999",
    b"NaN",
    b"[" * 200,
    b"9" * 5000,
)


def damaged(seed: int) -> tuple[str, str, bytes]:
    """(format asked for, what it was made of, bytes) of one file."""
    chance = random.Random(seed)
    format, container = chance.choice(list(FORMATS)), chance.choice([*CONTAINERS, "raw"])
    rows = json.loads(json.dumps(ROWS[format]))
    if chance.random() < 0.6:
        for _ in range(chance.randint(1, 3)):
            twist(rows, chance)
    data = container_of(rows, container, format)
    if chance.random() < 0.3:
        data = packed(data)
    if chance.random() < 0.6:
        data = bent(data, chance)
    return chance.choice([format, format, "auto"]), f"{format} {container}", data


def container_of(rows: list, container: str, format: str) -> bytes:
    """Where a container cannot hold what the rows have become, they are lines of JSON that Python would write."""
    try:
        return raw_tsv(rows) if container == "raw" else CONTAINERS[container](rows)
    except Exception:
        return "\n".join(map(json.dumps, rows)).encode()


def twist(value: object, chance: random.Random) -> None:
    """Change something somewhere inside: another value, another name, one less, one twice, or deep nesting."""
    while isinstance(value, list | dict) and value:
        place = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if isinstance(value[place], list | dict) and value[place] and chance.random() < 0.8:
            value = value[place]
            continue
        act = chance.randrange(5)
        if act == 0 and isinstance(value, dict):
            value[place + chance.choice("sX. ")] = value.pop(place)
        elif act == 1:
            del value[place]
        elif act == 2 and isinstance(value, list):
            value.append(copy.deepcopy(value[place]))
        elif act == 3:
            value[place] = json.loads("[" * 60 + "]" * 60)
        else:
            value[place] = copy.deepcopy(chance.choice(VALUES))
        return


def bent(data: bytes, chance: random.Random) -> bytes:
    """Cut it, flip bits, put bytes in or take them out."""
    act, place = chance.randrange(5), chance.randrange(len(data) + 1)
    if act == 0:
        return data[:place]
    if act == 1:
        flipped = bytearray(data or b"x")
        for _ in range(chance.randint(1, 8)):
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        return bytes(flipped)
    if act == 2:
        return data[:place] + chance.choice(BYTES) + data[place:]
    if act == 3:
        return data[:place] + data[place + chance.randint(1, 40) :]
    return data + data[:place]


def surveyed(format: str, data: bytes) -> str | Exception:
    """ "" where the file is read whole, else what was raised."""
    try:
        survey_file(file=io.BytesIO(data), format=format)
    except Exception as error:
        return error
    return ""


def test_ten_thousand_damaged_files_are_refused_in_one_line_or_read_whole():
    refused = 0
    for seed in range(FILES):
        format, made, data = damaged(seed)
        error = surveyed(format, data)
        refused += bool(error)
        assert not error or (type(error) is ValueError and 0 < len(str(error)) < 2000), (seed, made, repr(error))
    assert FILES // 10 < refused < FILES - FILES // 10


def test_a_refused_file_leaves_nothing_and_a_read_one_is_there_whole(project):
    for seed in range(FILES, FILES + WRITTEN):
        format, made, data = damaged(seed)
        before = counted(project)
        try:
            told = import_items(project=project, file=io.BytesIO(data), format=format)
        except ValueError:
            assert counted(project) == before, (seed, made)
            continue
        gained = [after - old for after, old in zip(counted(project), before, strict=True)]
        assert gained[:3] == [told["items"], told["responses"], told["judgements"]], (seed, made)
        assert holds(data, format).items == told["items"] + told["skipped"], (seed, made)


def counted(project) -> tuple[int, ...]:
    rows = (project.items, Response.objects, project.judgements, project.tasks, project.schema_versions)
    return tuple(row.count() for row in rows)


def holds(data: bytes, format: str) -> Holds:
    found = Holds()
    for _, one in read(io.BytesIO(data), format):
        found.add(one)
    return found


def test_the_damage_is_the_same_each_time_and_differs_from_file_to_file():
    assert damaged(7) == damaged(7)
    assert len({data for _, _, data in map(damaged, range(100))}) > 90
