"""How is a page of a patient declared? One decorator says its route, who may see it, and its line in the list of pages.

    @patient_page("open_my_wallet", entry=Entry("wallet", N_("Wallet"), "/my/wallet", "wallet", 40))
    def open_my_wallet(seat: PatientSeat) -> Reply:
        wallets = seat.ask("list_wallets").data
        return seat.page("my_wallet.html", "wallet", wallets=wallets)

The handler runs for somebody who is signed in, in the visitor's language. What it asks it asks as that person; what is
refused becomes a page. Who came by a receipt's link sees only pages with `link=True`, and of these only their visit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from drachm.adapters.rest.identity.decide import Deny
from drachm.adapters.rest.identity.model import Relation
from drachm.adapters.rest.identity.permit import Denied, reach_on
from drachm.adapters.rest.service import browser_session, my_session
from drachm.adapters.rest.service.asking import Asker, trouble_of
from drachm.adapters.rest.service.browser_session import Session
from drachm.adapters.rest.service.call import Call, Handler, Reply, operation
from drachm.adapters.rest.service.forms import FORM_BYTES, PAGE, from_elsewhere
from drachm.adapters.rest.service.look import LOOK_QUERY
from drachm.adapters.rest.service.my_session import MY
from drachm.adapters.rest.service.page_frame import Entry, in_its_language, origin_of, page, root_of, sent_on
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.adapters.rest.transport.problems import Header
from drachm.domain.errors import DrachmError

PAGES: Final = {
    200: "The page.",
    303: "On to another page: to sign in, where nobody is.",
    403: "Not for this person, or a form that is not ours.",
    404: "Nothing that this person may see.",
}
OF_ONE_VISIT: Final = frozenset({"get_visit", "get_charge", "get_receipt", "explain_receipt", "get_party"})
"""What may be asked for somebody who came by a link; the answer must be of their visit."""
_TITLES: Final = {
    403: N_("This is not open to you"),
    404: N_("Nothing here"),
    409: N_("Something changed meanwhile"),
    422: N_("Please check what you wrote"),
    429: N_("Too many tries"),
}
_TEXTS: Final = {
    403: N_("Your sign-in does not open this page."),
    404: N_("There is nothing here that you may see. The address may be old, or not complete."),
    409: N_("Open the page again and look. We did nothing."),
    429: N_("Wait 15 minutes, then try again."),
}
_FAILED: Final = (N_("This did not go through"), N_("We did nothing. Try again in a minute."))
_ENTRIES: Final[list[tuple[Entry, str]]] = []
"""With the operation that opens it."""


@dataclass(frozen=True, slots=True)
class PatientSeat(Asker):
    """Somebody who looks at their own pages, or a relative's."""

    session: Session

    @property
    def member(self) -> str:
        """Whom the pages are about: the person itself, else the first by whom they were let in; empty for nobody."""
        caller, at = self.call.caller, self.call.at
        own = sorted(caller.tied_to(Relation.SELF, at)) or sorted(caller.tied_to(Relation.RELATIVE, at))
        asked = self.call.query.get("for", "")
        return asked if asked in self.members else next(iter(own), "")

    @property
    def members(self) -> frozenset[str]:
        """Everybody whose pages this person may see."""
        caller, at = self.call.caller, self.call.at
        return caller.tied_to(Relation.SELF, at) | caller.tied_to(Relation.RELATIVE, at)

    @property
    def own(self) -> bool:
        """Whether it is their own page: a relative sees amounts, never what the care was."""
        return self.whose_own(self.member)

    def whose_own(self, member: str) -> bool:
        """Whether these are the person's own records: only then may a page name the care."""
        return member in self.call.caller.tied_to(Relation.SELF, self.call.at)

    @property
    def visit(self) -> str:
        """The one visit of who came by a link; empty for who signed in."""
        return self.session.visit

    def ask(
        self,
        name: str,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> Any:
        """What the interface answers this person. Raises what it raises."""
        if self.visit and name not in OF_ONE_VISIT:
            raise Denied(Deny("role_missing"), self.call.operation)
        answer = Asker.ask(self, name, path, query, body, key)
        if self.visit and name != "get_party" and self._visit_of(name, answer) != self.visit:
            raise Denied(Deny("not_found"), self.call.operation)
        return answer

    def must_prove(self, micros: int, back: str) -> Reply | None:
        """The way to a fresh proof, where a payment of this size needs one; None: go on.

        `back`: the page to return to, below /my.
        """
        if abs(micros) < self.call.house.step_up_micros or my_session.fresh(self.call, self.session):
            return None
        return sent_on(self.call, f"/my/proof?{urlencode({'next': back})}")

    def here(self, moment: datetime | str) -> datetime:
        """A moment in UTC: pages show days, and times only with their zone."""
        return datetime.fromisoformat(moment) if isinstance(moment, str) else moment

    def page(
        self,
        template: str,
        tab: str,
        status: int = 200,
        *,
        trouble: Trouble | None = None,
        script: str = "page.js",
        **values: Any,
    ) -> Reply:
        """A page in the frame; `tab`: the name of its entry in the list of pages. With trouble its status is that."""
        status = trouble.status if trouble else status
        values["trouble"] = trouble
        shown = {"tab": tab, "csrf": self.session.csrf, "seat": self, "root": root_of(self.call), **values}
        # A form's answer has an address that no link opens again: nothing to choose there.
        choices = not self.call.form
        entries = [] if self.visit else [one for one, name in entries_now() if self.may(name)]
        return page(
            self.call, template, shown, status=status, choices=choices, entries=entries, home=True, script=script
        )

    def refused(self, error: DrachmError) -> Reply:
        """No, as a page."""
        status = trouble_of(error, self.call).status
        title, text = _TITLES.get(status, _FAILED[0]), _TEXTS.get(status, _FAILED[1])
        return self.page("my_trouble.html", "", status, title=gettext(title), sentences=[gettext(text)])

    def sent_on(self, place: str, headers: Sequence[Header] = ()) -> Reply:
        """On to another page of ours: the answer to every form that did something."""
        return sent_on(self.call, place, headers)

    def _visit_of(self, name: str, answer: Any) -> str:
        if name == "get_visit":
            return str(answer.id)
        if name == "explain_receipt":
            answer = Asker.ask(self, "get_receipt", {"receipt_id": answer.id})
        return str(answer.visit)


def patient_page(
    name: str,
    *,
    form: bool = False,
    form_bytes: int = FORM_BYTES,
    link: bool = False,
    query: Mapping[str, str] | None = None,
    entry: Entry | None = None,
) -> Callable[[Callable[[PatientSeat], Reply]], Handler]:
    """Declare a page: `name` is its operation in the route table and the policy table.

    `form`: it takes a form, which must be ours, of at most `form_bytes`. `link`: also for who came by a receipt's link.
    `entry`: its line in the list of pages; there it stands for whoever may see it.
    """
    if entry is not None:
        _ENTRIES.append((entry, name))

    def declare(handler: Callable[[PatientSeat], Reply]) -> Handler:
        @in_its_language
        def answer(call: Call) -> Reply:
            session = my_session.session_of(call)
            if session is None:
                headers: list[Header] = [(b"set-cookie", browser_session.without(call.house, MY).encode())]
                return sent_on(call, "/my/sign-in", headers)
            seat = PatientSeat(replace(call, caller=session.principal), session)
            if form and (
                from_elsewhere(call.fields, origin_of(call)) or not browser_session.same(call.form, session.csrf)
            ):
                return seat.page("my_trouble.html", "", 403, title=gettext(_TITLES[403]), sentences=[gettext(_FOREIGN)])
            try:
                if seat.visit and not link:
                    raise Denied(Deny("role_missing"), name)
                # Role and scope of the page's own row; whose thing it shows is asked by the calls behind it.
                reach_on(name, seat.call.caller, seat.call.at)
                return handler(seat)
            except DrachmError as error:
                return seat.refused(error)

        answer.__doc__ = handler.__doc__
        more = {409: "Not as things stand.", 422: "Something has to be mended."} if form else {}
        known = {**LOOK_QUERY, "for": "whose page: a member who let this person in", **(query or {})}
        declared = operation(name, media=PAGE, form=form, form_bytes=form_bytes, query=known, pages={**PAGES, **more})
        return declared(answer)

    return declare


_FOREIGN: Final = N_("This form was not sent by a page of yours, so nothing was done. Open the page again.")


def entries_now() -> list[tuple[Entry, str]]:
    """The list of pages in order, each with its operation."""
    return sorted(_ENTRIES, key=lambda pair: (pair[0].order, pair[0].name))


def below_my(text: str) -> str:
    """A page of ours to go back to; the first page for anything that is none."""
    safe = text.startswith("/my") and not text.startswith("/my//") and text.isascii() and text.isprintable()
    return quote(text, safe="/?=&-_.~%") if safe and "\\" not in text and ":" not in text else "/my"
