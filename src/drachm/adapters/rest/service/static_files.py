"""What do pages load? Styles, fonts and scripts of our own, by a name that changes with their content.

`address("patient.css")` gives `/static/3f9c…-patient.css`. Whoever has a file under that name never asks for it again.
Nothing else is ever loaded: no other host, and no file that is not in this folder.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.forms import PAGE
from drachm.adapters.rest.transport.problems import Header

STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
}
_STYLES: Final[Mapping[str, tuple[str, ...]]] = {
    "patient.css": ("fonts.css", "base.css", "patient.css", "print.css"),
    "desk.css": ("fonts.css", "base.css", "print.css", "desk.css"),
    "slip.css": ("fonts.css", "slip.css"),
    "office.css": ("fonts.css", "base.css", "print.css", "desk.css", "office.css"),
}
"""Which files make up a style, behind the tokens."""
_THEMES: Final = (("dark", "(prefers-color-scheme: dark)"), ("contrast", "(prefers-contrast: more)"))
_FONT: Final = re.compile(r"url\(([a-z-]+\.woff2)\)")
_HEADERS: Final[list[Header]] = [
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent."""

    body: bytes
    media: str
    packed: bytes
    """The same by gzip; empty where that makes it no smaller."""


@operation("get_static_file", media=PAGE, pages={200: "The file.", 404: "No file of ours."})
def get_static_file(call: Call) -> Reply:
    """A style, font or script; the same for everybody."""
    found = _files().get(call.path["file"])
    if found is None:
        return Reply("", 404, headers=[(b"cache-control", b"no-store")], media="text/plain; charset=utf-8")
    accepts = "gzip" in call.fields.get("accept-encoding", "")
    if found.packed and accepts:
        headers = [*_HEADERS, (b"vary", b"accept-encoding"), (b"content-encoding", b"gzip")]
        return Reply(found.packed, headers=headers, media=found.media)
    headers = [*_HEADERS, (b"vary", b"accept-encoding")] if found.packed else _HEADERS
    return Reply(found.body, headers=headers, media=found.media)


@cache
def address(name: str) -> str:
    """The path of a file, from the root of the service."""
    return f"/static/{_mark(content(name))}-{name}"


@cache
def content(name: str) -> bytes:
    """What is in a file; styles are put together from their parts."""
    if name in _STYLES:
        parts = [tokens(), *((STATIC / part).read_text("utf-8") for part in _STYLES[name])]
        return _FONT.sub(_font_address, "".join(parts)).encode()
    if name.endswith(".woff2"):
        return (STATIC / "fonts" / name).read_bytes()
    return (STATIC / name).read_bytes()


def tokens() -> str:
    """Colours by name, once for each way in which a theme is chosen: by the device, or by the visitor."""
    texts = {name: (STATIC / f"tokens-{name}.css").read_text("utf-8").strip() for name in ("light", "dark", "contrast")}
    blocks = [f":root {{ {texts['light']} }}"]
    for name, query in _THEMES:
        blocks.append(f"@media {query} {{ :root:not([data-theme]) {{ {texts[name]} }} }}")
        blocks.append(f':root[data-theme="{name}"] {{ {texts[name]} }}')
    return "\n".join(blocks) + "\n"


@cache
def _files() -> Mapping[str, StaticFile]:
    names = [*_STYLES, *(path.name for path in STATIC.glob("*.js")), *(p.name for p in STATIC.glob("fonts/*.woff2"))]
    files = {}
    for name in names:
        body = content(name)
        packed = b"" if name.endswith(".woff2") else gzip.compress(body, 9, mtime=0)
        files[f"{_mark(body)}-{name}"] = StaticFile(body, _TYPES[name[name.rindex(".") :]], packed)
    return files


def _mark(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _font_address(found: re.Match[str]) -> str:
    # Beside the style itself, wherever the service is mounted.
    return f"url({address(found[1]).rpartition('/')[2]})"
