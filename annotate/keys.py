"""The keys of the judging page: what each act is called, its key, and which keys a person may choose instead.

Pure: no Django. Both hands have a map of their own, so that one hand does a whole task; the left one's is the default.
Digits always choose an answer, and Ctrl+Enter, Ctrl+Z, Ctrl+Shift+Z, Escape and ? always do what they say.
"""

import re
from collections import Counter
from collections.abc import Mapping

ANSWER, RESPONSES, AROUND = "The answer", "The responses", "Around the task"
# act: (default key, key for the right hand alone, words, group)
ACTS: dict[str, tuple[str, str, str, str]] = {
    "submit": ("d", "Enter", "Done: submit, go to the next", ANSWER),
    "rationale": ("e", "o", "Write the rationale", ANSWER),
    "principles": ("Shift+e", "Shift+o", "Say which principle decided", ANSWER),
    "demonstration": ("F4", ";", "Write your own answer", ANSWER),
    "undo": ("z", ",", "Undo", ANSWER),
    "redo": ("Shift+z", ".", "Do it again", ANSWER),
    "skip": ("x", "-", "Skip this task", ANSWER),
    "unskip": ("Shift+x", "/", "Take the skipped task back", ANSWER),
    "flag": ("F2", "F9", "Flag it to a reviewer", ANSWER),
    "mark_left": ("s", "j", "Mark errors, left", RESPONSES),
    "mark_right": ("Shift+s", "Shift+j", "Mark errors, right", RESPONSES),
    "missing_left": ("a", "m", "Something is missing, left", RESPONSES),
    "missing_right": ("Shift+a", "Shift+m", "Something is missing, right", RESPONSES),
    "checked_left": ("c", "n", "Checked, nothing to mark, left", RESPONSES),
    "checked_right": ("Shift+c", "Shift+n", "Checked, nothing to mark, right", RESPONSES),
    "rate_left": ("r", "k", "Rate, left: then a digit for each line", RESPONSES),
    "rate_right": ("Shift+r", "Shift+k", "Rate, right: then a digit for each line", RESPONSES),
    "safety_left": ("q", "h", "Is it harmful, left", RESPONSES),
    "safety_right": ("Shift+q", "Shift+h", "Is it harmful, right", RESPONSES),
    "write_left": ("w", "p", "Write a better one, left", RESPONSES),
    "write_right": ("Shift+w", "Shift+p", "Write a better one, right", RESPONSES),
    "steps": ("Shift+d", "F8", "Go to the steps or turns", RESPONSES),
    "text_left": ("f", "l", "Read the left; arrows scroll it", RESPONSES),
    "text_right": ("Shift+f", "Shift+l", "Read the right", RESPONSES),
    "raw": ("v", "i", "Rendered or raw text", RESPONSES),
    "sync": ("Shift+v", "Shift+i", "Scroll the responses together", RESPONSES),
    "prompt": ("t", "u", "Go to the prompt", AROUND),
    "context": ("Shift+t", "Shift+u", "Go to the context", AROUND),
    "guidelines": ("g", "y", "Guidelines", AROUND),
    "keys": ("Shift+g", "Shift+y", "This list of keys", AROUND),
    "back": ("b", "b", "Back to my last judgement", AROUND),
    "mine": ("Shift+b", "Shift+b", "All my judgements", AROUND),
}
PRESETS: dict[str, dict[str, str]] = {
    "left": {act: row[0] for act, row in ACTS.items()},
    "right": {act: row[1] for act, row in ACTS.items()},
}
DEFAULT = PRESETS["left"]
# One letter of any alphabet, with Shift or not, a sign, Enter, or a function key that browsers leave alone.
SHAPE = re.compile(r"(Shift\+)?[^\W\d_]|[-=,.;'/\[\]\\`]|Enter|F(2|4|8|9)")


def wrong(keys: object) -> dict[str, str]:
    """What is wrong with {act: key}, by act ("" for the whole); acts left out keep their default key."""
    if not isinstance(keys, Mapping):
        return {"": "Keys are given as {act: key}."}
    found = {str(act): "There is no such act." for act in keys if act not in ACTS}
    found |= {act: "Not a key that can be chosen." for act, key in keys.items() if act in ACTS and not allowed(key)}
    used = Counter((DEFAULT | {act: key for act, key in keys.items() if act in ACTS and act not in found}).values())
    twice = {
        act: f"{key} does something else already." for act, key in keys.items() if act not in found and used[key] > 1
    }
    return found | twice


def allowed(key: object) -> bool:
    """Whether it has the shape of a key that a person may choose; letters are written small."""
    return isinstance(key, str) and bool(SHAPE.fullmatch(key)) and key[-1].lower() == key[-1]


def keys_of(stored: object) -> dict[str, str]:
    """The key of every act, from what a user has stored; what is wrong there counts for nothing."""
    if not isinstance(stored, Mapping):
        return dict(DEFAULT)
    bad = wrong(stored)
    return DEFAULT | {act: key for act, key in stored.items() if act not in bad}
