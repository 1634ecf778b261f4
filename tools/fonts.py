"""Which fonts do the pages carry? Made from npm packages of OFL fonts, cut to the letters that pages use.

    npm install --ignore-scripts (the packages of PACKAGES, in a folder)
    python tools/fonts.py FOLDER

A cut is another font in the sense of the licence, so it has a name of its own. fonttools and brotli are needed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parent.parent / "src/drachm/adapters/rest/service/static/fonts"
PACKAGES = {
    "@fontsource-variable/atkinson-hyperlegible-next": "5.3.0",
    "@fontsource-variable/figtree": "5.3.0",
    "@fontsource/atkinson-hyperlegible-mono": "5.3.0",
    "@fontsource/ibm-plex-sans-arabic": "5.3.0",
}
ARABIC = "U+060C,U+061B,U+061F,U+0621-063A,U+0640-0652,U+0660-066C,U+06A9,U+06AF,U+06CC,U+067E,U+0686,U+200C-200F,U+20"


class Cut(NamedTuple):
    """One file that pages load."""

    name: str
    source: str
    family: str
    """Empty: the font whole, under its own name."""
    letters: str = ""
    features: str = ""


CUTS = (
    Cut("words.woff2", "@fontsource-variable/atkinson-hyperlegible-next/files/"
        "atkinson-hyperlegible-next-latin-wght-normal.woff2", ""),
    Cut("words-ext.woff2", "@fontsource-variable/atkinson-hyperlegible-next/files/"
        "atkinson-hyperlegible-next-latin-ext-wght-normal.woff2", ""),
    Cut("figures.woff2", "@fontsource-variable/figtree/files/figtree-latin-wght-normal.woff2", "Drachm Figures",
        "U+30-39,U+2C,U+2E,U+24,U+A3,U+A5,U+20AC,U+2212,U+D7,U+3D,U+25", "tnum,lnum,pnum,kern"),
    Cut("codes.woff2", "@fontsource/atkinson-hyperlegible-mono/files/"
        "atkinson-hyperlegible-mono-latin-400-normal.woff2", "Drachm Codes",
        "U+30-39,U+41-5A,U+61-7A,U+2D,U+2E,U+2F,U+3A,U+5F,U+20", ""),
    Cut("arabic.woff2", "@fontsource/ibm-plex-sans-arabic/files/ibm-plex-sans-arabic-arabic-400-normal.woff2",
        "Drachm Arabic", ARABIC, "*"),
    Cut("arabic-bold.woff2", "@fontsource/ibm-plex-sans-arabic/files/"
        "ibm-plex-sans-arabic-arabic-600-normal.woff2", "Drachm Arabic", ARABIC, "*"),
)  # fmt: skip


def cut(one: Cut, modules: Path) -> None:
    """Write one file."""
    source, target = modules / one.source, HERE / one.name
    if not one.family:
        shutil.copyfile(source, target)
        return
    options = subset.Options(
        flavor="woff2", layout_features=one.features.split(","), hinting=False, notdef_outline=True
    )
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    font = TTFont(source)
    worker = subset.Subsetter(options)
    worker.populate(unicodes=subset.parse_unicodes(one.letters.replace("U+", "")))
    worker.subset(font)
    for number in (1, 3, 4, 6, 16):
        font["name"].removeNames(nameID=number)
    for number, text in ((1, one.family), (3, one.name), (4, one.family), (6, one.family.replace(" ", ""))):
        font["name"].setName(text, number, 3, 1, 0x409)
    font.flavor = "woff2"
    font.save(target)


def main(folder: Path) -> None:
    """Every file, and the licence of each package."""
    HERE.mkdir(parents=True, exist_ok=True)
    modules = folder / "node_modules"
    for one in CUTS:
        cut(one, modules)
    for package in PACKAGES:
        shutil.copyfile(modules / package / "LICENSE", HERE / f"OFL-{package.rpartition('/')[2]}.txt")
    for path in sorted(HERE.glob("*.woff2")):
        sys.stdout.write(f"{path.stat().st_size:7d} {path.name}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
