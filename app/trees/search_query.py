"""The language of search: `attn class:Linear numel>1e6 dtype:bf16 frozen`, read into a tree of terms.

query  =  all { "|" all }            any of them
all    =  term { term }              every one of them
term   =  "-" term | "(" query ")" | key operator value | flag | word
"""

import re

from app.errors import Invalid, Misfit
from app.translation import said
from app.trees.dtypes import dtype_word
from app.trees.foreign import cut
from app.trees.search_terms import All, Any, Flag, Has, Key, Not, Number, Shape, Term, Text, Word

MAX_QUERY = 1_000
MAX_NESTING = 20
MAX_TERMS = 50

OF_TEXT = frozenset({Key.NAME, Key.PATH, Key.CLASS, Key.DTYPE, Key.SHAPE})
FLAGS = {
    **{flag.value: flag for flag in Flag},
    "parameters": Flag.PARAMETER,
    "buffers": Flag.BUFFER,
    "non-persistent": Flag.NONPERSISTENT,
    "training": Flag.TRAIN,
}
KEYS = {
    **{key.value: key for key in Key},
    "size": Key.NUMEL,
    "elements": Key.NUMEL,
    "ndim": Key.DIMS,
    "parameters": Key.PARAMS,
    "num_parameters": Key.PARAMS,
    "num_modules": Key.MODULES,
    "num_children": Key.CHILDREN,
    "num_bytes": Key.BYTES,
}


_TOKEN = re.compile(
    r"""\s*(?: (?P<mark> [()|] | -(?=[^\s|)]) )
             | (?P<key> [A-Za-z_]\w* ) (?P<operator> : | [<>!]=? | == | = )
             | (?P<text> "(?:[^"\\]|\\.)*"? | [^\s()|"]+ ) )""",
    re.VERBOSE,
)
# A quoted text, a shape as Python writes it, or what stands there.
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"?|\([^()]*\)|[^\s()|"]*')
_NUMBER = re.compile(r"([0-9][0-9_]*\.?[0-9]*(?:[eE][+-]?[0-9]{1,3})?)\s*([A-Za-z]*)")
_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "b": 10**9,
    "t": 10**12,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}


def parse_query(text: str) -> Term:
    """Return the terms of a query; an empty one finds everything.

    Raises `Invalid` that names the character where the query cannot be read.
    """
    if len(text) > MAX_QUERY:
        raise _wrong(
            MAX_QUERY,
            said(
                "expected at most %(most)s characters, got %(num)s",
                most=f"{MAX_QUERY:,}",
                num=f"{len(text):,}",
            ),
        )
    parser = _Parser(text)
    term = parser.any(0)
    if parser.mark:
        raise _wrong(parser.start, said('expected "(" before this ")"'))
    return term


class _Parser:
    """Reads one token ahead: `mark` is a sign, or else `text` or `key` is set, or nothing is left."""

    def __init__(self, query: str) -> None:
        self._query = query
        self._end = 0
        self._num_terms = 0
        self._step()

    def any(self, nesting: int) -> Term:
        if nesting > MAX_NESTING:
            raise _wrong(self.start, said('expected at most %(most)s "("', most=MAX_NESTING))
        terms = [self._all(nesting)]
        while self.mark == "|":
            self._step()
            terms.append(self._all(nesting))
        return terms[0] if len(terms) == 1 else Any(tuple(terms))

    def _all(self, nesting: int) -> Term:
        terms = []
        while self.mark not in {"|", ")"} and not self._is_over:
            terms.append(self._term(nesting))
        if not terms and not (self._is_over and not self._query.strip()):
            raise _wrong(self.start, said("expected something to look for"))
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _term(self, nesting: int) -> Term:
        is_not = False
        while self.mark == "-":
            is_not = not is_not
            self._step()
        term = self._plain(nesting)
        return Not(term) if is_not else term

    def _plain(self, nesting: int) -> Term:
        if self.mark == "(":
            self._step()
            term = self.any(nesting + 1)
            if self.mark != ")":
                raise _wrong(self.start, said('expected ")"'))
            self._step()
            return term
        if self.mark or self._is_over:
            raise _wrong(self.start, said("expected something to look for"))
        self._num_terms += 1
        if self._num_terms > MAX_TERMS:
            raise _wrong(self.start, said("expected at most %(most)s things to look for", most=MAX_TERMS))
        term = self._compared() if self.key else self._word()
        self._step()
        return term

    def _compared(self) -> Term:
        key = KEYS.get(self.key.lower())
        if self.key.lower() == "is" and self.operator == ":":
            return self._flag()
        if key is None:
            raise _wrong(
                self.start,
                said("there is no %(key)r to look for; there are %(known)s", key=self.key, known=", ".join(Key)),
            )
        start, value = self._value()
        if not value:
            what = "a text" if key in OF_TEXT else "a number"
            raise _wrong(
                start,
                said('expected %(what)s after "%(key)s%(operator)s"', what=what, key=self.key, operator=self.operator),
            )
        if key is Key.SHAPE:
            return self._shape(start, value)
        if key in OF_TEXT:
            return self._text(key, value)
        return self._number(key, start, value)

    def _word(self) -> Term:
        if self.text.startswith('"'):
            return Word(self._unquoted(self.start, self.text), literal=True)
        flag = FLAGS.get(self.text.lower())
        return Has(flag) if flag else Word(self.text)

    def _flag(self) -> Term:
        start, value = self._value()
        flag = FLAGS.get(value.lower())
        if flag is None:
            raise _wrong(
                start, said("there is no %(value)r; there are %(known)s", value=cut(value, 40), known=", ".join(Flag))
            )
        return Has(flag)

    def _text(self, key: Key, value: str) -> Term:
        if self.operator not in {":", "=", "==", "!="}:
            raise _wrong(
                self.start,
                said('expected ":" or "=" after %(key)r, got %(operator)r', key=self.key, operator=self.operator),
            )
        text = Text(key, dtype_word(value) if key is Key.DTYPE else value, self.operator != ":")
        return Not(text) if self.operator == "!=" else text

    def _shape(self, start: int, value: str) -> Term:
        if self.operator not in {":", "=", "==", "!="}:
            raise _wrong(
                self.start,
                said('expected ":" or "=" after %(key)r, got %(operator)r', key=self.key, operator=self.operator),
            )
        parts = [part for part in re.split(r"[x×,\s]", value.strip("()[]")) if part]
        if not all(part in {"*", "?"} or (part.isascii() and part.isdigit() and len(part) < 19) for part in parts):
            raise _wrong(start, said("expected sizes such as 768x* or 3,224,224, got %(value)r", value=cut(value, 40)))
        shape = Shape(tuple(None if part in {"*", "?"} else int(part) for part in parts))
        return Not(shape) if self.operator == "!=" else shape

    def _number(self, key: Key, start: int, value: str) -> Term:
        low, is_range, high = value.partition("..")
        operator = "=" if self.operator in {":", "=="} else self.operator
        if not is_range:
            if operator == "!":
                raise _wrong(self.start, said('expected "!=" after %(key)r', key=self.key))
            return Number(key, operator, _number(start, value))
        if operator != "=":
            raise _wrong(self.start, said('expected ":" before a range, got %(operator)r', operator=operator))
        terms = []
        if low:
            terms.append(Number(key, ">=", _number(start, low)))
        if high:
            terms.append(Number(key, "<=", _number(start + len(low) + 2, high)))
        return All(tuple(terms))

    def _value(self) -> tuple[int, str]:
        match = _VALUE.match(self._query, self._end)
        assert match is not None
        start, self._end = match.span()
        return start, self._unquoted(start, match[0])

    def _unquoted(self, start: int, value: str) -> str:
        if not value.startswith('"'):
            return value
        if len(value) < 2 or not value.endswith('"'):
            raise _wrong(start, said("expected a closing quotation mark"))
        return re.sub(r"\\(.)", r"\1", value[1:-1])

    def _step(self) -> None:
        self.mark = self.key = self.operator = self.text = ""
        match = _TOKEN.match(self._query, self._end)
        self._is_over = match is None
        if match is None:
            self.start = len(self._query) if not self._query.strip() else len(self._query.rstrip())
            return
        self.start = match.end() - len(match[0].lstrip())
        self.mark, self.key, self.operator, self.text = (part or "" for part in match.groups())
        self._end = match.end()


def _number(start: int, text: str) -> float:
    match = _NUMBER.fullmatch(text)
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise _wrong(start, said("expected a number such as 768, 1e6 or 1.5M, got %(value)r", value=cut(text, 40)))
    return float(match[1].replace("_", "")) * unit


def _wrong(at: int, msg: str) -> Invalid:
    return Invalid(said("q, character %(at)s: %(msg)s.", at=at + 1, msg=msg), (Misfit(("q", at), msg),))
