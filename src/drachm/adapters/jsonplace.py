"""Where exactly is this JSON faulty?

`jsonsafe` reads fast and only knows that something is wrong; this plain strict reader then walks the same text, keeps
line, column and path, and raises the refusal that names them. It also finds where the elements of an array begin and
end by brackets alone, so that one faulty element can be refused without the others.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from json.decoder import scanstring  # type: ignore[attr-defined]  # public in CPython, absent from the stubs
from typing import Final

from drachm.domain.errors import InvalidMessage

MAX_DEPTH: Final = 64
"""Deepest nesting of arrays and objects: FHIR needs about 15."""
MAX_DIGITS: Final = 60
"""Longest number, in characters; 17 digits carry every binary float."""
MAX_EXPONENT: Final = 400
"""Largest power of ten, either sign: beyond it an exact integer of the value would fill the memory."""

_UNPAIRED: Final = re.compile("[\ud800-\udfff]")
_BLANK: Final = re.compile(r"[ \t\n\r]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORDS: Final = ("true", "false", "null")
_NOT_NUMBERS: Final = ("NaN", "Infinity", "-Infinity")
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
_NEXT_STEPS: Final = {
    "malformed_json": "Send well-formed JSON (RFC 8259).",
    "not_utf8": "Save the file as UTF-8.",
    "nul_character": "Remove the NUL character.",
    "lone_surrogate": "Write the character as UTF-8, or as a full pair of \\u escapes.",
    "duplicate_key": "Keep one of the two keys: which one counts cannot be known.",
    "not_a_number": "Leave the key out, or write null, when there is no number.",
    "number_too_long": f"Write numbers with at most {MAX_DIGITS} characters.",
    "too_deep": f"Nest at most {MAX_DEPTH} arrays and objects.",
    "too_large": "Split the document, or send it as NDJSON.",
    "unreadable_file": "Check that the file exists, may be read and is complete.",
}


def fault(code: str, message: str, where: str, next_step: str = "") -> InvalidMessage:
    """An `InvalidMessage` in the form every reader of JSON uses."""
    return InvalidMessage(message, where=where, next_step=next_step or _NEXT_STEPS.get(code, ""), code=code)


def exact(text: str) -> Decimal:
    """A JSON number as `Decimal`; `ValueError` when it is too long or too far from one to be worked with."""
    if len(text) > MAX_DIGITS:
        raise ValueError
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError from None
    if abs(value.adjusted()) > MAX_EXPONENT:
        raise ValueError
    return value


def place(text: str, at: int, where: str) -> str:
    """`where` with line and column (both from 1) of the character `at`; a text of one line has no line number."""
    at = min(at, len(text.rstrip()))
    line = f" line {text.count(chr(10), 0, at) + 1}" if "\n" in text.strip() else ""
    return f"{where}{line} column {at - text.rfind(chr(10), 0, at)}"


def check(text: str, where: str, *, start: int = 0, end: int | None = None, root: str = "$") -> None:
    """Raise the `InvalidMessage` for the first fault of the one value in `text[start:end]`, if there is one."""
    _Locator(text[:end], where, start, root).document()


def element_spans(text: str, key: str) -> list[tuple[int, int]] | None:
    """Where the elements of the outermost array, or of the array `key` of the outermost object, begin and end.

    Looks at brackets and strings alone; None when there is no such array or the brackets do not close.
    """
    open_brackets: list[str] = []
    spans: list[tuple[int, int]] = []
    inside = at_key = done = False
    home = 2 if key else 1
    start = 0
    for token in _STRUCTURE.finditer(text):
        mark = token.group()[0]
        if mark in "[{":
            open_brackets.append(mark)
            if len(open_brackets) == home and mark == "[" and (at_key or not key) and not done:
                inside, start = True, token.end()
        elif mark in "]}":
            if not open_brackets or open_brackets.pop() + mark not in ("[]", "{}"):
                return None
            if inside and len(open_brackets) == home - 1:
                spans.append((start, token.start()))
                inside, done = False, True
        elif mark == "," and inside and len(open_brackets) == home:
            spans.append((start, token.start()))
            start = token.end()
        if len(open_brackets) == 1:
            at_key = mark == '"' and token.group() == f'"{key}"'
    return spans if done and not open_brackets else None


class _Locator:
    """Reads one value strictly, keeping the path; the values themselves are thrown away."""

    def __init__(self, text: str, where: str, start: int, root: str) -> None:
        self.text, self.where, self.at, self.path = text, where, start, [root]

    def document(self) -> None:
        self._blank()
        self._value()
        self._blank()
        if self.at < len(self.text):
            raise self._refusal("malformed_json", "there is text after the value")

    def _value(self) -> None:
        mark = self.text[self.at : self.at + 1]
        if mark in ("{", "["):
            if len(self.path) > MAX_DEPTH:
                raise self._refusal("too_deep", f"there are more than {MAX_DEPTH} levels")
            self._object() if mark == "{" else self._array()
        elif mark == '"':
            self._string()
        elif word := next((word for word in _WORDS if self.text.startswith(word, self.at)), ""):
            self.at += len(word)
        elif self.text.startswith(_NOT_NUMBERS, self.at):
            raise self._refusal("not_a_number", "NaN and Infinity are not JSON numbers")
        else:
            self._number()

    def _object(self) -> None:
        seen: set[str] = set()
        self.at += 1
        self._blank()
        if self._took("}"):
            return
        while True:
            start = self.at
            self._expect('"', "a key in double quotes")
            self.at = start
            key = self._string()
            if key in seen:
                self.at = start
                raise self._refusal("duplicate_key", f"the key {key[:40]!r} stands twice in one object")
            seen.add(key)
            self._blank()
            self._expect(":", "':'")
            self._inside(f".{key[:40]}")
            if self._took("}"):
                return
            self._expect(",", "',' or '}'")
            self._blank()

    def _array(self) -> None:
        self.at += 1
        self._blank()
        if self._took("]"):
            return
        index = 0
        while True:
            self._inside(f"[{index}]")
            if self._took("]"):
                return
            self._expect(",", "',' or ']'")
            index += 1

    def _inside(self, step: str) -> None:
        self._blank()
        self.path.append(step)
        self._value()
        self.path.pop()
        self._blank()

    def _string(self) -> str:
        start = self.at
        try:
            value, end = scanstring(self.text, start + 1, True)
        except json.JSONDecodeError as problem:
            self.at = problem.pos
            raise self._missing("an end of the text, or a good escape,") from None
        if "\0" in value:
            raise self._refusal("nul_character", "the text holds a NUL character")
        if _UNPAIRED.search(value):
            raise self._refusal(
                "lone_surrogate", "the text holds half of a surrogate pair, or bytes that are not UTF-8"
            )
        self.at = end
        return str(value)

    def _number(self) -> None:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise self._missing("a value")
        try:
            exact(match.group())
        except ValueError:
            raise self._refusal("number_too_long", "the number is too long or too far from one") from None
        self.at = match.end()

    def _blank(self) -> None:
        if match := _BLANK.match(self.text, self.at):
            self.at = match.end()

    def _took(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += 1
            return True
        return False

    def _expect(self, mark: str, words: str) -> None:
        if not self._took(mark):
            raise self._missing(words)

    def _missing(self, words: str) -> InvalidMessage:
        if self.text.startswith("\0", self.at):
            return self._refusal("nul_character", "there is a NUL character")
        return self._refusal("malformed_json", f"{words} is missing")

    def _refusal(self, code: str, message: str) -> InvalidMessage:
        path = "".join(self.path)
        if len(path) > 120:
            path = f"{path[:80]}...{path[-30:]}"
        return fault(code, message, f"{place(self.text, self.at, self.where)} at {path}")
