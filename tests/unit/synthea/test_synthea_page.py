"""docs/how-to/replay-synthea.md names every way in which input is refused, and its mapping example is one."""

from __future__ import annotations

import re
from pathlib import Path

from drachm.adapters import synthea
from drachm.adapters.synthea import PayorPlans

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "how-to" / "replay-synthea.md").read_text(encoding="utf-8")


def test_every_code_of_the_readers_is_on_the_page() -> None:
    folder = Path(str(synthea.__file__)).parent
    sources = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))]
    sources += [(folder.parent / name).read_text(encoding="utf-8") for name in ("jsonsafe.py", "jsonplace.py")]
    text = "\n".join(sources)
    used = set(re.findall(r'(?:refusal|fault|_refusal|Pended)\(\s*"([a-z_0-9]+)"', text))
    used |= set(re.findall(r'(?:code="|refusal\(\s*"[A-Z]+", ")([a-z_0-9]+)"', text))
    assert {"unknown_plan", "duplicate_key", "invalid_amount", "ragged_row", "duplicate_id"} <= used
    assert {code for code in used if f"`{code}`" not in PAGE} == {"bad_mapping"}


def test_the_mapping_on_the_page_is_of_the_form_we_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "mapping.json").write_text(example)
    assert PayorPlans.read(tmp_path / "mapping.json").fhir["dual_eligible"] == ("us-medicare-part-b", "us-medicaid")
