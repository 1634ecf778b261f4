"""How does a visitor want pages to look: language, size of text, theme?

Asked for by `?lang=`, `?size=`, `?theme=` on any page, kept in a cookie that says nothing else, guessed from the
browser where nothing was said (the language) or left to it (the theme).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode, urlsplit

from drachm.adapters.rest.identity.model import Environment
from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.forms import cookie
from drachm.adapters.rest.service.speech import LANGUAGES, N_, SANDBOX_ONLY, negotiated
from drachm.adapters.rest.transport.problems import Header

LOOK_QUERY: Final[Mapping[str, str]] = {
    "lang": "language of the page",
    "size": "`elder` for larger text",
    "theme": "`light`, `dark` or `contrast`",
}
THEMES: Final = {
    "": N_("As on your device"),
    "light": N_("Light"),
    "dark": N_("Dark"),
    "contrast": N_("Strong contrast"),
}
_SIZES: Final = {"": "", "normal": "", "elder": "elder", "large": "elder"}
_COOKIE: Final = "drachm_look"
_YEAR_SECONDS: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class Look:
    """What holds for one page."""

    language: str = "en"
    size: str = ""
    """Empty, or `elder`."""
    theme: str = ""
    """Empty: as the device says."""

    @property
    def elder(self) -> bool:
        return self.size == "elder"

    def query(self, **changes: str) -> str:
        """The query that asks for this look with one change."""
        return "?" + urlencode(changes)


def look_of(call: Call) -> Look:
    """The look that this call asks for, or asked for before."""
    language, size, theme = [*cookie(call.fields, _COOKIE).split("."), "", "", ""][:3]
    kept = Look(
        language if _speaks(call, language) else negotiated(call.fields.get("accept-language", "")),
        _SIZES.get(size, ""),
        theme if theme in THEMES else "",
    )
    return _changed(call, kept)


def in_language(address: str, language: str) -> str:
    """The address of a page of ours, to be opened in a language."""
    return f"{address}?{urlencode({'lang': language})}"


def look_headers(call: Call, look: Look) -> list[Header]:
    """The Set-Cookie field that keeps a look, where this call changed it."""
    given = {name for name in LOOK_QUERY if name in call.query or name in call.form}
    if not given:
        return []
    place = urlsplit(call.house.base_url)
    secure = "; Secure" if place.scheme == "https" else ""
    value = f"{look.language}.{look.size}.{look.theme}"
    path = place.path or "/"
    text = f"{_COOKIE}={value}; Path={path}; Max-Age={_YEAR_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    return [(b"set-cookie", text.encode())]


def _changed(call: Call, look: Look) -> Look:
    language, size, theme = (call.query.get(name, call.form.get(name)) for name in LOOK_QUERY)
    if language is not None and _speaks(call, language):
        look = replace(look, language=language)
    if size is not None and size in _SIZES:
        look = replace(look, size=_SIZES[size])
    if theme is not None and theme in THEMES:
        look = replace(look, theme=theme)
    return look


def _speaks(call: Call, code: str) -> bool:
    return code in LANGUAGES or (code in SANDBOX_ONLY and call.house.environment is Environment.SANDBOX)
