"""What do all pages of the desk share? A session, forms that are ours, and the interface's own calls behind them.

A page knows nothing that the interface would not tell: it asks the same operations with the session's person as caller
(`Seat.ask`), and is itself a route with a row in the policy table. Whatever is refused is a page too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from drachm.adapters.rest.identity.model import Principal, Role
from drachm.adapters.rest.service import desk_session
from drachm.adapters.rest.service.asking import Asker, Spoken, trouble_of
from drachm.adapters.rest.service.call import Call, Handler, Reply, operation
from drachm.adapters.rest.service.desk_session import Session
from drachm.adapters.rest.service.forms import FORM_BYTES, PAGE, from_elsewhere, key_of
from drachm.adapters.rest.service.look import LOOK_QUERY, look_headers, look_of
from drachm.adapters.rest.service.page_frame import (
    in_its_language,
    origin_of,
    page_headers,
    page_templates,
    root_of,
    sent_on,
)
from drachm.adapters.rest.service.page_words import listed
from drachm.adapters.rest.service.speech import LANGUAGES, N_, Language, gettext, spoken
from drachm.adapters.rest.service.static_files import address
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.adapters.rest.transport.problems import Header
from drachm.application.emergencies import holding, saw
from drachm.domain.coverage.emergency import Emergency
from drachm.domain.coverage.model import Party
from drachm.domain.errors import DrachmError
from drachm.domain.money import CURRENCIES, MAX_AMOUNT, exponent, micros

PAGES: Final = {
    200: "The page.",
    303: "On to another page: to sign in, where nobody is.",
    403: "Not for this person, or a form that is not ours.",
    404: "Nothing that this person may see.",
}
WAYS: Final = (
    ("today", "/desk", N_("Today"), "open_desk"),
    ("work", "/desk/work", N_("Work list"), "open_desk_work"),
    ("questions", "/desk/questions", N_("Questions"), "open_desk_questions"),
    ("refunds", "/desk/refunds", N_("Refunds"), "open_desk_refunds"),
    ("prices", "/desk/prices", N_("Prices"), "open_desk_price_books"),
    ("plans", "/desk/plans", N_("Plans"), "open_desk_plans"),
    ("reviews", "/desk/reviews", N_("Reviews"), "open_desk_reviews"),
    ("window", "/desk/window", N_("Cash desk"), "open_desk_window"),
    ("help", "/desk/help", N_("Help by code"), "open_desk_help"),
    ("erasures", "/desk/erasures", N_("Erasing"), "open_desk_erasures"),
    ("office", "/desk/office", N_("Office"), "open_office"),
)
"""Ways on every page: (tab, path, words, the call that must be open to the person). Who signs in begins at the first
that is."""
_AMOUNT: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,6})?", re.ASCII)
_ROLES: Final = {
    "clerk": N_("Clerk"),
    "finance": N_("Finance"),
    "price_editor": N_("Prices and plans"),
    "auditor": N_("Auditor"),
    "operator": N_("Operator"),
}
_TITLES: Final = {403: N_("This is not open to you"), 404: N_("Nothing here")}
LANG_QUERY: Final = {"lang": LOOK_QUERY["lang"]}
"""What every page of the desk is asked besides its own query."""


@dataclass(frozen=True, slots=True)
class Seat(Asker):
    """Somebody at the desk who asked for a page."""

    session: Session
    parties: Sequence[Party]
    """Those whom the person acts for, as the directory shows them."""
    emergency: Emergency | None = None
    """The wider reach that the person has taken for a while."""

    @property
    def widened(self) -> Seat:
        """The same person, looking with the emergency's reach; the same as before without one."""
        if self.emergency is None:
            return self
        caller = replace(self.call.caller, roles=self.call.caller.roles | {Role.AUDITOR})
        return replace(self, call=replace(self.call, caller=caller))

    @property
    def zone(self) -> tzinfo:
        """Where the clock on the clinic's wall hangs; UTC where several clinics, or none, are meant."""
        zones = {party.zone for party in self.parties}
        try:
            return ZoneInfo(zones.pop() or "UTC") if len(zones) == 1 else ZoneInfo("UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def here(self, moment: datetime | str) -> datetime:
        """A moment by the clinic's clock."""
        return (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).astimezone(self.zone)

    def matching(self, tag: str | None) -> Seat:
        """The same person, who has read a version of a thing (If-Match)."""
        return replace(self, call=replace(self.call, if_match=tag))

    @property
    def unwidened(self) -> Seat:
        """The same person without the emergency's reach: what the frame leads to is their own."""
        return replace(self, call=replace(self.call, caller=self.session.principal))

    @property
    def ways(self) -> list[tuple[str, str, str]]:
        """(tab, path, words) of the pages that are open to the person."""
        own = self.unwidened
        return [(tab, path, gettext(words)) for tab, path, words, call in WAYS if own.may(call)]

    def page(self, template: str, *, trouble: Trouble | None = None, **values: Any) -> Reply:
        """A page of the desk, with the status of what was not done, if anything."""
        body, caller, own = self.session.record.body, self.call.caller, self.unwidened
        shown = {
            "who": body["name"],
            "role": listed([gettext(_ROLES[word]) for word in body["roles"] if word in _ROLES]),
            "place": _placed([party.name or party.id for party in self.parties]),
            "csrf": self.session.csrf,
            "can_search": own.may("search_desk"),
            "ways": self.ways,
            "emergency": self.emergency,
            "emergency_until": self.here(self.emergency.until) if self.emergency else None,
            "can_emergency": own.may("take_desk_emergency"),
            "can_messages": own.may("open_desk_messages"),
            "can_passkey": own.may("add_desk_passkey"),
            "script": address("desk.js"),
            "now": self.here(self.call.at),
            "zone": str(self.zone),
            "caller": caller,
        }
        html = render(self.call, template, **{**shown, "trouble": trouble, **values})
        status = trouble.status if trouble else 200
        headers = [*page_headers(script=True), *look_headers(self.call, look_of(self.call))]
        return Reply(html, status, headers=headers, media=PAGE)

    def refused(self, error: DrachmError) -> Reply:
        """No, as a page."""
        trouble = trouble_of(error, self.call)
        title = gettext(_TITLES[trouble.status]) if trouble.status in _TITLES else trouble.title
        return self.page("desk_trouble.html", trouble=replace(trouble, title=title), tab="")


def desk(
    name: str, *, form: bool = False, form_bytes: int = FORM_BYTES, query: Mapping[str, str] | None = None
) -> Callable[..., Any]:
    """Declare a page of the desk: `handler(seat)`. Who is not signed in is sent to the door; so is a form of theirs."""

    def declare(handler: Callable[[Seat], Reply]) -> Handler:
        @in_its_language
        def answer(call: Call) -> Reply:
            session = desk_session.session_of(call)
            if session is None:
                headers: list[Header] = [(b"set-cookie", desk_session.without(call.house).encode())]
                return sent_on(call, "/desk/sign-in", headers)
            seat = _seated(replace(call, caller=session.principal), session)
            if form and (
                from_elsewhere(call.fields, origin_of(call)) or not desk_session.same(call.form, session.csrf)
            ):
                return seat.page("desk_trouble.html", trouble=_foreign(), tab="")
            try:
                return handler(_watched(seat, name))
            except DrachmError as error:
                return seat.refused(error)

        answer.__doc__ = handler.__doc__
        known = {**LANG_QUERY, **(query or {})}
        more = {409: "Not as things stand.", 422: "Something has to be mended."} if form else {}
        return operation(name, media=PAGE, form=form, form_bytes=form_bytes, query=known, pages={**PAGES, **more})(
            answer
        )

    return declare


WIDE: Final = frozenset({"open_desk_charge", "open_desk_event"})
"""Pages that emergency access opens; each time is written down before anything is shown."""


def _seated(call: Call, session: Session) -> Seat:
    taken = str(session.record.body.get("emergency", ""))
    ids = call.caller.parties
    # Asked once for the page: every moment on it is told by their clock.
    parties = call.market.register.parties(ids=ids, limit=len(ids)) if ids else []
    emergency = holding(taken, call.caller.subject, call.at, call.market.records) if taken else None
    return Seat(call, session, parties, emergency)


def _watched(seat: Seat, name: str) -> Seat:
    if seat.emergency is None or name not in WIDE:
        return seat
    saw(seat.emergency, seat.call.new_id("sgt"), name, seat.call.path, seat.call.at, seat.call.market.records)
    return seat.widened


def _foreign() -> Trouble:
    return Trouble(
        gettext(_TITLES[403]),
        gettext("This form was not sent by a page of this session, so nothing was done."),
        next_step=gettext("Open the page again and send the form from there."),
        status=403,
    )


def home_of(call: Call, principal: Principal) -> str:
    """Where the person's desk begins: the first page that is open to them."""
    staff = Asker(replace(call, caller=replace(principal, roles=principal.roles & desk_session.STAFF)))
    return next((path for _, path, _, name in WAYS if staff.may(name)), "/desk")


def named(subject: str | None) -> str:
    """Somebody's name at the issuer who vouches for it; empty where nobody did it."""
    return (subject or "").rpartition("|")[2]


def unreadable(text: str, field: str = "") -> Spoken:
    """Something in a form that has to be mended, in words of ours, in the language that is spoken."""
    return Spoken(text, where=f"$.{field}" if field else "", next_step=gettext("Mend it and send the form again."))


def key_needed(form: Mapping[str, str]) -> str:
    """The key that a page gave its form, without which a form that is sent twice would be two."""
    key = key_of(form)
    if not key:
        raise unreadable(gettext("This form is not whole. Open the page again."))
    return key


def typed_money(
    form: Mapping[str, str], field: str, currency: str, most: str = N_("This amount is too large.")
) -> dict[str, Any]:
    """An amount that somebody typed into a field, exact; a comma is not guessed at."""
    text = form.get(field, "").strip()
    if currency not in CURRENCIES:
        raise unreadable(gettext("A currency has three letters, such as USD."), "currency")
    if not _AMOUNT.fullmatch(text):
        words = gettext("Write the amount in digits with a point, such as {example}.")
        raise unreadable(words.format(example="12.50" if exponent(currency) else "1250"), field)
    size = micros(text)
    if size > MAX_AMOUNT:
        raise unreadable(gettext(most), field)
    return {"micros": size, "currency": currency}


def render(call: Call, template: str, **values: Any) -> str:
    """A template with what every page of the desk needs."""
    shown = {
        "root": root_of(call),
        "style": address("desk.css"),
        "language": spoken(),
        "chooser": _chooser(call),
        **values,
    }
    return page_templates().get_template(template).render(**shown)


def _placed(names: Sequence[str]) -> Markup:
    """Names of parties in one row, each in its own direction."""
    if not names:
        return Markup.escape(gettext("All parties"))
    return Markup(listed([str(Markup("<bdi>{}</bdi>").format(name)) for name in names]))


def _chooser(call: Call) -> list[tuple[Language, str]]:
    """The languages, each with the query that opens this page in it; none where no link opens the page again."""
    if not call.operation.startswith("open_"):
        return []
    return [(one, f"?{urlencode({**call.query, 'lang': one.code})}") for one in LANGUAGES.values()]
