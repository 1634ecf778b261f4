"""`drachm demo`: the main job on real data, at a pace a person can follow."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from drachm.application.audit import audit
from drachm.application.check_books import check_books
from drachm.application.first_answers import Outcome
from drachm.application.receipts import receipt_of
from drachm.application.replay import ReplayReport, enrol, replay
from drachm.bootstrap import (
    DEMO_DATABASE,
    Place,
    disk_tally,
    open_place,
    read_recorded,
    read_settings,
    sample_books,
    sample_plans,
    samples,
)
from drachm.cli.demo_network import FAMILY_POT, enrol_network, network_events
from drachm.cli.demo_serve import Guest, serve_demo
from drachm.cli.render import STATUS_STYLE, audit_verdict, closing_table, receipt_card, wide_console
from drachm.domain.benefits.model import Adjudication
from drachm.domain.catalog import AS_SUBMITTED
from drachm.domain.coverage.model import Member
from drachm.domain.events.model import ServiceEvent
from drachm.domain.money import MICROS, plain

WHY = "Why this amount?"
WALLET = 200 * MICROS
"""What each bundled patient's wallet opens with in the demo: 200 USD."""


def run_demo(*, leave: bool, pace: int) -> bool:
    """Show the whole line; True when the books balance and nothing is unexplained."""
    console = wide_console()
    console.print("[bold]Drachm[/bold]: event, price, cover, split, wallet, ledger, receipt. Starting the books ...")
    settings = read_settings()
    with open_place(settings, database=DEMO_DATABASE, fresh=True) as place:
        for plan in sample_plans():
            place.desk.books.publish("plan", plan)
        for book in sample_books():
            place.desk.books.publish("price_book", book)
        enrol_network(place.desk)
        recorded = read_recorded([samples() / "synthea" / "fhir-2019"])
        enrol(recorded, place.desk, wallet=WALLET, currency="USD", price_book=AS_SUBMITTED)
        report = ReplayReport()
        show = _Stream(console, place, pace)
        started = time.monotonic()
        network = network_events()
        replay(network, place.desk, report, show.one, batch=1)
        console.print(
            f"\n{len(recorded.events)} recorded events of {len(recorded.members)} people (Synthea), in order of time:"
        )
        replay(recorded, place.desk, report, show.one, batch=8)
        report.seconds = time.monotonic() - started - show.slept
        _receipts(console, place, show)
        well = _summary(console, place, report)
        if well and not leave:
            guest = _guest(show, network.members)
            serve_demo(console, place, settings, network.events, guest)
        return well


class _Stream:
    """Prints one line per event and keeps what is worth showing in full."""

    def __init__(self, console: Console, place: Place, pace: int) -> None:
        self._console = console
        self._place = place
        self._pause = 1 / pace
        self.slept = 0.0
        self.kept: dict[str, Outcome] = {}

    def one(self, outcome: Outcome, event: ServiceEvent) -> None:
        style = STATUS_STYLE[outcome.status]
        money = ""
        answer = outcome.decision.adjudication if outcome.decision else None
        if answer is not None:
            money = (
                f"{plain(answer.billed):>10} = payers {plain(answer.plan_paid):>9} + patient "
                f"{plain(answer.patient_responsibility):>8} + given up {plain(answer.provider_borne):>7}"
            )
            self._keep(outcome, event, answer)
        name = escape((event.display or event.code.value)[:30])
        self._console.print(
            f"{event.started_at:%Y-%m-%d} {name:<30} {event.currency} {money} [{style}]{outcome.status}[/{style}] "
            f"[dim]{outcome.reason if outcome.status != 'posted' else ''}[/dim]",
            no_wrap=True,
            crop=True,
        )
        self._family(outcome)
        self.slept += self._pause
        time.sleep(self._pause)

    def _family(self, outcome: Outcome) -> None:
        """That a family's pot paid, and what those learn who filled it."""
        legs = outcome.decision.funding.legs if outcome.decision else ()
        paid = sum(leg.amount for leg in legs if leg.pocket == FAMILY_POT.pocket)
        if paid:
            self._console.print(
                f"{'':<10} [green]the family's pot pays {plain(paid)} of it:[/green] "
                "Ana, who fills it, sees amount, date and name, not the care"
            )

    def _keep(self, outcome: Outcome, event: ServiceEvent, answer: Adjudication) -> None:
        """The first of each kind that tells something: split three ways, two payers, a provider abroad."""
        payers = {share.party for share in answer.shares if share.bearer == "payer"}
        if len(payers) > 1:
            self.kept.setdefault("Two payers, one bill", outcome)
        elif event.currency != "USD" and payers:
            self.kept.setdefault("Another country, another plan, the same line", outcome)
        elif len(payers) == 1 and len(answer.decided_by) == 1 and len(answer.shares) > 2:
            self.kept.setdefault(WHY, outcome)


def _receipts(console: Console, place: Place, show: _Stream) -> None:
    for title, outcome in sorted(show.kept.items(), key=lambda kept: kept[0] == WHY):
        receipt = receipt_of(outcome, place.desk.books)
        if receipt is not None:
            console.rule(f"[bold]{title}[/bold]", align="left")
            receipt_card(console, receipt, why=title == WHY)


def _summary(console: Console, place: Place, report: ReplayReport) -> bool:
    console.rule("[bold]The books[/bold]", align="left")
    disagreements = check_books(place.desk.books)
    report.books_ok = not disagreements
    closing_table(console, report)
    for disagreement in disagreements:
        console.print(f"[red]{disagreement}[/red]")
    with disk_tally() as totals, disk_tally() as pots:
        verdict = audit(place.desk.books, totals, pots, time.monotonic, lambda _rows: None)
    audit_verdict(console, verdict)
    return report.ok and verdict.ok


def _guest(show: _Stream, members: Sequence[Member]) -> Guest:
    """Whose receipt is opened in a browser: the one explained above."""
    outcome = show.kept[WHY]
    born = {member.id: member.birth_date for member in members}
    return Guest(outcome, born.get(outcome.event.member))
