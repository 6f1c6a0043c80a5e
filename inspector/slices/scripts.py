"""In which script is a text written? Simple and said as such: by letters, not by words. PURE."""

import unicodedata
from collections import Counter

READ = 400  # letters
NAMES = {"CJK": "Chinese characters", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
LATIN, NONE = "Latin script", "no letters"


def script_of(text: str) -> str:
    """ "Latin script" and the like, by most of the first letters; Japanese where a tenth of them is kana."""
    if text.isascii():  # most are, and need no look at each letter
        return LATIN if any(map(str.isalpha, text[: 4 * READ])) else NONE
    letters = [character for character in text[: 4 * READ] if character.isalpha()][:READ]
    counted = Counter(_script(letter) for letter in letters)
    if not counted:
        return NONE
    if 10 * counted["Japanese"] >= len(letters):
        return "Japanese"
    return counted.most_common(1)[0][0]


def _script(letter: str) -> str:
    if letter.isascii():
        return LATIN
    name = unicodedata.name(letter, "OTHER").split()[0].split("-")[0]
    return NAMES.get(name, f"{name.capitalize()} script")
