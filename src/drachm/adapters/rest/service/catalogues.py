"""Where do the words of pages come from in other languages?

From `locales/<language>/LC_MESSAGES/<area>.po`, read once when a language is first spoken. An area is what one group of
pages says; all areas together are one catalogue. The pseudo-language is made from English as it is asked for.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES: Final = Path(__file__).parent / "locales"
PSEUDO: Final = "en-XA"
PLACEHOLDER: Final = re.compile(r"%\([a-z_]+\)[sd]|%%|\{[a-z_]*\}|<[^>]+>|&[a-z]+;")
"""What stands for something else in a text, and is never translated."""
_LONGER: Final = 40
"""Percent."""
_MARKED: Final = str.maketrans(
    "aceghijklnorstuwyzACEGHIJKLNORSTUWYZdbfmpqvxDBFMPQVX",
    "áçéğĥíĵķļñóŕšţúŵýžÁÇÉĞĤÍĴĶĻÑÓŔŠŢÚŴÝŽďƀƒɱƥɋṽẋĎƁƑṀƤɊṼẊ",
)
_FILLING: Final = "~ōņĕ ţŵō ţĥŕēē ƒōūŕ ƒīṽē šīẋ šēṽēņ ēīğĥţ ņīņē"


@cache
def catalogue(language: str) -> NullTranslations:
    """The texts of a language; English is what the sources say."""
    if language == PSEUDO:
        return Pseudo()
    files = areas(language)
    if not files:
        return NullTranslations()
    # The first file's head says how the language counts; it is the same in all of them.
    merged = read(files[0])
    for path in files[1:]:
        for message in read(path):
            if message.id and message.string:
                merged.add(message.id, message.string)
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return GNUTranslations(compiled)


def areas(language: str) -> list[Path]:
    """The files of a language, in order of name."""
    return sorted((LOCALES / language.replace("-", "_") / "LC_MESSAGES").glob("*.po"))


def read(path: Path) -> Catalog:
    """One file."""
    language = path.parent.parent.name
    with path.open("rb") as file:
        return read_po(file, locale=language)


class Pseudo(NullTranslations):
    """English with marks on its letters and two fifths longer, between brackets: what is cut off is seen."""

    def gettext(self, message: str) -> str:
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return pseudo(msgid1 if n == 1 else msgid2)


def pseudo(text: str) -> str:
    """A text as the pseudo-language has it; placeholders stay.

    >>> pseudo("Pay {amount}")
    '[Ƥáý {amount}~ōņĕ]'
    """
    said = "".join(part if kept else part.translate(_MARKED) for part, kept in _parts(text))
    letters = sum(len(part) for part, kept in _parts(text) if not kept)
    more = max(4, letters * _LONGER // 100)
    return f"[{said}{(_FILLING * (more // len(_FILLING) + 1))[:more].rstrip()}]"


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """(piece, whether it is a placeholder), in order."""
    at = 0
    for found in PLACEHOLDER.finditer(text):
        yield text[at : found.start()], False
        yield found[0], True
        at = found.end()
    yield text[at:], False
