"""How do patients and relatives come to their pages, prove themselves again, and leave?

By their account at a provider, in a sandbox by a token, or from the page of a receipt whose second question they
answered. Leaving ends the session and shows a page that says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.links import Link
from drachm.adapters.rest.identity.model import Principal
from drachm.adapters.rest.service import browser_session, my_session
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.forms import PAGE, from_elsewhere
from drachm.adapters.rest.service.links import question_of
from drachm.adapters.rest.service.look import LOOK_QUERY
from drachm.adapters.rest.service.my_frame import PatientSeat, below_my, patient_page
from drachm.adapters.rest.service.my_passkeys import asked_of, renewed
from drachm.adapters.rest.service.my_session import MY
from drachm.adapters.rest.service.page import given_answer
from drachm.adapters.rest.service.page_frame import in_its_language, origin_of, page, root_of, sent_on
from drachm.adapters.rest.service.sign_in_flow import (
    ANSWER,
    from_provider,
    onward_of,
    sandbox,
    sandbox_person,
    to_provider,
    visitors,
    ways_in,
)
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.service.static_files import address
from drachm.adapters.rest.service.trouble_words import Trouble, not_done
from drachm.adapters.rest.transport.problems import Header
from drachm.domain.errors import DrachmError, Forbidden

RETURN: Final = "/my/sign-in/return"
_REFUSED: Final = {
    200: "The page.",
    303: "Signed in, or on to the provider.",
    401: "Not proved.",
    403: "No patient, or a form that is not ours.",
}
_STALE: Final = N_("This page was open for too long. Nothing was done. Try again.")
_NOBODY: Final = N_("These pages are for patients and their relatives. If you work at a clinic, sign in to the desk.")
_NO_ANSWER: Final = N_("The sign-in does not answer. Try again in a minute.")
_NOT_OPENED: Final = N_("This did not open your pages. Try again.")
_WRONG: Final = N_("This answer is not right. Check it and try again.")
_LOCKED: Final = N_("There were too many wrong answers. Wait 15 minutes.")


@operation("open_my_sign_in", media=PAGE, query=LOOK_QUERY, pages={200: "The page."})
@in_its_language
def open_my_sign_in(call: Call) -> Reply:
    """Where patients and relatives sign in."""
    return _door(call)


@operation("sign_in_to_my", media=PAGE, form=True, pages=_REFUSED)
@in_its_language
def sign_in_to_my(call: Call) -> Reply:
    """Take a sandbox token of a person."""
    kept = browser_session.door_of(call, MY)
    if kept is None or from_elsewhere(call.fields, origin_of(call)) or not browser_session.same(call.form, kept[0]):
        return _door(call, 403, _STALE)
    return _entered(call, lambda: _in(call, *sandbox_person(call, call.form.get("token", "").strip())))


@operation(
    "begin_my_provider",
    media=PAGE,
    query={"with": "which provider, from 0", "next": "the page that waits for a proof"},
    pages=_REFUSED,
)
@in_its_language
def begin_my_provider(call: Call) -> Reply:
    """Send the browser to the provider."""
    onward = call.query.get("next", "")
    try:
        return to_provider(call, MY, RETURN, below_my(onward) if onward else "")
    except DrachmError:
        return _door(call, 403, _NO_ANSWER)


@operation("end_my_provider", media=PAGE, query=ANSWER, pages=_REFUSED)
@in_its_language
def end_my_provider(call: Call) -> Reply:
    """Redeem the provider's code, once: a sign-in, or a proof for the page that waits for it."""
    onward = onward_of(call, MY)
    session = my_session.session_of(call) if onward else None

    def prove() -> Reply:
        principal, name, until = from_provider(call, MY, RETURN)
        if session is None:
            return _in(call, principal, name, until, onward or MY.path)
        mine = session.principal
        if session.visit or (principal.tenant, principal.subject) != (mine.tenant, mine.subject):
            raise Unauthenticated("token_untrusted")
        browser_session.proved(call, session, by="account")
        return sent_on(
            call, below_my(onward), [(b"set-cookie", browser_session.without(call.house, MY, door=True).encode())]
        )

    return _entered(call, prove)


@operation("sign_out_of_my", media=PAGE, form=True, pages={303: "Signed out.", 403: "A form that is not ours."})
@in_its_language
def sign_out_of_my(call: Call) -> Reply:
    """End the session here and in the browser; with `leave`, on to a page that says nothing."""
    session = my_session.session_of(call)
    gone: list[Header] = [(b"set-cookie", browser_session.without(call.house, MY).encode())]
    if session is not None:
        if from_elsewhere(call.fields, origin_of(call)) or not browser_session.same(call.form, session.csrf):
            return _door(call, 403, _STALE)
        browser_session.ended(call, MY, everywhere=call.form.get("everywhere") == "yes")
    gone.append((b"clear-site-data", b'"cache"'))
    return sent_on(call, "/my/left" if call.form.get("leave") == "yes" else "/my/sign-in", gone)


@operation("open_left_page", media=PAGE, query=LOOK_QUERY, pages={200: "The page."})
@in_its_language
def open_left_page(call: Call) -> Reply:
    """What stands on the screen of somebody who left: nothing of theirs, and not whose page it was."""
    return page(call, "my_left.html", {}, choices=False)


@patient_page("open_my_proof", link=True, query={"next": "where to go on"})
def open_my_proof(seat: PatientSeat) -> Reply:
    """Ask once more who is there, before a large payment."""
    return _ask_again(seat)


@patient_page("give_my_proof", form=True, link=True)
def give_my_proof(seat: PatientSeat) -> Reply:
    """Take the proof: the answer of the receipt's question, or a token of the same person."""
    call, body = seat.call, seat.session.record.body
    try:
        if seat.visit:
            ends = datetime.fromisoformat(body["until"])
            link = Link(seat.session.principal.tenant, body["receipt"], body["version"], ends)
            answer, _ = given_answer(call.form, question_of(call, body["receipt"]))
            call.house.second_factor.check(link, answer, call.at)
        else:
            principal, _, _ = sandbox_person(call, call.form.get("token", "").strip())
            if (principal.tenant, principal.subject) != (call.caller.tenant, call.caller.subject):
                raise Unauthenticated("token_untrusted")
    except (Unauthenticated, ValueError) as error:
        locked = isinstance(error, Unauthenticated) and error.code == "second_factor_locked"
        return _ask_again(seat, 429 if locked else 403, _LOCKED if locked else _WRONG)
    browser_session.proved(call, seat.session, by="account")
    return seat.sent_on(below_my(call.form.get("next", "")))


_ANSWERS: Final = {"birth_date": "day", "code": "answer-code", "none": "", "sign-in": "token"}
"""Id of the field that answers a question."""


def _ask_again(seat: PatientSeat, status: int = 200, trouble: str = "") -> Reply:
    call = seat.call
    question = question_of(call, seat.session.record.body["receipt"]) if seat.visit else "sign-in"
    options, asked = asked_of(seat)
    values: dict[str, Any] = {
        "question": question,
        "sandbox": sandbox(call),
        "ways": ways_in(call),
        "next": below_my(call.query.get("next", "") or call.form.get("next", "")),
        "trouble": not_done(gettext(trouble), _ANSWERS[question], status) if trouble else None,
        "options": options,
        "asked": asked,
        "passkeys": address("passkeys.js") if options else "",
    }
    return seat.page("my_proof.html", "", **values)


def _entered(call: Call, prove: Callable[[], Reply]) -> Reply:
    try:
        return prove()
    except Forbidden as error:
        return _door(call, 403, _STALE if error.code == "stale" else _NOBODY)
    except (DrachmError, LookupError, ValueError):
        return _door(call, 401, _NOT_OPENED)


def _in(call: Call, principal: Principal, name: str, until: datetime, onward: str = MY.path) -> Reply:
    begun = my_session.opened(call, principal, name, until)
    renewed(call, principal.tenant, principal.subject)
    headers: list[Header] = [
        (b"set-cookie", begun.encode()),
        (b"set-cookie", browser_session.without(call.house, MY, door=True).encode()),
    ]
    return sent_on(call, below_my(onward), headers)


def _door(call: Call, status: int = 200, trouble: str = "") -> Reply:
    kept, csrf = browser_session.door(call, MY)
    values = {
        "csrf": csrf,
        "root": root_of(call),
        "ways": ways_in(call),
        "sandbox": sandbox(call),
        "visitors": visitors(call, staff=False),
        "trouble": Trouble(gettext("You are not signed in"), gettext(trouble)) if trouble else None,
    }
    headers: list[Header] = [(b"set-cookie", kept.encode())]
    return page(call, "my_sign_in.html", values, status=status, headers=headers, choices=call.operation == _OPEN)


_OPEN: Final = "open_my_sign_in"
