"""Are the catalogues of the pages whole? Extracts what pages say, merges it into every language, says what is short.

    export PYTHONPATH=src
    python tools/messages.py                  extract and merge; then list what is not translated
    python tools/messages.py fill DRAFTS.json put drafts in: {"text": {"de": "…", "ar": ["zero", "one", …]}, …}
    python tools/messages.py check            change nothing; exit 1 unless every catalogue is whole

A new text goes into the file of its area: the first word of its module or template (`my_wallet.html` -> wallet,
`desk_today.py` -> desk), so that people who work on different pages change different files.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import write_po
from jinja2.ext import babel_extract

from drachm.adapters.rest.service.catalogues import LOCALES, PLACEHOLDER, areas, read
from drachm.adapters.rest.service.speech import LANGUAGES
from drachm.adapters.rest.service.trouble_words import table_texts
from drachm.domain.reasons import REASONS

PAGES = LOCALES.parent
KEYWORDS: dict[str, Any] = {"gettext": None, "_": None, "N_": None, "ngettext": (1, 2)}
HEADER = """Words of Drachm's pages: PROJECT, area {area}.
Machine-drafted: nobody who speaks the language at home has signed it yet. Whoever does puts their name here.
"""
PLURALS = {
    # zero, one, two, 3-10, 11-99, others: the order of gettext's manual, which Babel's own differs from.
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
}
REST = "frame"
_AREA = re.compile(r"(?:my|desk|operator)_([a-z]+)")
_ROOMS = ("desk", "kiosk", "notices", "office", "operator", "slip")
_DESK = ("staff_words", "trouble_words")


class Text(NamedTuple):
    """One text that pages say."""

    one: str
    many: str
    """Empty where no number decides."""
    area: str

    @property
    def id(self) -> str | tuple[str, str]:
        return (self.one, self.many) if self.many else self.one


def area_of(path: Path) -> str:
    """Into which file the texts of a source go."""
    if path.stem == "engine_words":
        return "engine"
    first = path.stem.partition("_")[0]
    if first in _ROOMS:
        return first
    if path.stem in _DESK:
        return "desk"
    found = _AREA.match(path.stem)
    return found[1] if found else REST


def texts() -> dict[str, Text]:
    """Everything that pages say, in order of their sources."""
    found: dict[str, Text] = {}
    for path, message in sorted(_extracted(), key=lambda pair: str(pair[0])):
        one, many = message if isinstance(message, tuple) else (message, "")
        if not one:
            continue
        known = found.get(one)
        if known is None or (many and not known.many):
            found[one] = Text(one, many, known.area if known else area_of(path))
    for reason in REASONS.values():
        for text in (reason.text, reason.next_step):
            if text and text not in found:
                found[text] = Text(text, "", "reasons")
    for text in table_texts():
        found.setdefault(text, Text(text, "", "refusals"))
    return found


def _extracted() -> Iterator[tuple[Path, str | tuple[str, str]]]:
    for path in sorted(PAGES.glob("*.py")):
        if "gettext" in path.read_text("utf-8") or "N_" in path.read_text("utf-8"):
            for _, message, *_ in extract_from_file("python", path, keywords=KEYWORDS):
                if pair := _pair(message):
                    yield path, pair
    for path in sorted((PAGES / "templates").glob("*.html")):
        options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
        with path.open("rb") as file:
            for _, function, message, _ in babel_extract(file, [*KEYWORDS], [], options):
                if function in KEYWORDS and (pair := _pair(message)):
                    yield path, pair


def _pair(message: Any) -> str | tuple[str, str]:
    """A text, or a text and its plural; empty for what is only looked up here, marked elsewhere."""
    words = [message] if isinstance(message, str) else [word for word in message or () if isinstance(word, str)]
    if not words:
        return ""
    return (words[0], words[1]) if len(words) > 1 else words[0]


def merge() -> None:
    """Every text into every language: what is there already stays where it is, what no page says any more goes."""
    said = texts()
    for language in foreign():
        kept: dict[str, tuple[str, Any]] = {}
        for path in areas(language):
            for message in read(path):
                one = message.id[0] if isinstance(message.id, tuple | list) else message.id
                if one:
                    kept[one] = (path.stem, message.string)
        files: dict[str, list[tuple[Text, Any]]] = {}
        for text in said.values():
            area, string = kept.get(text.one, (text.area, None))
            files.setdefault(area, []).append((text, string if fits(text, string) else None))
        folder = LOCALES / language.replace("-", "_") / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        for path in areas(language):
            if path.stem not in files:
                path.unlink()
        for area, items in files.items():
            write(folder / f"{area}.po", language, area, items)


def write(path: Path, language: str, area: str, items: list[tuple[Text, Any]]) -> None:
    """One file, in order of the English texts, without places or times: it changes only where a text does."""
    catalog = Catalog(locale=language.replace("-", "_"), fuzzy=False)
    catalog.header_comment = "\n".join(f"# {line}" for line in HEADER.format(area=area).strip().splitlines()).replace(
        "PROJECT", LANGUAGES[language].name
    )
    for text, string in items:
        catalog.add(text.id, string or (("",) * catalog.num_plurals if text.many else ""))
    with path.open("wb") as file:
        write_po(file, catalog, width=120, no_location=True, omit_header=True, sort_output=True)
    body = path.read_text("utf-8")
    head = (
        f'{catalog.header_comment}\nmsgid ""\nmsgstr ""\n"Language: {language}\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {PLURALS.get(language, catalog.plural_forms)}\\n"\n\n'
    )
    path.write_text(head + body.lstrip(), "utf-8")


def fits(text: Text, string: Any) -> bool:
    """Whether a translation has the shape that the text needs."""
    return isinstance(string, tuple | list) == bool(text.many)


def foreign() -> list[str]:
    """Languages that need a catalogue."""
    return [code for code in LANGUAGES if code != "en"]


def faults() -> list[str]:
    """What is wrong with the catalogues, in sentences; empty when they are whole."""
    said, found = texts(), []
    for language in foreign():
        known: dict[str, Any] = {}
        plurals = Catalog(locale=language.replace("-", "_")).num_plurals
        for path in areas(language):
            for message in read(path):
                one = message.id[0] if isinstance(message.id, tuple | list) else message.id
                if one in known:
                    found.append(f"{language}: {one!r} stands in two files")
                if one:
                    known[one] = message.string
        for text in said.values():
            found += [f"{language}: {fault}" for fault in _faults_of(text, known.get(text.one), plurals)]
        found += [f"{language}: no page says {one!r} any more" for one in known if one not in said]
    return found


def _faults_of(text: Text, string: Any, plurals: int) -> Iterator[str]:
    forms = list(string) if isinstance(string, tuple | list) else [string]
    if not all(forms):
        yield f"not translated: {text.one!r} (area {text.area})"
        return
    if text.many and len(forms) != plurals:
        yield f"{len(forms)} forms, the language has {plurals}: {text.one!r}"
    wanted = set(PLACEHOLDER.findall(text.many or text.one))
    for form in forms:
        have = set(PLACEHOLDER.findall(form))
        # A form for one thing, or for two, may say the number as a word.
        if have - wanted or (wanted - have and not text.many):
            yield f"placeholders {sorted(have ^ wanted)} differ: {text.one!r} -> {form!r}"
        # Where values are put in by "%", a sign of percent has to be doubled; it would break the page.
        if "%(" in text.one and "%" in re.sub(r"%\([a-z_]+\)[sd]|%%", "", form):
            yield f"a lone % in {form!r}: write %%"


def fill(drafts: dict[str, dict[str, Any]]) -> None:
    """Put drafts in; a text that no page says is refused."""
    said = texts()
    unknown = [one for one in drafts if one not in said]
    if unknown:
        raise SystemExit(f"no page says: {unknown}")
    for language in foreign():
        for path in areas(language):
            items = []
            changed = False
            for message in read(path):
                one = message.id[0] if isinstance(message.id, tuple | list) else message.id
                if not one:
                    continue
                draft = drafts.get(one, {}).get(language)
                changed |= draft is not None
                items.append((said[one], tuple(draft) if isinstance(draft, list) else draft or message.string))
            if changed:
                write(path, language, path.stem, items)


def main(words: list[str]) -> int:
    if words[:1] != ["check"]:
        merge()
    if words[:1] == ["fill"]:
        text = Path(words[1]).read_text("utf-8")
        fill(json.loads(text) if words[1].endswith(".json") else ast.literal_eval(text))
    found = faults()
    for fault in found:
        sys.stdout.write(fault + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
