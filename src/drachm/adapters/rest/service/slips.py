"""What does a patient without a telephone take home? A slip: the visit in large print, a QR code and a short code."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from markupsafe import Markup

from drachm.adapters.plots.qr import qr
from drachm.adapters.rest.identity.links import LIFETIME_MAX
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.desk_frame import Seat, desk
from drachm.adapters.rest.service.forms import PAGE
from drachm.adapters.rest.service.journal_reading import find_charge
from drachm.adapters.rest.service.look import in_language
from drachm.adapters.rest.service.page_frame import page_headers, page_templates, root_of
from drachm.adapters.rest.service.page_words import reference
from drachm.adapters.rest.service.slip_view import slip_of
from drachm.adapters.rest.service.speech import LANGUAGES, gettext, speaking
from drachm.adapters.rest.service.static_files import address
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.receipt_codes import Coded, make_code
from drachm.domain.messages.codes import spaced

PAPERS: Final = ("roll", "a6")


@desk("print_slip", form=True)
def print_slip(seat: Seat) -> Reply:
    """The slip of a charge's visit, with a new link and a new code, shown on this one page."""
    call = seat.call
    paper, language = call.form.get("paper", "roll"), call.form.get("language", "en")
    if paper not in PAPERS or language not in LANGUAGES:
        raise Problem("bad_request", "a slip is a roll or a6, in one of our languages")
    charge = seat.ask("get_charge", {"charge_id": call.path["charge_id"]})
    looked = find_charge(call.market, charge.id)
    call.permit(call.resource(parties=looked.row.parties if looked else frozenset()))
    visit = seat.ask("get_visit", {"visit_id": charge.visit})
    if not visit.totals:
        raise Problem("not_found")
    link = seat.ask("create_receipt_link", {"receipt_id": charge.receipt}, body={"hours": _hours()})
    code = _code(seat, charge, link)
    with speaking(language) as spoken:
        values = {
            "language": spoken,
            "paper": paper,
            "clinic": _clinic(seat, charge),
            "at": seat.here(charge.posted_at),
            "slips": [slip_of(call.market, visit, total, seat.zone) for total in visit.totals],
            "code": spaced(code),
            "kiosk": f"{urlsplit(call.house.base_url).netloc}{root_of(call)}/kiosk/{call.caller.tenant}",
            "qr": qr(in_language(link.url, language), gettext("Your receipt, as a code for a phone camera")),
            "question": link.question,
            "phone": _kept_together(call.house.help_phone),
            "title": reference(charge.receipt),
            "number": _kept_together(reference(charge.receipt)),
            "until": seat.here(link.expires_at).date(),
        }
        html = (
            page_templates().get_template("slip.html").render(root=root_of(call), style=address("slip.css"), **values)
        )
    return Reply(html, headers=page_headers(), media=PAGE)


def _code(seat: Seat, charge: Any, link: Any) -> str:
    call = seat.call
    looked = find_charge(call.market, charge.id)
    until = datetime.fromisoformat(link.expires_at)
    version = call.house.links.version(call.caller.tenant, charge.receipt)
    coded = Coded(charge.receipt, charge.member, version, until, link.question)
    parties = looked.row.parties if looked is not None else frozenset[str]()
    random = call.market.desk.ids.random_bytes
    return make_code(call.market.records, call.new_id("cod"), coded, parties, random, call.caller.subject)


def _kept_together(text: str) -> Markup:
    """Left to right and on one line, whatever the language around it."""
    return Markup('<bdi dir="ltr" class="keep">{}</bdi>').format(text) if text else Markup("")


def _clinic(seat: Seat, charge: Any) -> str:
    found = seat.call.market.register.parties(ids=[charge.provider]) if charge.provider else []
    return (found[0].name if found else "") or charge.provider or gettext("A clinic")


def _hours() -> int:
    return LIFETIME_MAX // timedelta(hours=1)
