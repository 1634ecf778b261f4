"""docs/reference/event-json.md says what the reader does: its example is read, and it names every key and code."""

from __future__ import annotations

import re
from pathlib import Path

from drachm.adapters import jsonsafe
from drachm.adapters.eventjson import fields as field_readers
from drachm.adapters.eventjson import read as event_reader
from drachm.adapters.eventjson import read_event, write_event

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "event-json.md").read_text(encoding="utf-8")


def test_the_example_is_an_event_and_is_written_back_as_it_stands() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    said = jsonsafe.loads(example.encode())
    assert write_event(read_event(said)) == said


def test_every_key_has_its_row() -> None:
    rows = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    assert {key for key in event_reader.KEYS if f"`{key}`" not in rows} == set()


def test_every_code_has_its_row() -> None:
    sources = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in (field_readers, event_reader)]
    sources += [Path(str(jsonsafe.__file__)).with_name("jsonplace.py").read_text(encoding="utf-8")]
    used = set(re.findall(r'(?:refusal|fault|_refusal)\(\s*"([a-z_0-9]+)"', "\n".join(sources)))
    assert len(used) > 15
    assert {code for code in used if f"`{code}`" not in PAGE} == set()
