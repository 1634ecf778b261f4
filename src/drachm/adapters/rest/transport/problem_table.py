"""Which status, title and next step belongs to each code? The one table.

A code is stable for ever. Codes come from five places: the transport itself, the strict JSON reader, the error tree of
the domain, what identity says to unknown callers and to known ones, and the reasons of clearing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from drachm.adapters.rest.identity.decide import DENIALS
from drachm.adapters.rest.identity.errors import REASONS as UNPROVEN
from drachm.domain.errors import (
    Conflict,
    DrachmError,
    Forbidden,
    IntegrityError,
    InvalidMessage,
    Pended,
    Refused,
    Unavailable,
)
from drachm.domain.reasons import REASONS


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table."""

    code: str
    status: int
    title: str
    text: str
    """What happened, when nothing more exact may be said."""
    next_step: str
    retryable: bool = False
    """True when the same call, unchanged, may succeed later."""


_TRANSPORT: Final = (
    Kind("bad_request", 400, "Bad request", "The request cannot be understood.", "Correct the request."),
    Kind("malformed_http", 400, "Not HTTP", "The bytes are not a well-formed HTTP/1.1 request.", "Check the client."),
    Kind("malformed_gzip", 400, "Not gzip", "The body is not one complete gzip stream.", "Pack the body again."),
    Kind("gzip_ratio", 413, "Body unpacks too far", "The packed body grows too much.", "Send the body unpacked."),
    Kind("incomplete_body", 400, "Body cut off", "The body ended too early.", "Send the whole request again.", True),
    Kind("invalid_cursor", 400, "Unknown cursor", "The cursor is not one of ours, or belongs to another list or "
         "filter.", "Begin again without a cursor."),
    Kind("expired_cursor", 400, "Old cursor", "The cursor has expired.", "Begin again without a cursor."),
    Kind("idempotency_key_missing", 400, "Idempotency-Key missing", "A call that moves money needs an "
         "Idempotency-Key.", "Make one key per intention, keep it, and send it with every attempt."),
    Kind("idempotency_key_invalid", 400, "Idempotency-Key unusable", "The key is not 1 to 255 visible ASCII "
         "characters.", "Use a UUID."),
    Kind("invalid_if_match", 400, "If-Match unusable", "If-Match is not a list of entity tags.", "Send the ETag of "
         "the last answer, quotes included."),
    Kind("invalid_money", 400, "Not an amount", "An amount is {\"micros\": integer, \"currency\": code}.", "Send "
         "whole millionths of the currency unit between -(2^53-1) and 2^53-1."),
    Kind("invalid_time", 400, "Not a time", "A time is RFC 3339 with seconds and an offset.", "Send UTC, such as "
         "2026-11-21T14:02:00Z."),
    Kind("unauthenticated", 401, "Who are you?", "The credentials are missing, unknown or expired.", "Send a valid "
         "key or token."),
    Kind("callback_forged", 403, "Not signed", "The rail did not sign this callback for us.", "Check the rail's "
         "settings."),
    Kind("callback_stale", 403, "Old callback", "The rail signed this callback too long ago.", "Send it again, signed "
         "anew."),
    Kind("invalid_callback", 400, "Unknown callback", "The callback is not in a form that we know.", "Check the "
         "version of the rail's interface."),
    Kind("unknown_rail", 422, "No such rail", "No such rail is connected.", "Use a rail that is connected."),
    Kind("rail_refused", 503, "Rail not usable", "The rail does not take our requests.", "Tell the operator: the "
         "rail's settings must be checked."),
    Kind("not_found", 404, "Not found", "There is nothing here, or nothing that you may see.", "Check the address."),
    Kind("method_not_allowed", 405, "Wrong method", "This address does not know the method.", "Use a method named in "
         "Allow."),
    Kind("not_acceptable", 406, "No such form", "The answer does not exist in a form named in Accept.", "Accept "
         "application/json."),
    Kind("request_timeout", 408, "Too slow", "The request did not arrive in time.", "Send it again, faster.", True),
    Kind("idempotency_in_flight", 409, "Still working", "A call with this Idempotency-Key is still being worked on.",
         "Wait, then send the same call with the same key.", True),
    Kind("event_conflict", 409, "Same event, other content", "This event id is known with other content.",
         "Send changed content under a new id that replaces this one."),
    Kind("version", 409, "Changed meanwhile", "Somebody else changed the thing at the same time.", "Read it again, "
         "then decide again."),
    Kind("likely_duplicate", 409, "Here already?", "This person seems to be enrolled already.", "Use the member that "
         "is named, or say in distinct_from that it is somebody else."),
    Kind("window_taken", 409, "Window taken", "A shift is open at this window.", "Close the open shift first."),
    Kind("shift_closed", 409, "Shift closed", "This shift was counted and closed.", "Open a new shift."),
    Kind("not_your_shift", 409, "Another's shift", "This is another clerk's shift.", "Open a shift of your own."),
    Kind("nothing_due", 409, "Nothing due", "Nothing is due of this charge.", "Read the charge again."),
    Kind("less_due", 409, "Less is due", "Less is due of this charge.", "Read the charge again and pay at most what is "
         "due."),
    Kind("question_open", 409, "Asked already", "This was asked already.", "Wait for its answer."),
    Kind("question_settled", 409, "Settled", "This question is settled.", "Ask another one."),
    Kind("refund_open", 409, "Refund open", "Another refund of this charge is open.", "Agree to it or withdraw it "
         "first."),
    Kind("second_person_needed", 409, "Not alone", "One person alone gives no money of a charge back.", "Propose a "
         "refund of the charge and let somebody else agree, or let the system that sent the charge correct it."),
    Kind("erasure_open", 409, "Asked already", "A request to erase what is kept of this person is open already.",
         "Read it, and wait for what becomes of it."),
    Kind("not_settled", 409, "Not settled", "Money or care of this person is not settled yet; nothing was erased.",
         "Settle what is named, then agree again."),
    Kind("person_erased", 410, "Erased", "What was kept of this person was erased.", "Nothing can be done with it any "
         "more."),
    Kind("invalid_refusal", 422, "No such refusal", "A request cannot be refused like this.", "Say until when the law "
         "has it kept: a day that has not come."),
    Kind("over_the_limit", 409, "Over the limit", "More would go back than the limit says.", "Propose it with a limit "
         "that holds it, or for less."),
    Kind("refund_paid", 409, "Handed out already", "This refund was handed out already.", "Hand out nothing; read in "
         "which shift it was."),
    Kind("refund_not_ready", 409, "Not to be handed out", "There is nothing to hand out of this refund.", "A second "
         "person agrees first."),
    Kind("box_short", 409, "Too little in the box", "The box holds less than shall be handed out.", "Hand it out of "
         "another box, or when there is more in this one."),
    Kind("charge_changed", 409, "Charge changed", "The charge is not what the refund was proposed for.", "Read the "
         "charge, then propose it anew."),
    Kind("invalid_refund", 422, "No such refund", "This refund cannot be.", "Correct the named place."),
    Kind("invalid_emergency", 422, "No such access", "This emergency access cannot be.", "Say what it is for, and for "
         "5 to 60 minutes."),
    Kind("line_explained", 409, "Explained already", "This line of the bank's statement is explained already.",
         "Look at what became of it."),
    Kind("not_refundable", 409, "Nothing to refund", "The payment has not come in, or went back.", "Look at how the "
         "payment stands."),
    Kind("refund_exceeds", 409, "More than came in", "Less of the payment is left than shall go back.", "Refund at "
         "most what is left; the rest goes to a wallet with the payer's consent."),
    Kind("arrears_open", 409, "Something is owed", "The holder owes for a payment that went back.", "Make that good "
         "first."),
    Kind("nothing_owed", 409, "Not owed", "Less is owed than shall be paid.", "Look at what is owed, and pay at most "
         "that."),
    Kind("rail_keeps", 422, "Takes nothing back", "Money that came this way cannot go back the same way.", "Refund it "
         "to a wallet with the payer's consent."),
    Kind("draft_not_ready", 409, "Draft has faults", "The draft cannot be used as it is.", "Correct the named "
         "places, then ask for a validation."),
    Kind("precondition_failed", 412, "Changed meanwhile", "The thing is not in the version that If-Match names.",
         "Read it again, then decide again."),
    Kind("too_large", 413, "Body too large", "The body is larger than this address takes.", "Send less at once."),
    Kind("unsupported_media_type", 415, "Unknown media type", "The body's media type is not taken here.", "Send "
         "application/json."),
    Kind("unsupported_content_encoding", 415, "Unknown packing", "The body may be sent plain or as gzip only.",
         "Send the body plain or as gzip."),
    Kind("invalid_body", 422, "Body does not fit", "The body does not fit the schema.", "Correct the named places."),
    Kind("idempotency_key_reused", 422, "Key used before", "This Idempotency-Key was used with another request.",
         "Use a new key for a new intention."),
    Kind("precondition_required", 428, "Version needed", "A change of this thing needs If-Match.", "Read it, and send "
         "its ETag in If-Match."),
    Kind("rate_limited", 429, "Too many calls", "You have used up your calls for now.", "Wait as Retry-After says.",
         True),
    Kind("busy", 429, "Busy", "There is more work than can be done at once; nothing was begun.", "Wait as Retry-After "
         "says, then send the same call again.", True),
    Kind("headers_too_large", 431, "Header too large", "There are too many header fields, or they are too long.",
         "Send fewer or shorter header fields."),
    Kind("internal", 500, "Our fault", "Something broke on our side; whether it took effect is not known.", "Ask with "
         "the request id, or send the same call with the same key: it takes effect once."),
    Kind("timed_out", 503, "No answer in time", "The work took too long; whether it took effect is not known.",
         "Send the same call with the same key: it takes effect once.", True),
    Kind("draining", 503, "Going away", "This process is being replaced.", "Send the same call again.", True),
    Kind("not_ready", 503, "Not ready", "The service is not ready to answer.", "Try again in a few seconds.", True),
    Kind("too_many_connections", 503, "Too many connections", "This process has no connection left.", "Reuse "
         "connections; try again in a few seconds.", True),
)  # fmt: skip

_JSON: Final = {
    "malformed_json": "The body is not JSON.",
    "not_utf8": "The body is not UTF-8.",
    "nul_character": "There is a NUL character.",
    "lone_surrogate": "There is half of a surrogate pair.",
    "duplicate_key": "An object has the same key twice.",
    "not_a_number": "NaN and Infinity are not JSON.",
    "number_too_long": "A number is too long.",
    "too_deep": "The body is nested too deep.",
}

_FIELDS: Final = {
    "missing_field": "A required field is not there.",
    "unknown_field": "A field is not known.",
    "wrong_type": "A field holds another type than it may.",
    "invalid_id": "An id holds a character that ids may not hold, or is too long.",
    "invalid_text": "A text is too long, or holds a control character.",
    "invalid_quantity": "A quantity is not a plain decimal above 0 and at most 1,000,000, in text.",
    "invalid_amount": "An amount is not a whole number of micros.",
    "invalid_kind": "The kind is not one of the published words.",
    "invalid_event": "The fields of the event contradict each other.",
    "invalid_document": "The document does not fit its schema.",
    "invalid_plan": "The plan does not fit the plan model.",
    "out_of_range": "A number lies outside its bounds.",
    "too_many": "A list has too many entries.",
    "duplicate_id": "The same id stands there twice.",
    "currency_mismatch": "An amount is in another currency than the rest.",
    "unknown_currency": "The currency is not in ISO 4217.",
    "unknown_zone": "The time zone is not an IANA name.",
    "malformed_xml": "The file is not well-formed XML, or holds what is not taken.",
    "out_of_balance": "The totals of the file do not hold.",
    "wrong_file": "The file is of another kind than this call takes.",
}
"""What the readers of events and documents say of one place."""

_CLASSES: Final[tuple[tuple[type[DrachmError], int, str], ...]] = (
    (InvalidMessage, 400, "Cannot be read"),
    (Refused, 422, "Refused"),
    (Pended, 422, "Cannot be decided yet"),
    (Forbidden, 403, "Not allowed"),
    (Conflict, 409, "Conflict"),
    (Unavailable, 503, "Not available"),
    (IntegrityError, 500, "Books disagree"),
)
"""What an error becomes when its own code has no row."""


def _table() -> dict[str, Kind]:
    rows = {kind.code: kind for kind in _TRANSPORT}
    for code, text in _JSON.items():
        rows[code] = Kind(code, 400, "Cannot be read", text, "Send well-formed JSON (RFC 8259) in UTF-8.")
    for code, text in _FIELDS.items():
        rows[code] = Kind(code, 400, "Cannot be read", text, InvalidMessage.default_next_step)
    for kind, status, title in _CLASSES:
        text = f"{title}." if status < 500 else "The service cannot do this now."
        step = rows["internal"].next_step if status == 500 else kind.default_next_step
        rows[kind.code] = Kind(kind.code, status, title, text, step, kind.retryable)
    for code, (words, step) in UNPROVEN.items():
        text = f"{words[0].upper()}{words[1:]}."
        rows.setdefault(code, Kind(code, 401, rows["unauthenticated"].title, text, step))
    for code, (status, text) in DENIALS.items():
        rows.setdefault(code, Kind(code, status, rows["forbidden"].title, text, rows["forbidden"].next_step))
    for reason in REASONS.values():
        if reason.outcome in ("refused", "pended"):
            title = "Refused" if reason.outcome == "refused" else "Cannot be decided yet"
            step = reason.next_step or "Correct what the reason names and send it as a new event."
            rows.setdefault(reason.code, Kind(reason.code, 422, title, reason.text, step))
    return rows


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(_table())

OF_STATUS: Final[Mapping[int, str]] = MappingProxyType({
    400: "bad_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    406: "not_acceptable", 408: "request_timeout", 409: "conflict", 412: "precondition_failed", 413: "too_large",
    415: "unsupported_media_type", 422: "invalid_body", 428: "precondition_required", 429: "rate_limited",
    431: "headers_too_large", 503: "not_ready",
})  # fmt: skip
"""The code for a refusal that a framework makes by status alone."""


def kind_of(error: DrachmError) -> Kind:
    """The row of an error: its own code's, else that of the nearest class whose code has one, with the code kept.

    A code that nobody listed keeps working, but has no page: a test asks that every class of the product has its row.
    """
    row = KINDS.get(error.code)
    if row is not None:
        return row
    for ancestor in type(error).__mro__:
        row = KINDS.get(ancestor.__dict__.get("code", ""))
        if row is not None:
            return replace(row, code=error.code, next_step=error.next_step)
    row = KINDS["unavailable" if error.retryable else "internal"]
    return replace(row, code=error.code)
