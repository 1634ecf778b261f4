"""What does a browser see behind a signed link?

The link alone shows the clinic's initials, the day and the amounts. Who also gives the second answer sees what the care
was and why it costs that much, for a quarter of an hour. Whatever goes wrong here is a page too, and never says whether
a link that does not open was ever good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.links import OPENED_FOR, Link
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.forms import PAGE, cookie, from_elsewhere
from drachm.adapters.rest.service.links import question_of
from drachm.adapters.rest.service.page_view import receipt_view
from drachm.adapters.rest.service.shared_receipts import SharedReceipt, shared_receipt
from drachm.adapters.rest.transport.problems import Header

COOKIE: Final = "drachm_opened"
TEMPLATES: Final = Path(__file__).parent / "templates"
STYLE_SECONDS: Final = 86_400
LOCKED_SECONDS: Final = 900

_PAGES: Final = {
    200: "The page.",
    404: "Nothing opens here: the link is not complete, or not one of ours.",
    410: "The link opened a page once, and does no more.",
}
_CLOSED: Final = {
    404: (
        "This link does not open",
        ["It is not complete, or it was changed on its way."],
        ["Open it again exactly as it was sent to you. If you typed it, check every letter.",
         "If it still does not open, ask the clinic to send you a new link."],
    ),
    410: (
        "This link has ended",
        ["Links open a receipt for some time only, and the clinic can end them earlier."],
        ["Ask the clinic to send you a new link. Your receipt is not lost."],
    ),
    403: (
        "We did not take this answer",
        ["It was sent from another page than ours."],
        ["Open your link again, and answer there."],
    ),
}  # fmt: skip
_QUERY: Final = {"size": "`large` for larger text"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was wrong with an answer."""

    title: str
    text: str
    field: str = ""
    """Id of the field to mend."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A link that opens something."""

    call: Call
    link: Link
    shared: SharedReceipt
    up: str
    """From this page's address to /r/."""
    action: str


@operation("open_receipt_page", media=PAGE, query=_QUERY, pages=_PAGES)
def open_receipt_page(call: Call) -> Reply:
    """Amounts for whoever holds the link; services too where this browser gave the second answer."""
    # Relative to /r/{token}, so that no address of another host or path can stand on the page.
    return _with_link(call, "", f"{call.path['token']}/second-factor", _page)


@operation("open_receipt_services", media=PAGE, query=_QUERY, pages={**_PAGES, 403: "The question comes first."})
def open_receipt_services(call: Call) -> Reply:
    """The whole receipt, after the second answer; before it, the question."""

    def show(opened: _Opened) -> Reply:
        try:
            opened.call.permit(opened.call.resource(opened.link.receipt))
        except Denied:
            return _page(opened, status=403)
        return _page(opened)

    return _with_link(call, "../", "second-factor", show)


@operation(
    "give_second_factor",
    media=PAGE,
    form=True,
    pages={
        303: "The answer is right: the page with the services.",
        403: "The answer is wrong, or came from another page.",
        **{status: _PAGES[status] for status in (404, 410)},
        422: "No answer was given; nothing was counted.",
        429: "Too many wrong answers.",
    },
)
def give_second_factor(call: Call) -> Reply:
    """Take one answer. The right one opens the services to this browser, by a cookie of this page alone."""
    if from_elsewhere(call.fields, _origin(call)):
        return _closed(403, "../")
    return _with_link(call, "../", "second-factor", _answered)


@operation("get_page_style", media=PAGE, query={"v": "which version the page was made for"}, pages={200: "CSS."})
def get_page_style(call: Call) -> Reply:
    """The one thing that pages load; the same for everybody."""
    headers: list[Header] = [(b"cache-control", b"public, max-age=%d" % STYLE_SECONDS)]
    return Reply(page_style(), headers=headers, media="text/css; charset=utf-8")


def _with_link(call: Call, up: str, action: str, show: Callable[[_Opened], Reply]) -> Reply:
    """Read the link, look whether it may open what it names, and show that; or a page that says it does not open."""
    links, token = call.house.links, call.path["token"]
    try:
        link = links.read(token, call.at)
        holder = links.open(token, call.at, cookie(call.fields, COOKIE))
    except Unauthenticated as error:
        return _closed(404 if error.code == "link_invalid" else 410, up)
    held = replace(call, caller=holder)
    # That this is the page of a link is checked for the page as for any call; services are asked for again.
    replace(held, operation="open_receipt_page").permit(held.resource(link.receipt))
    shared = shared_receipt(held.market, link.receipt)
    if shared is None:
        return _closed(410, up)
    return show(_Opened(held, link, shared, up, action))


def _answered(opened: _Opened) -> Reply:
    call, link = opened.call, opened.link
    question = question_of(call, link.receipt)
    answer, field = _given(call.form, question)
    if not answer:
        what = "Write the day, the month and the year in digits." if question == "birth_date" else "Write the code."
        return _page(opened, status=422, trouble=Trouble("We need an answer", what, field))
    try:
        call.house.second_factor.check(link, answer, call.at)
    except Unauthenticated as error:
        if error.code == "second_factor_locked":
            return _page(opened, status=429, locked=True)
        trouble = Trouble("This answer does not open it", "Check the answer, and try again.", field)
        return _page(opened, status=403, trouble=trouble)
    word = call.house.links.opened_services(link, call.at)
    place = urlsplit(call.house.base_url)
    secure = "; Secure" if place.scheme == "https" else ""
    kept = (
        f"{COOKIE}={word}; Path={place.path}/r/{call.path['token']}; Max-Age={int(OPENED_FOR.total_seconds())}; "
        f"HttpOnly; SameSite=Strict{secure}"
    )
    next_page = b"services?size=large" if call.form.get("size") == "large" else b"services"
    headers = [*page_headers(), (b"location", next_page), (b"set-cookie", kept.encode())]
    return Reply("", 303, headers=headers, media=PAGE)


def _page(opened: _Opened, status: int = 200, trouble: Trouble | None = None, locked: bool = False) -> Reply:
    call = opened.call
    named = call.caller.second_factor
    html = _render(
        "receipt.html",
        up=opened.up,
        view=receipt_view(opened.shared, named=named, until=opened.link.expires_at),
        question="none" if named else question_of(call, opened.link.receipt),
        action=opened.action,
        trouble=trouble,
        locked=locked,
        # The answer to a form has no address of its own that a link could open again.
        sizes=call.operation != "give_second_factor",
        large="large" in (call.query.get("size"), call.form.get("size")),
    )
    wait: list[Header] = [(b"retry-after", b"%d" % LOCKED_SECONDS)] if locked else []
    return Reply(html, status, headers=[*page_headers(), *wait], media=PAGE)


def _closed(status: int, up: str) -> Reply:
    title, sentences, now = _CLOSED[status]
    html = _render("closed.html", up=up, title=title, sentences=sentences, now=now, sizes=False, large=False)
    return Reply(html, status, headers=page_headers(), media=PAGE)


def _given(form: Any, question: str) -> tuple[str, str]:
    """(answer in the form it was agreed in, id of the field to mend); the answer is empty when it can be none."""
    if question != "birth_date":
        return form.get("answer", "").strip(), "answer-code"
    texts = [form.get(name, "").strip() for name in ("day", "month", "year")]
    # What is no number at all is shown at the first field that is wrong; digits of every script are digits.
    for name, text in zip(("day", "month", "year"), texts, strict=True):
        if not text.isdecimal() or len(text) > 4:
            return "", name
    day, month, year = map(int, texts)
    try:
        return date(year, month, day).isoformat(), "day"
    except ValueError:
        return "", "day"


def _origin(call: Call) -> str:
    place = urlsplit(call.house.base_url)
    return f"{place.scheme}://{place.netloc}"


def page_headers() -> list[Header]:
    """What keeps a page to whoever opened it: nothing loaded but our style, kept nowhere, told to nobody."""
    return [
        (b"cache-control", b"no-store"),
        (b"content-security-policy", b"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
         b"frame-ancestors 'none'"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"x-robots-tag", b"noindex, nofollow"),
    ]  # fmt: skip


def _render(template: str, *, lang: str = "en", dir: str = "ltr", **values: Any) -> str:
    style = hashlib.sha256(page_style()).hexdigest()[:12]
    return page_templates().get_template(template).render(lang=lang, dir=dir, style=style, **values)


@cache
def page_templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def page_style() -> bytes:
    return (TEMPLATES / "page.css").read_bytes()
