"""How do people who work at a clinic sign in to the desk, and out again?

With a passkey, with their clinic's own account (OpenID Connect), or, in a sandbox only, with a token made on its
console. Whatever they had in the browser before, they get a session under a new word.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.model import Principal
from drachm.adapters.rest.service import desk_session
from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.desk_frame import LANG_QUERY, home_of, render
from drachm.adapters.rest.service.desk_passkeys import asked_at_door, door_words, proved_at_door, renewed
from drachm.adapters.rest.service.desk_session import DESK
from drachm.adapters.rest.service.forms import PAGE, from_elsewhere
from drachm.adapters.rest.service.look import look_headers, look_of
from drachm.adapters.rest.service.page_frame import in_its_language, origin_of, page_headers, sent_on
from drachm.adapters.rest.service.sign_in_flow import (
    ANSWER,
    from_provider,
    sandbox,
    sandbox_person,
    to_provider,
    visitors,
    ways_in,
)
from drachm.adapters.rest.service.speech import N_, gettext, spoken
from drachm.adapters.rest.service.static_files import address
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.adapters.rest.transport.problems import Header
from drachm.domain.errors import DrachmError, Forbidden, InvalidMessage, Unavailable

RETURN: Final = "/desk/sign-in/return"
_REFUSED: Final = {
    200: "The page.",
    303: "Signed in, or on to the provider.",
    401: "Not proved.",
    403: "Not for the desk, or a form that is not ours.",
}
_STALE: Final = N_("This page was open for too long, or the form was not ours. Nothing was done.")
_NOBODY: Final = N_("The desk is for people who work at a clinic.")


@operation("open_desk_sign_in", media=PAGE, query=LANG_QUERY, pages={200: "The page."})
@in_its_language
def open_desk_sign_in(call: Call) -> Reply:
    """Where people sign in."""
    return _door(call)


@operation("sign_in_at_desk", media=PAGE, form=True, pages=_REFUSED)
@in_its_language
def sign_in_at_desk(call: Call) -> Reply:
    """Take a sandbox token of a person."""
    kept = desk_session.door_of(call)
    if kept is None or from_elsewhere(call.fields, origin_of(call)) or not desk_session.same(call.form, kept[0]):
        return _door(call, 403, _STALE)
    text = call.form.get("token", "").strip()
    if not text:
        return _door(call, 401, N_("Paste your token first."))
    try:
        return _in(call, *sandbox_person(call, text))
    except Forbidden:
        return _door(call, 403, _NOBODY)
    except (DrachmError, ValueError) as error:
        words = ""
        if isinstance(error, Unauthenticated | Unavailable) and spoken().code == "en":
            words = trouble_of(error, call).detail
        return _door(call, 401, words or N_("This token does not open the desk."))


@operation("begin_desk_provider", media=PAGE, query={"with": "which provider, from 0"}, pages=_REFUSED)
@in_its_language
def begin_desk_provider(call: Call) -> Reply:
    """Send the browser to the provider with a state, a nonce and a challenge that only this browser can answer for."""
    try:
        return to_provider(call, DESK, RETURN)
    except InvalidMessage:
        return _door(call, 403, N_("There is no such way to sign in."))
    except DrachmError:
        return _door(call, 403, N_("Your clinic’s sign-in does not answer. Try again in a minute."))


@operation("end_desk_provider", media=PAGE, query=ANSWER, pages=_REFUSED)
@in_its_language
def end_desk_provider(call: Call) -> Reply:
    """Redeem the code, once: the browser forgets its state whatever comes of it."""
    try:
        return _in(call, *from_provider(call, DESK, RETURN))
    except Forbidden as error:
        return _door(call, 403, _STALE if error.code == "stale" else _NOBODY)
    except (DrachmError, LookupError, ValueError):
        return _door(call, 401, N_("Your clinic’s account did not open the desk. Sign in again."))


@operation("sign_out_of_desk", media=PAGE, form=True, pages={303: "Signed out.", 403: "A form that is not ours."})
@in_its_language
def sign_out_of_desk(call: Call) -> Reply:
    """End the session here and in the browser; with `everywhere`, all sessions of this person."""
    session = desk_session.session_of(call)
    gone: list[Header] = [(b"set-cookie", desk_session.without(call.house).encode())]
    if session is not None:
        if from_elsewhere(call.fields, origin_of(call)) or not desk_session.same(call.form, session.csrf):
            return _door(call, 403, _STALE)
        desk_session.ended(call, everywhere=call.form.get("everywhere") == "yes")
    gone.append((b"clear-site-data", b'"cache"'))
    return sent_on(call, "/desk/sign-in", gone)


@operation("sign_in_with_passkey", media=PAGE, form=True, form_bytes=16_384, pages=_REFUSED)
@in_its_language
def sign_in_with_passkey(call: Call) -> Reply:
    """Take the answer of a passkey to the challenge that this page gave."""
    kept = desk_session.door_of(call)
    if kept is None or from_elsewhere(call.fields, origin_of(call)) or not desk_session.same(call.form, kept[0]):
        return _door(call, 403, _STALE)
    try:
        return _in(call, *proved_at_door(call, kept[1]), by_account=False)
    except (DrachmError, ValueError):
        return _door(call, 401, N_("This passkey does not open the desk. Sign in with your clinic’s account."))


def _in(call: Call, principal: Principal, name: str, until: datetime, *, by_account: bool = True) -> Reply:
    begun = desk_session.opened(call, principal, name, until)
    if by_account:
        renewed(call, principal)
    headers: list[Header] = [
        (b"set-cookie", begun.encode()),
        (b"set-cookie", desk_session.without(call.house, door=True).encode()),
    ]
    return sent_on(call, home_of(call, principal), headers)


def _door(call: Call, status: int = 200, trouble: str = "") -> Reply:
    options, challenge = asked_at_door(call)
    kept, csrf = desk_session.door(call, *door_words(call, challenge))
    html = render(
        call,
        "desk_sign_in.html",
        csrf=csrf,
        ways=ways_in(call),
        sandbox=sandbox(call),
        visitors=visitors(call, staff=True),
        trouble=Trouble(gettext("You are not signed in"), gettext(trouble)) if trouble else None,
        options=options,
        passkeys=address("passkeys.js") if options else "",
    )
    headers = [*page_headers(script=bool(options)), (b"set-cookie", kept.encode()), *look_headers(call, look_of(call))]
    return Reply(html, status, headers=headers, media=PAGE)
