"""How does somebody without a telephone see their visit? At a screen in the hall, by the code of a slip and one answer.

Nothing stays behind: the page is kept nowhere, its cookie names a receipt for less than two minutes, and whoever walks
away is asked after a minute and forgotten twenty seconds later. All without scripts: the pages go on by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.links import Link
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.forms import PAGE, cookie, from_elsewhere
from drachm.adapters.rest.service.links import LinkOrder, links_of, made_link
from drachm.adapters.rest.service.look import LOOK_QUERY
from drachm.adapters.rest.service.page import given_answer
from drachm.adapters.rest.service.page_frame import in_its_language, origin_of, page, root_of, sent_on
from drachm.adapters.rest.service.shared_receipts import shared_receipt
from drachm.adapters.rest.service.speech import gettext
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.adapters.rest.service.visit_told import VisitTold, visit_told
from drachm.adapters.rest.transport.problems import Header, Problem
from drachm.application.receipt_codes import LINK_LETTERS, Coded, find_code
from drachm.domain.errors import Forbidden
from drachm.domain.messages.codes import read_code

IDLE_SECONDS: Final = 60
STILL_SECONDS: Final = 20
_TENANT_MAX: Final = 20
_COOKIE: Final = "drachm_kiosk"
_LONGEST: Final = timedelta(seconds=IDLE_SECONDS + STILL_SECONDS + 10)
_QUERY: Final = {**LOOK_QUERY, "at": "Which operator's kiosk it is."}
_PAGES: Final = {200: "The page.", 303: "On to a blank page: nobody is here any more."}


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the cookie of a visit names."""

    tenant: str
    receipt: str
    version: int


@operation("open_kiosk", media=PAGE, query=_QUERY, pages=_PAGES)
@in_its_language
def open_kiosk(call: Call) -> Reply:
    """A blank page that asks for the code of a slip and one answer; whatever was here before is gone."""
    return _asking(call, call.query.get("at", ""))


@operation(
    "show_at_kiosk",
    media=PAGE,
    form=True,
    pages={303: "The visit.", 403: "It does not open, or came from another page.", 422: "Something is missing."},
)
@in_its_language
def show_at_kiosk(call: Call) -> Reply:
    """Take code and answer; the right ones open the visit to this screen for a minute."""
    at = call.form.get("at", "")
    if from_elsewhere(call.fields, origin_of(call)):
        return _asking(call, at, 403)
    code = read_code(call.form.get("code", ""))
    answer, field = given_answer(call.form, "birth_date")
    if not code or not answer:
        text = gettext("Write the eight signs of the code, and your date of birth.")
        return _asking(call, at, 422, Trouble(gettext("Something is missing"), text, field if code else "code"))
    coded = _opened(call, at, code, answer)
    if coded is None:
        # The same words whatever was wrong: nobody learns here which codes there are.
        text = gettext("Check code and date, or ask at the window. Nothing is lost.")
        return _asking(call, at, 403, Trouble(gettext("This does not open"), text, "code"))
    kept = _Kept(at, coded.receipt, coded.version)
    return sent_on(call, _place("/kiosk/visit", at), [_keep(call, kept)])


@operation("show_kiosk_visit", media=PAGE, query=_QUERY, pages=_PAGES)
@in_its_language
def show_kiosk_visit(call: Call) -> Reply:
    """The visit, for a minute."""
    kept, at = _kept(call), call.query.get("at", "")
    told = _told(call, kept) if kept is not None and kept.tenant == at else None
    if kept is None or told is None:
        return _gone(call, at)
    values = {"at": at, "told": told, "idle": IDLE_SECONDS, "root": root_of(call)}
    headers = [_keep(call, kept), _later(call, IDLE_SECONDS, "/kiosk/still", at)]
    return page(call, "kiosk_visit.html", values, headers=headers, choices=False)


@operation("ask_at_kiosk", media=PAGE, query=_QUERY, pages=_PAGES)
@in_its_language
def ask_at_kiosk(call: Call) -> Reply:
    """Whether somebody is still here; after twenty seconds without an answer, nobody is."""
    kept, at = _kept(call), call.query.get("at", "")
    if kept is None or kept.tenant != at:
        return _gone(call, at)
    values = {"at": at, "still": STILL_SECONDS, "root": root_of(call)}
    return page(
        call, "kiosk_still.html", values, headers=[_later(call, STILL_SECONDS, "/kiosk/end", at)], choices=False
    )


@operation("end_at_kiosk", media=PAGE, query=_QUERY, pages=_PAGES)
def end_at_kiosk(call: Call) -> Reply:
    """Forget everything, and begin with a blank page."""
    return _gone(call, call.query.get("at", ""))


@operation("open_short_link", media=PAGE, pages={303: "On to the receipt's page, which says whether it opens."})
def open_short_link(call: Call) -> Reply:
    """The link of a text message: on to the same page that a signed link opens."""
    tenant, _, text = call.path["code"].partition("-")
    coded, at = _found(call, tenant, read_code(text, LINK_LETTERS)), call.at
    if coded is None:
        return sent_on(call, "/r/nothing")
    token, _ = call.house.links.create(tenant, coded.receipt, coded.until - at, at)
    held = replace(call, caller=call.house.links.open(token, at))
    shared = shared_receipt(held.market, coded.receipt)
    if shared is not None and not links_of(held, coded.receipt):
        # Nobody agreed on the second question yet: the birth date, where it is known.
        made_link(held, shared, LinkOrder(hours=max(1, (coded.until - at) // timedelta(hours=1))))
    return sent_on(call, f"/r/{token}")


def _opened(call: Call, tenant: str, code: str, answer: str) -> Coded | None:
    coded = _found(call, tenant, code)
    if coded is None or coded.question != "birth_date":
        return None
    try:
        link = Link(tenant, coded.receipt, coded.version, coded.until)
        call.house.second_factor.check(link, answer, call.at)
    except Unauthenticated:
        return None
    return coded


def _found(call: Call, tenant: str, code: str) -> Coded | None:
    """What a code of this tenant stands for, if its links were not withdrawn meanwhile."""
    try:
        coded = find_code(call.house.market(tenant).records, code, call.at)
    except Forbidden:
        return None
    if coded is None or coded.version < call.house.links.version(tenant, coded.receipt):
        return None
    return coded


def _told(call: Call, kept: _Kept) -> VisitTold | None:
    if kept.version < call.house.links.version(kept.tenant, kept.receipt):
        return None
    return visit_told(call.house.market(kept.tenant), kept.receipt)


def _asking(call: Call, at: str, status: int = 200, trouble: Trouble | None = None) -> Reply:
    values: dict[str, Any] = {"at": at, "trouble": trouble, "root": root_of(call)}
    return page(call, "kiosk.html", values, status=status, headers=[_forget(call)], choices=not call.form)


def _gone(call: Call, at: str) -> Reply:
    headers = [_forget(call), (b"clear-site-data", b'"cache", "cookies", "storage"')]
    return sent_on(call, _place("/kiosk", at), headers)


def _place(path: str, at: str) -> str:
    return f"{path}?at={quote(at[:_TENANT_MAX], safe='')}&size=elder"


def _later(call: Call, seconds: int, path: str, at: str) -> Header:
    """The page goes on by itself, also without scripts."""
    return (b"refresh", f"{seconds}; url={root_of(call)}{_place(path, at)}".encode())


def _kept(call: Call) -> _Kept | None:
    try:
        text = cookie(call.fields, _COOKIE)
        tenant, receipt, version, until = call.house.cursors.read(text, caller=_COOKIE, route=_COOKIE, filters={})
    except (Problem, ValueError):
        return None
    if call.at.timestamp() >= int(until):
        return None
    return _Kept(str(tenant), str(receipt), int(version))


def _keep(call: Call, kept: _Kept) -> Header:
    until = int((call.at + _LONGEST).timestamp())
    place: list[str | int] = [kept.tenant, kept.receipt, kept.version, until]
    word = call.house.cursors.write(place, caller=_COOKIE, route=_COOKIE, filters={})
    return _set(call, word, int(_LONGEST.total_seconds()))


def _forget(call: Call) -> Header:
    return _set(call, "", 0)


def _set(call: Call, value: str, seconds: int) -> Header:
    place = urlsplit(call.house.base_url)
    secure = "; Secure" if place.scheme == "https" else ""
    text = f"{_COOKIE}={value}; Path={place.path}/kiosk; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    return (b"set-cookie", text.encode())
