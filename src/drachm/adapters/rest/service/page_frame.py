"""What do all pages of patients share? One frame: how it looks, what it may load, and the words of its language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, wraps
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from drachm.adapters.rest.service.call import Call, Handler, Reply
from drachm.adapters.rest.service.forms import PAGE
from drachm.adapters.rest.service.look import THEMES, Look, look_headers, look_of
from drachm.adapters.rest.service.speech import (
    LANGUAGES,
    Language,
    clock,
    counted,
    gap,
    gettext,
    moment_said,
    month_said,
    ngettext,
    short_day,
    speaking,
    spelled,
    spoken,
)
from drachm.adapters.rest.service.staff_words import (
    event_kind_said,
    own_words,
    state_said,
    status_said,
    step_said,
    why_said,
)
from drachm.adapters.rest.service.static_files import address
from drachm.adapters.rest.transport.problems import Header

TEMPLATES: Final = Path(__file__).parent / "templates"
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_POLICY_FIELD: Final = b"content-security-policy"


@dataclass(frozen=True, slots=True)
class Entry:
    """A way to a page, in the list that stands on every page of a patient."""

    name: str
    label: str
    """Marked for the catalogues by `N_`."""
    path: str
    icon: str
    order: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame's template needs."""

    root: str
    style: str
    language: Language
    look: Look
    chooser: Sequence[Language]
    """Empty where the page's address opens nothing a second time."""
    phone: str
    script: str = ""
    home: bool = False
    entries: Sequence[Entry] = ()

    @property
    def themes(self) -> list[dict[str, str]]:
        return [{"code": code, "label": label} for code, label in THEMES.items()]


def page(
    call: Call,
    template: str,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Sequence[Header] = (),
    choices: bool = True,
    entries: Sequence[Entry] = (),
    home: bool = False,
    script: str = "",
) -> Reply:
    """A page in the frame, in the language that is spoken (`in_its_language`)."""
    look = look_of(call)
    frame = Frame(
        root=root_of(call),
        style=address("patient.css"),
        language=spoken(),
        look=look,
        chooser=tuple(LANGUAGES.values()) if choices else (),
        phone=call.house.help_phone,
        script=address(script) if script else "",
        home=home,
        entries=entries,
    )
    html = page_templates().get_template(template).render(frame=frame, large=look.elder, **values)
    return Reply(html, status, headers=[*page_headers(bool(script)), *look_headers(call, look), *headers], media=PAGE)


def in_its_language(handler: Handler) -> Handler:
    """Let a handler of a page, and all that it calls, speak the language of its visitor."""

    @wraps(handler)
    def speaking_handler(call: Call) -> Any:
        with speaking(look_of(call).language):
            return handler(call)

    return speaking_handler


def page_headers(script: bool = False) -> list[Header]:
    """What keeps a page to whoever opened it: nothing loaded but our own, kept nowhere, told to nobody."""
    policy = f"{_POLICY}; script-src 'self'; connect-src 'self'" if script else _POLICY
    return [
        (b"cache-control", b"no-store"),
        (_POLICY_FIELD, policy.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"x-robots-tag", b"noindex, nofollow"),
    ]


def with_script(headers: Sequence[Header]) -> list[Header]:
    """The same headers of a page that may run our own scripts besides."""
    policy = dict(page_headers(script=True))[_POLICY_FIELD]
    return [(name, policy if name == _POLICY_FIELD else value) for name, value in headers]


def root_of(call: Call) -> str:
    """The path that the service is mounted at; empty at the root of its host."""
    return urlsplit(call.house.base_url).path


def origin_of(call: Call) -> str:
    """Where our own forms come from."""
    place = urlsplit(call.house.base_url)
    return f"{place.scheme}://{place.netloc}"


def sent_on(call: Call, place: str, headers: Sequence[Header] = ()) -> Reply:
    """On to another page of ours."""
    address_of = (root_of(call) + place).encode()
    return Reply("", 303, headers=[*page_headers(), (b"location", address_of), *headers], media=PAGE)


@cache
def page_templates() -> Environment:
    """Every template of the pages; what stands in them is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["day"] = lambda text: short_day(date.fromisoformat(text))
    environment.filters["own_words"] = own_words
    environment.globals.update(spelled=spelled, short_day=short_day, counted=counted, clock=clock, gap=gap)
    environment.globals.update(moment_said=moment_said, status_said=status_said, why_said=why_said, step_said=step_said)
    environment.globals.update(state_said=state_said, event_kind_said=event_kind_said, month_said=month_said)
    return environment
