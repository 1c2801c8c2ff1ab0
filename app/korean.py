"""Korean particles after words that the catalogue does not know: `%(name)s을(를)` becomes `bias를`, `sub1을`."""

import re

_PAIRS = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "와(과)": ("과", "와"),
    "(으)로": ("으로", "로"),
}
_PAIR = re.compile("|".join(map(re.escape, _PAIRS)))
# Read backwards from the pair: closing marks, which nobody speaks, the tags and entities of a page, then the word. That
# nothing is tried twice, and only so far, is for names that are made of marks.
_MARKS = r"(?:>[^<>]*+<|;\w++#?&|[\"'”’)\]}»…*_`.])*+"
_BEFORE = re.compile(rf"{_MARKS}([^\s<>&;]{{0,8}})")
_MOST_BEFORE = 400

_FIRST, _LAST, _ENDINGS = "가", "힣", 28
_RIEUL = 8
_DIGITS = {"0": "ng", "1": "l", "3": "m", "6": "k", "7": "l", "8": "l"}
_SPELLED = re.compile(r"(?:^|[^A-Za-z])[A-Z]*[LMNR]$")
_L_SOUND = re.compile(r"(?:l|[bcdfgkptz]le|[aeiou]le)$", re.IGNORECASE)
_OTHER_SOUND = re.compile(r"(?:[mn]|ng|[aeiouy][mn]e|ck|[aeiou]p|out|put)$", re.IGNORECASE)


def particled(text: str) -> str:
    """Return the text with each pair of particles decided by the sound that the word before it ends in."""
    return _PAIR.sub(_decided, text) if "(" in text else text


def has_korean(text: str) -> bool:
    """Return whether there is Korean in the text."""
    return any(_FIRST <= char <= _LAST for char in text)


def _decided(match: re.Match[str]) -> str:
    pair, at = match.group(), match.start()
    before = _BEFORE.match(match.string[max(0, at - _MOST_BEFORE) : at][::-1])
    sound = last_sound(before[1][::-1]) if before else None
    if sound is None:
        return pair
    closed, open_ = _PAIRS[pair]
    # After ㄹ it is 로, as after a vowel.
    is_closed = bool(sound) and not (pair == "(으)로" and sound == "l")
    return closed if is_closed else open_


def last_sound(word: str) -> str | None:
    """Return the consonant that the spoken word ends in, "" where it ends in a vowel, None where nobody can say."""
    last = word[-1:]
    if _FIRST <= last <= _LAST:
        ending = (ord(last) - ord(_FIRST)) % _ENDINGS
        return "l" if ending == _RIEUL else "k" if ending else ""
    if last.isascii() and last.isdigit():
        return _DIGITS.get(last, "")
    if not (last.isascii() and last.isalpha()):
        return None
    if _SPELLED.search(word):
        return "l" if last in "LR" else "n"
    if _L_SOUND.search(word):
        return "l"
    return "n" if _OTHER_SOUND.search(word) else ""
