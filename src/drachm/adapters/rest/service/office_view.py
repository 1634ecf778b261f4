"""What does the office show? Each panel answers one question: a plot, a sentence, the same as a table and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from drachm.adapters.plots.columns import Column, Mark, columns
from drachm.adapters.plots.scales import along, percent
from drachm.adapters.plots.strips import Cell, strip
from drachm.adapters.rest.service.care_figures import CareFigures, CareSums, ChargeGroup, OwedByAge, Spans
from drachm.adapters.rest.service.office_words import axis, digits, kind_said, of_hundred, reason_said, span_said
from drachm.adapters.rest.service.page_words import Amount, said
from drachm.adapters.rest.service.speech import N_, clock, counted, gettext, ngettext
from drachm.application.figures import HalfHour
from drachm.domain.figures.spans import SECOND, Count, within
from drachm.domain.money import MICROS

HALF_HOURS: Final = 48
BINS_MIN: Final = 5
MOST: Final = 950_000
_SLOW: Final = ((100, "s1"), (SECOND, "s2"), (10 * SECOND, "s3"))
FEW: Final = N_("Fewer than 11 in all: too few to show without pointing at somebody.")


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a bar."""

    kind: str
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a plot that lies on its side."""

    label: str
    pieces: Sequence[Piece]
    said: Amount | str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One question and its answer."""

    name: str
    question: str
    answer: str
    """In a sentence, also for whoever does not see the plot."""
    head: Sequence[str]
    rows: Sequence[Sequence[object]]
    """The same numbers as a table: amounts, or text."""
    unit: str = ""
    plot: Markup | None = None
    bars: Sequence[Bar] = ()
    legend: Sequence[tuple[str, str]] = ()
    empty: str = ""
    """Said instead of a plot."""
    size: str = "third"
    """Of the page's width: `third`, `half` or `most`."""
    note: str = ""
    cells: Sequence[Sequence[object]] = ()
    """The rows of the file."""
    columns: Sequence[str] = ()
    """Their heads, where they are others than the table's."""


def asked_of_patients(sums: CareSums) -> int:
    """Their part, less what clinics no longer ask for, in micros."""
    return int(sums.patients.micros) - int(sums.no_longer_asked.micros)


def price_panel(sums: CareSums | None, currency: str) -> Panel:
    """From the price asked to what the clinic is owed."""
    question = gettext("From price asked to money for the clinic")
    head = (gettext("Step"), gettext("Amount"), gettext("Of the price asked"))
    if sums is None:
        return Panel("price", question, "", head, (), empty=gettext("No charge stands in these months."))
    asked, cut, insurers, patients = (
        int(one.micros) for one in (sums.billed, sums.agreed_cut, sums.insurers, sums.patients)
    )
    given_up, due = int(sums.no_longer_asked.micros), int(sums.due.micros)
    # What the clinic gives up nobody pays: it is no part of the patients' any more, nor of what the clinic gets.
    bears, patients = insurers + patients, asked_of_patients(sums)
    agreed = insurers + patients

    def whole(micros: int) -> str:
        return counted(micros // MICROS) if micros >= 0 else f"−{counted(-micros // MICROS)}"

    drawn = [
        Column("price", gettext("Asked"), 0, max(0, asked), whole(asked)),
        Column("cut", gettext("Cut"), max(0, min(asked, bears)), max(0, asked, bears), whole(-cut)),
        *([Column("cut", gettext("Given up"), max(0, agreed), max(0, bears), whole(-given_up))] if given_up else []),
        Column("insurance", gettext("Insurers"), max(0, patients), max(0, agreed), whole(insurers)),
        Column("you", gettext("Patients"), 0, max(0, patients), whole(patients)),
        Column("provider", gettext("Clinic"), 0, max(0, agreed), whole(agreed)),
    ]
    told = [
        (gettext("Price asked"), asked),
        (gettext("Agreed cut, nobody pays it"), -cut),
        *([(gettext("Given up by the clinic, nobody pays it"), -given_up)] if given_up else []),
        (gettext("Insurers"), insurers),
        (gettext("Patients"), patients),
    ]
    told += [
        (gettext("of these paid from wallets"), int(sums.paid.micros)),
        (gettext("of these still asked"), due),
        (gettext("For the clinic"), agreed),
    ]
    words = gettext(
        "Of {asked} asked, {cut} is cut by agreement. Insurers bear {insurers} and patients {patients}, together "
        "{agreed}."
    )
    if given_up:
        words = gettext(
            "Of {asked} asked, {cut} is cut by agreement and {given_up} given up by the clinic. Insurers bear "
            "{insurers} and patients {patients}, together {agreed}."
        )
    answer = said(
        words,
        given_up=Amount(given_up, currency),
        asked=Amount(asked, currency),
        cut=Amount(cut, currency),
        insurers=Amount(insurers, currency),
        patients=Amount(patients, currency),
        agreed=Amount(agreed, currency),
    )
    return Panel(
        "price", question, answer, head,
        [(label, Amount(micros, currency), of_hundred(abs(micros), asked)) for label, micros in told],
        unit=currency,
        plot=columns("price", question, answer.striptags(), drawn, unit=MICROS, joined=True, axis=axis),
        bars=[_step(one, max(asked, agreed)) for one in drawn],
        size="half",
        note=gettext("What insurers and the clinic are paid out is not in these books yet: payouts are not built."),
        cells=[(label, digits(micros, currency), currency) for label, micros in told],
        columns=(*head[:2], gettext("Currency")),
    )  # fmt: skip


def span_panel(name: str, question: str, spans: Spans, kind: str, note: str = "") -> Panel:
    """A histogram of how long something took, with half and 95 of 100 marked."""
    head = (gettext("Took at most"), gettext("Answers"), gettext("So far"))
    if not spans.number:
        return Panel(name, question, "", head, (), empty=gettext("No answer in these months."), note=note)
    half, most = span_said(spans.half_within_ms), span_said(spans.most_within_ms)
    answer = gettext("Of {number}, half within {half} and 95 of 100 within {most}.").format(
        number=counted(spans.number), half=half, most=most
    )
    drawn: list[Column] = []
    rows, bars, so_far = [], [], 0
    last = max(at for at, one in enumerate(spans.bins) if one.number)
    most_alike = max(one.number for one in spans.bins)
    for one in spans.bins[: max(last + 2, BINS_MIN)]:
        so_far += one.number
        label = span_said(one.until_ms) if one.until_ms is not None else gettext("longer")
        rows.append((label, one.number, of_hundred(so_far, spans.number)))
        bars.append(_bar(kind, label, one.number, most_alike, counted(one.number)))
        drawn.append(
            Column(kind, label, 0, one.number, counted(one.number) if one.number else "", minor=len(drawn) % 2 == 1)
        )
    marks = [
        Mark("half", _place(spans, spans.half_within_ms), gettext("half within {span}").format(span=half), 0),
        Mark("most", _place(spans, spans.most_within_ms), gettext("95% within {span}").format(span=most), 1),
    ]
    plot = columns(name, question, answer, drawn, marks=marks, tight=True, axis=axis)
    return Panel(
        name,
        question,
        answer,
        head,
        rows,
        unit=gettext("answers, by how long at most"),
        plot=plot,
        note=note,
        cells=rows,
        size="half",
        bars=bars,
    )


def owed_panel(owed: Sequence[OwedByAge], currency: str) -> Panel:
    """What is still owed, by age."""
    question = gettext("Still owed, by age in days")
    head = (gettext("Days since the care"), gettext("Insurers"), gettext("Patients"), gettext("Together"))
    mine = [one for one in owed if one.currency == currency]
    amounts = [(max(0, int(one.insurers.micros)), max(0, int(one.patients.micros))) for one in mine]
    most = max((sum(pair) for pair in amounts), default=0)
    note = gettext("All months, as of now. No insurer has been asked for money yet: that comes with settlement.")
    if not most:
        return Panel("owed", question, "", head, (), empty=gettext("Nothing is owed."), note=note)
    bars, rows, cells = [], [], []
    for one, (insurers, patients) in zip(mine, amounts, strict=True):
        if one.until_days is not None:
            label = gettext("{first} to {last}").format(first=one.from_days, last=one.until_days)
        else:
            label = gettext("over {number}").format(number=one.from_days - 1)
        total = Amount(insurers + patients, currency)
        room = along(insurers + patients, most)
        first = along(insurers, insurers + patients, room)
        pieces = [Piece("insurance", "0%", percent(first)), Piece("you", percent(first), percent(room - first))]
        bars.append(Bar(label, [piece for piece in pieces if piece.width != "0%"], total))
        rows.append((label, Amount(insurers, currency), Amount(patients, currency), total))
        cells.append((label, digits(insurers, currency), digits(patients, currency), currency))
    theirs, own = (Amount(sum(pair[at] for pair in amounts), currency) for at in (0, 1))
    answer = said(gettext("Insurers owe {theirs} and patients {own}."), theirs=theirs, own=own)
    legend = (("insurance", gettext("Insurers")), ("you", gettext("Patients")))
    return Panel(
        "owed",
        question,
        answer,
        head,
        rows,
        currency,
        bars=bars,
        legend=legend,
        note=note,
        cells=cells,
        columns=(*head[:3], gettext("Currency")),
    )


def refusal_panel(groups: Sequence[ChargeGroup], currency: str) -> Panel:
    """Why insurers said no, most frequent first."""
    question, head = gettext("Why insurers said no"), (gettext("Reason"), gettext("Charges"), gettext("So far"))
    mine = [one for one in groups if one.currency == currency]
    total = sum(one.charges for one in mine)
    if not total:
        return Panel("refusals", question, "", head, (), empty=gettext(FEW))
    most, so_far, bars, rows, cells = max(one.charges for one in mine), 0, [], [], []
    for one in mine:
        so_far += one.charges
        share = of_hundred(so_far, total)
        bars.append(
            _bar(
                "refused",
                reason_said(one.name),
                one.charges,
                most,
                counted(one.charges),
                gettext("{share} so far").format(share=share),
            )
        )
        rows.append((reason_said(one.name), one.charges, share))
        cells.append((one.name or "others", one.charges, share))
    first = ngettext(
        "%(reason)s: %(share)s of %(num)s refused charge.", "%(reason)s: %(share)s of %(num)s refused charges.", total
    ) % {"reason": reason_said(mine[0].name), "share": of_hundred(mine[0].charges, total), "num": counted(total)}
    return Panel("refusals", question, first, head, rows, charges_said(total), bars=bars, cells=cells)


def care_panel(groups: Sequence[ChargeGroup], currency: str) -> Panel:
    """What was done, by its agreed price."""
    question = gettext("What was done")
    head = (gettext("Kind of care"), gettext("Charges"), gettext("Agreed price"))
    mine = [one for one in groups if one.currency == currency]
    if not mine:
        return Panel("care", question, "", head, (), empty=gettext(FEW))
    most = max(max(0, int(one.agreed.micros)) for one in mine)
    bars, rows, cells = [], [], []
    for one in mine:
        amount = Amount(int(one.agreed.micros), currency)
        bars.append(_bar("price", kind_said(one.name), amount.micros, most, amount, charges_said(one.charges)))
        rows.append((kind_said(one.name), one.charges, amount))
        cells.append((one.name or "others", one.charges, digits(amount.micros, currency), currency))
    answer = gettext("Most often: {kind}, {charges}.").format(
        kind=kind_said(mine[0].name), charges=charges_said(mine[0].charges)
    )
    return Panel(
        "care", question, answer, head, rows, currency, bars=bars, cells=cells, columns=(*head, gettext("Currency"))
    )


def waiting_panel(figures: CareFigures, now: datetime) -> Panel:
    """What waits, and for how long."""
    question, head = gettext("What waits, and since when"), (gettext("Waits for what"), gettext("Events"))
    steps = (("under_an_hour", gettext("under 1 hour")), ("under_a_day", gettext("under 1 day")),
             ("under_a_week", gettext("under 1 week")), ("longer", gettext("longer")))  # fmt: skip
    if not figures.waiting:
        return Panel("waiting", question, "", head, (), empty=gettext("Nothing waits."))
    counts = [(label, sum(getattr(one, name) for one in figures.waiting)) for name, label in steps]
    most, total = max(number for _, number in counts), sum(number for _, number in counts)
    bars = [_bar("held", label, number, most, counted(number)) for label, number in counts]
    oldest = now - min(one.oldest for one in figures.waiting)
    age = span_said(max(0, oldest // timedelta(milliseconds=1)))
    rows = [(reason_said(one.reason), one.number) for one in figures.waiting]
    answer = ngettext(
        "%(num)s event waits for %(age)s. Reason: %(reason)s.",
        "%(num)s events wait, the oldest for %(age)s. Most of them: %(reason)s.",
        total,
    ) % {"num": counted(total), "age": age, "reason": rows[0][0]}
    cells = [(one.reason, one.number) for one in figures.waiting]
    return Panel("waiting", question, answer, head, rows, events_said(total), bars=bars, size="half", cells=cells)


def engine_panel(found: Sequence[HalfHour], now: datetime, here: datetime) -> Panel:
    """Was the engine answering in the last day? One cell for each half hour, darker when it was slower."""
    question = gettext("Did the engine answer, and how fast")
    head = (gettext("From"), gettext("Answered"), gettext("Not booked"), gettext("95% within"))
    start = now - (now - datetime(2000, 1, 1, tzinfo=now.tzinfo)) % timedelta(minutes=30)
    start -= timedelta(minutes=30 * (HALF_HOURS - 1))
    cells, rows, total = [], [], 0
    for at in range(HALF_HOURS):
        began = start + timedelta(minutes=30 * at)
        mine = [one for one in found if one.began == began]
        counts = [count for one in mine for count in one.counts]
        number = sum(count.number for count in counts)
        stuck = sum(count.number for one in mine if one.status in ("pended", "refused") for count in one.counts)
        most, total = within(counts, MOST), total + number
        time = clock(began - now + here)
        if number:
            told = gettext("{time}: {number} answered, 95% within {span}").format(
                time=time, number=counted(number), span=span_said(most)
            )
        else:
            told = gettext("{time}: nothing came").format(time=time)
        cells.append(Cell(_cell(counts, stuck, number), told))
        if number:
            rows.append((time, number, stuck, span_said(most)))
    if not total:
        return Panel("engine", question, "", head, (), empty=gettext("Nothing came in the last 24 hours."))
    answer = ngettext("%(num)s answer in the last 24 hours.", "%(num)s answers in the last 24 hours.", total) % {
        "num": counted(total)
    }
    labels = [(at, clock(start + timedelta(minutes=30 * at) - now + here)) for at in range(0, HALF_HOURS, 12)]
    plot = strip("engine", question, answer, cells, labels)
    note = gettext("Darker is slower. A dot: nothing came. A cross: most of what came could not be booked.")
    return Panel(
        "engine", question, answer, head, rows, gettext("half hours"), plot=plot, size="most", note=note, cells=rows
    )


def charges_said(number: int) -> str:
    """How many charges."""
    return ngettext("%(num)s charge", "%(num)s charges", number) % {"num": counted(number)}


def events_said(number: int) -> str:
    """How many events."""
    return ngettext("%(num)s event", "%(num)s events", number) % {"num": counted(number)}


def _bar(kind: str, label: str, value: int, most: int, told: Amount | str, note: str = "") -> Bar:
    pieces = [Piece(kind, "0%", percent(along(value, most)))] if value > 0 else []
    return Bar(label, pieces, told, note)


def _step(column: Column, most: int) -> Bar:
    """A step of the waterfall, lying."""
    start = along(column.low, most)
    width = along(column.high, most) - start
    return Bar(column.label, [Piece(column.kind, percent(start), percent(width))] if width > 0 else [], column.said)


def _cell(counts: Sequence[Count], stuck: int, number: int) -> str:
    if not number:
        return "none"
    if 2 * stuck > number:
        return "trouble"
    most = within(counts, MOST) or 0
    return next((kind for edge, kind in _SLOW if most <= edge), "s4")


def _place(spans: Spans, edge: int | None) -> int:
    """Where on the histogram an edge stands, in thousandths of a column."""
    for at, one in enumerate(spans.bins):
        if edge is not None and one.until_ms is not None and edge <= one.until_ms:
            return 1000 * at + 1000 * (edge - one.after_ms) // (one.until_ms - one.after_ms)
    return 1000 * len(spans.bins) - 500
