"""Compiles the core to machine code where a C compiler is at hand: the same sources, half the processor time.

    python tools/compile_core.py TARGET

TARGET becomes a tree with the package in TARGET/src, its hot modules compiled by mypyc beside their sources. `./drachm`
uses it while no source is newer (docs/decisions/0013-the-core-may-be-compiled.md).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from mypyc.build import mypycify
from setuptools import Distribution
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parents[1]
HOT = (
    "domain/local_day.py",
    "domain/money.py",
    "domain/clearing/clear.py",
    "domain/clearing/covering.py",
    "domain/clearing/documents.py",
    "domain/clearing/journal.py",
    "domain/clearing/line.py",
    "domain/clearing/model.py",
    "domain/clearing/numbers.py",
    "domain/clearing/pockets.py",
    "domain/clearing/premises.py",
    "domain/clearing/privacy.py",
    "domain/clearing/quotas.py",
    "domain/clearing/register.py",
    "domain/clearing/world.py",
    "domain/funding/arrange.py",
    "domain/ledger/*.py",
    "domain/transparency/*.py",
    "domain/coverage/facts.py",
    "domain/events/model.py",
    "domain/catalog/book.py",
    "domain/catalog/context.py",
    "domain/catalog/facts.py",
    "domain/catalog/measured.py",
    "domain/catalog/model.py",
    "domain/catalog/pricing.py",
    "domain/catalog/edition.py",
    "domain/catalog/books.py",
    "domain/catalog/listing.py",
    "domain/catalog/relative_value.py",
    "domain/catalog/rule.py",
    "domain/catalog/rules.py",
    "domain/benefits/adjudicate.py",
    "domain/benefits/machine.py",
    "domain/benefits/model.py",
    "domain/benefits/reading.py",
    "domain/benefits/turn.py",
    "domain/benefits/program.py",
    "domain/benefits/naming.py",
    "storage/posting.py",
    "storage/registered.py",
    "storage/registry.py",
    "storage/remembered.py",
    "storage/rows.py",
    "storage/totals.py",
    "storage/vault.py",
    "storage/work.py",
    "application/clear_events.py",
    "application/first_answers.py",
    "application/rows.py",
)
"""What an event passes through each time.

Not among them: what runs once (readers of documents), what is made at run time (plans become functions there), and
nouns that msgspec decodes (it asks a class for its annotations, which a compiled one does not keep).
"""


def main(target: Path) -> None:
    """Build beside the target, then put it in its place whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        shutil.copytree(ROOT / "src", work / "src", ignore=shutil.ignore_patterns("__pycache__"))
        # What the sources find beside themselves.
        for name, place in (("samples", work), ("requirements", work), ("shared", work.parent)):
            found = (ROOT if place == work else ROOT.parent) / name
            link = place / name
            if found.is_dir() and not link.exists():
                link.symlink_to(found)
        _compile(work / "src")
        shutil.rmtree(target, ignore_errors=True)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _compile(sources: Path) -> None:
    os.chdir(sources)
    os.environ["MYPYPATH"] = str(sources)
    modules = sorted({str(path) for one in HOT for path in Path("drachm").glob(one)})
    modules = [one for one in modules if not one.endswith("__init__.py")]
    extensions = mypycify(["--strict", *modules], opt_level="3", target_dir="../build", multi_file=False)
    distribution = Distribution({"name": "drachm", "ext_modules": extensions})
    command = build_ext(distribution)
    command.inplace = True
    command.build_temp = "../build"
    command.ensure_finalized()
    command.run()
    shutil.rmtree("../build", ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
