"""What does a browser see behind a signed link?

The link alone shows the clinic's initials, the day and the amounts. Who also gives the second answer sees what the care
was and why it costs that much, for a quarter of an hour. Whatever goes wrong here is a page too, and never says whether
a link that does not open was ever good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.links import OPENED_FOR, Link
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service import my_session
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.forms import PAGE, cookie, from_elsewhere
from drachm.adapters.rest.service.journal_reading import visit_name
from drachm.adapters.rest.service.links import question_of
from drachm.adapters.rest.service.look import LOOK_QUERY
from drachm.adapters.rest.service.my_passkeys import opens_for, somebody_has_one
from drachm.adapters.rest.service.page_frame import (
    in_its_language,
    origin_of,
    page,
    page_headers,
    sent_on,
    with_script,
)
from drachm.adapters.rest.service.page_view import receipt_view
from drachm.adapters.rest.service.passkey_proof import FORM_BYTES, question_for
from drachm.adapters.rest.service.shared_receipts import SharedReceipt, shared_receipt
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.service.static_files import address
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.adapters.rest.transport.problems import Header
from drachm.domain.errors import DrachmError

COOKIE: Final = "drachm_opened"
LOCKED_SECONDS: Final = 900

_PAGES: Final = {
    200: "The page.",
    404: "Nothing opens here: the link is not complete, or not one of ours.",
    410: "The link opened a page once, and does no more.",
}
_CLOSED: Final = {
    404: (
        N_("This link does not open"),
        [N_("It is not complete, or it was changed on its way.")],
        [N_("Open it again exactly as it was sent to you. If you typed it, check every letter."),
         N_("If it still does not open, ask the clinic to send you a new link.")],
    ),
    410: (
        N_("This link has ended"),
        [N_("Links open a receipt for some time only, and the clinic can end them earlier.")],
        [N_("Ask the clinic to send you a new link. Your receipt is not lost.")],
    ),
    403: (
        N_("We did not take this answer"),
        [N_("It was sent from another page than ours.")],
        [N_("Open your link again, and answer there.")],
    ),
}  # fmt: skip
_ENDED: Final = {status: _PAGES[status] for status in (404, 410)} | {403: "The question comes first."}


@dataclass(frozen=True, slots=True)
class _Opened:
    """A link that opens something."""

    call: Call
    link: Link
    shared: SharedReceipt
    action: str
    """Where the answer goes; relative, so that no address of another host can stand on the page."""


@operation("open_receipt_page", media=PAGE, query=LOOK_QUERY, pages=_PAGES)
@in_its_language
def open_receipt_page(call: Call) -> Reply:
    """Amounts for whoever holds the link; services too where this browser gave the second answer."""
    return _with_link(call, f"{call.path['token']}/second-factor", _page)


@operation("open_receipt_services", media=PAGE, query=LOOK_QUERY, pages={**_PAGES, 403: "The question comes first."})
@in_its_language
def open_receipt_services(call: Call) -> Reply:
    """The whole receipt, after the second answer; before it, the question."""

    def show(opened: _Opened) -> Reply:
        try:
            opened.call.permit(opened.call.resource(opened.link.receipt))
        except Denied:
            return _page(opened, status=403)
        return _page(opened)

    return _with_link(call, "second-factor", show)


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
@in_its_language
def give_second_factor(call: Call) -> Reply:
    """Take one answer. The right one opens the services to this browser, by a cookie of this page alone."""
    if from_elsewhere(call.fields, origin_of(call)):
        return _closed(call, 403)
    return _with_link(call, "second-factor", _answered)


@operation(
    "open_with_passkey",
    media=PAGE,
    form=True,
    form_bytes=FORM_BYTES,
    pages={
        303: "It is the patient's own passkey: the page with the services.",
        403: "It is not, or came from another page.",
        **{status: _PAGES[status] for status in (404, 410)},
    },
)
@in_its_language
def open_with_passkey(call: Call) -> Reply:
    """Take a passkey of the patient as the second answer."""
    if from_elsewhere(call.fields, origin_of(call)):
        return _closed(call, 403)

    def answered(opened: _Opened) -> Reply:
        link, member = opened.link, opened.shared.receipt.member
        try:
            opens_for(opened.call, _asker(link), link.tenant, member)
        except (DrachmError, ValueError):
            title, text = gettext("This passkey does not open it"), gettext("Answer the question below instead.")
            return _page(opened, status=403, trouble=Trouble(title, text))
        return _opened_now(opened)

    return _with_link(call, "second-factor", answered)


@operation("open_visit_of_link", media=PAGE, form=True, pages={303: "On to the visit.", **_ENDED})
@in_its_language
def open_visit_of_link(call: Call) -> Reply:
    """On to the whole visit of the receipt, for whoever gave the second answer: a session for this visit alone."""
    if from_elsewhere(call.fields, origin_of(call)):
        return _closed(call, 403)

    def enter(opened: _Opened) -> Reply:
        try:
            opened.call.permit(opened.call.resource(opened.link.receipt))
        except Denied:
            return _page(opened, status=403)
        begun = my_session.opened_by_link(opened.call, opened.link, opened.shared)
        visit = visit_name(opened.shared.row.visit) if opened.shared.row else ""
        return sent_on(call, f"/my/visits/{visit}", [(b"set-cookie", begun.encode())])

    return _with_link(call, "second-factor", enter)


def _with_link(call: Call, action: str, show: Callable[[_Opened], Reply]) -> Reply:
    """Read the link, look whether it may open what it names, and show that; or a page that says it does not open."""
    links, token = call.house.links, call.path["token"]
    try:
        link = links.read(token, call.at)
        holder = links.open(token, call.at, cookie(call.fields, COOKIE))
    except Unauthenticated as error:
        return _closed(call, 404 if error.code == "link_invalid" else 410)
    held = replace(call, caller=holder)
    # That this is the page of a link is checked for the page as for any call; services are asked for again.
    replace(held, operation="open_receipt_page").permit(held.resource(link.receipt))
    shared = shared_receipt(held.market, link.receipt)
    if shared is None:
        return _closed(call, 410)
    return show(_Opened(held, link, shared, action))


def _answered(opened: _Opened) -> Reply:
    call, link = opened.call, opened.link
    question = question_of(call, link.receipt)
    answer, field = given_answer(call.form, question)
    if not answer:
        date_asked = question == "birth_date"
        what = gettext("Write the day, the month and the year in digits.") if date_asked else gettext("Write the code.")
        return _page(opened, status=422, trouble=Trouble(gettext("We need an answer"), what, field))
    try:
        call.house.second_factor.check(link, answer, call.at)
    except Unauthenticated as error:
        if error.code == "second_factor_locked":
            return _page(opened, status=429, locked=True)
        trouble = Trouble(gettext("This answer does not open it"), gettext("Check the answer, and try again."), field)
        return _page(opened, status=403, trouble=trouble)
    return _opened_now(opened)


def _opened_now(opened: _Opened) -> Reply:
    """On to the services, which this browser may see from now on for a while."""
    call, link = opened.call, opened.link
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
    asking = not named and not locked and somebody_has_one(call, opened.link.tenant, opened.shared.receipt.member)
    options, asked = question_for(call, _asker(opened.link)) if asking else ("", "")
    values = {
        "options": options,
        "asked": asked,
        "passkey": opened.action.removesuffix("second-factor") + "passkey",
        "passkeys": address("passkeys.js") if options else "",
        "view": receipt_view(opened.shared, named=named, until=opened.link.expires_at),
        "question": "none" if named else question_of(call, opened.link.receipt),
        "action": opened.action,
        "enter": opened.action.removesuffix("second-factor") + "visit",
        "trouble": trouble,
        "locked": locked,
    }
    wait: list[Header] = [(b"retry-after", b"%d" % LOCKED_SECONDS)] if locked else []
    # The answer to a form has no address of its own that a link could open again.
    choices = call.operation not in ("give_second_factor", "open_with_passkey")
    reply = page(call, "receipt.html", values, status=status, headers=wait, choices=choices)
    return replace(reply, headers=with_script(reply.headers)) if options else reply


def _asker(link: Link) -> str:
    """By whom the answer of a passkey must be brought back."""
    return f"link\0{link.tenant}\0{link.receipt}\0{link.version}"


def _closed(call: Call, status: int) -> Reply:
    title, sentences, now = _CLOSED[status]
    values = {"title": gettext(title), "sentences": map(gettext, sentences), "now": map(gettext, now)}
    return page(call, "closed.html", values, status=status, choices=False)


def given_answer(form: Any, question: str) -> tuple[str, str]:
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
