"""What requests and answers hold. Made by tools/make_client.py from the OpenAPI document: do not edit."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

from drachm_client.errors import Document as Problem

Currency = str
Day = str
Instant = str
Nothing = dict[str, Any]


class AccountEntry(Struct, kw_only=True):
    """One entry of an account."""

    posted_at: str
    """RFC 3339, UTC."""
    occurred_at: str
    """RFC 3339, UTC."""
    kind: str
    """What the journal row does: `charge`, `reversal`, `top_up` ..."""
    amount: Sum
    """Positive for debits."""
    source: str
    """Whose money it stands for."""
    receipt: str | None
    """The receipt of the care, for those who may see it."""


class AccountNumber(Struct, kw_only=True):
    """An IBAN, or a routing number with an account number. It is never shown again."""

    holder: str
    """In whose name the bank keeps the account."""
    iban: str | UnsetType | None = UNSET
    routing_number: str | UnsetType | None = UNSET
    account_number: str | UnsetType | None = UNSET


class AccountView(Struct, kw_only=True):
    """One account and its balance."""

    id: str
    kind: str
    """A word of the chart of accounts."""
    side: str
    """An asset normally stands above 0, a liability below."""
    meaning: str
    owner: str
    """Id of the party, member, wallet or rail it is kept for."""
    currency: Currency
    balance: Sum


class AchReturnView(Struct, kw_only=True):
    """A debit that the payer's bank sent back."""

    id: str
    original: str
    """Trace number of the debit."""
    code: str
    """R01 to R85."""
    reason: str
    day: Day
    """Calendar day, YYYY-MM-DD."""
    amount: Money
    end: str
    """Owed by its payer, never came in, or none of ours."""


class AllocationOrder(Struct, kw_only=True):
    """Whose money it is."""

    wallet: str


class Amounts(Struct, kw_only=True):
    """Who bears what of one charge. allowed = payers + patient, where no provider bears a part of it."""

    billed: Money
    allowed: Money
    payers: Money
    patient: Money
    """The patient's share, paid or not."""
    due: Money
    """What of it no pocket has paid: still asked of the patient."""


class AnswerOrder(Struct, kw_only=True):
    """What whoever billed says to it."""

    answer: str


class ApiKeyView(Struct, kw_only=True):
    """An API key, never the key itself."""

    id: str
    name: str
    environment: str
    roles: list[str]
    parties: list[str]
    scopes: list[str]
    created_at: str
    created_by: str
    expires_at: str
    revoked_at: str | None
    replaces: str | None
    """Id of the key whose rotation made this one."""
    last_used_hour: str | None
    """Whole hour of its last use."""


class ArrearsView(Struct, kw_only=True):
    """What is owed in one currency."""

    currency: Currency
    owed: Sum
    """0: nothing is owed any more."""
    frozen: list[str]
    """Wallets that pay for nothing by themselves until it is made good."""
    pay: str
    """What to do about it, in words."""
    rails: list[str]
    """By which it can be paid."""


class AskedAmount(Struct, kw_only=True):
    """An amount of 0 or more."""

    micros: int
    currency: Currency


class AutomaticPaymentsShape(Struct, kw_only=True):
    """What is paid without asking, and from which pocket first."""

    rules: list[AutomaticRule] | UnsetType = UNSET
    """None that fits: it is paid without asking."""
    order: list[str] | UnsetType = UNSET
    """Wallets from which to draw first; the others follow in their own order."""


class AutomaticPaymentsView(Struct, kw_only=True):
    """What is paid without asking, and from which pocket first."""

    member: str
    rules: list[AutomaticRule]
    order: list[str]
    stops: list[AutomaticStop]


class AutomaticRule(Struct, kw_only=True):
    """Up to which amount care is paid without asking; of several, the first that fits a charge decides."""

    most: Money | UnsetType | None = UNSET
    """Null: any amount; 0 micros: nothing, in every currency; else a share of up to so much, in its currency."""
    provider: str | UnsetType | None = UNSET
    """Only this party's charges."""
    categories: list[str] | UnsetType = UNSET
    """Only these kinds of care; none: all."""
    per: Literal["charge", "visit"] | UnsetType = UNSET
    """`visit`: what was paid without asking for one visit counts together."""


class AutomaticStop(Struct, kw_only=True):
    """A party that is paid nothing without asking, until a question is answered or taken back."""

    provider: str
    question: str


class BankLineView(Struct, kw_only=True):
    """Money that the bank has booked."""

    id: str
    account: str
    reference: str
    day: Day
    """Calendar day, YYYY-MM-DD."""
    amount: Money
    """Below 0 it went out."""
    end: str
    """What became of it: in a pocket, apart until somebody says whose it is, owed by its payer, or none of ours."""
    note: str


class Belonging(Struct, kw_only=True):
    """When somebody belonged to the family; half-open. `from_day` is null when nobody wrote it down."""

    member: str
    from_day: str | None
    until: str | None


class BooksAgree(Struct, kw_only=True):
    """The lines, each decided again, against the entries in the books."""

    currency: Currency
    lines: Sum
    entries: Sum
    agree: bool


class BudgetShape(Struct, kw_only=True):
    """How much a person means to spend on care in a month."""

    id: str
    """A word of the holder's own for it."""
    amount: Money
    zone: str | UnsetType = UNSET
    """IANA zone in whose calendar a period is."""
    categories: list[str] | UnsetType = UNSET
    """It counts only these kinds of care; none: all."""
    asks: bool | UnsetType = UNSET
    """Nothing beyond it is paid without asking; false: it counts and tells, and withholds nothing."""


class BudgetView(Struct, kw_only=True):
    """A budget, and its month that is now."""

    id: str
    amount: Money
    zone: str
    categories: list[str]
    asks: bool
    month: str
    """YYYY-MM in its own calendar."""
    used: Sum
    """What is paid, what requests have reserved included."""
    left: Sum
    percent: int
    """Of it used, rounded down."""
    reached: list[int]
    """Of 50, 80 and 100 percent."""
    forecast: ForecastView | None
    """Null where no month lies behind."""


class BudgetsShape(Struct, kw_only=True):
    """All budgets of a person, in the place of those there are."""

    budgets: list[BudgetShape]


class BudgetsView(Struct, kw_only=True):
    """A person's budgets."""

    member: str
    budgets: list[BudgetView]


class BulkItem(Struct, kw_only=True):
    """What became of one item of a bulk: `status` as a call of its own would have answered."""

    status: int
    result: EventResult | None = None
    problem: Problem | None = None
    """The problem document of an item that was not cleared."""


class BulkResult(Struct, kw_only=True):
    """One item for each that was sent, in the same order."""

    data: list[BulkItem]


class CardOrder(Struct, kw_only=True):
    """With whom a card is to be left."""

    rail: str
    """A rail that the operator has connected."""


class CardPage(Struct, kw_only=True):
    """Where the holder goes."""

    link: str


class CareFigures(Struct, kw_only=True):
    """Figures of the charges of some months. What is not in the books is in none of them: payouts are not built yet."""

    since: Day
    """Calendar day, YYYY-MM-DD."""
    until: Day
    """Calendar day, YYYY-MM-DD."""
    parties: list[str] | None
    """Whose charges; null: everybody's."""
    sums: list[CareSums]
    care_to_books: Spans
    """From the care to where it stands in the books, funded; not yet to the clinic's bank."""
    receipt_to_books: Spans
    """From when the event was here until then."""
    owed: list[OwedByAge]
    """As of now, of all months."""
    care: list[ChargeGroup]
    refusals: list[ChargeGroup]
    waiting: list[WaitingEvents]
    books: list[BooksAgree]
    rows_behind: int
    """Journal rows that these figures have not taken in yet."""


class CareShown(Struct, kw_only=True):
    """What a member lets the payer see."""

    service: str
    """In plain words, or the code where there are none."""
    provider: str
    """Name of who gave it."""


class CareSums(Struct, kw_only=True):
    """Standing charges in one currency. billed = agreed_cut + insurers + patients; patients = paid + due +
    no_longer_asked.
    """

    currency: Currency
    charges: int
    denied: int
    """Of these, those for which every payer said no."""
    billed: Sum
    agreed_cut: Sum
    insurers: Sum
    patients: Sum
    paid: Sum
    due: Sum
    no_longer_asked: Sum
    """What the clinic has given up of it: neither paid nor due."""


class CaseDifference(Struct, kw_only=True):
    """What came out otherwise than the case says."""

    what: str
    expected: str
    found: str


class CaseView(Struct, kw_only=True):
    """How one line of a test case came out."""

    case: str
    line: int
    passed: bool
    differences: list[CaseDifference]


class CashOrder(Struct, kw_only=True):
    """Cash that a clerk holds in hand, for a pocket."""

    wallet: str
    amount: Money


class CashRefundOrder(Struct, kw_only=True):
    """Money of a wallet that its holder shall have in cash."""

    party: str
    """The clinic at whose windows it came in as cash, and goes out."""
    wallet: str
    amount: Money
    consent: str | UnsetType = UNSET
    """When, how and to whom the holder said yes; may be left out where `charge_refund` is named."""
    charge_refund: str | UnsetType | None = UNSET
    """The refund of a charge that gave it back to the wallet: no more than that is handed out."""


class CashRefundView(Struct, kw_only=True):
    """Cash on its way back, and who had a hand in it."""

    id: str
    party: str
    wallet: str
    amount: Money
    state: str
    """`ready`: the money is held in the wallet and may be handed out. `agreed` is being held: agree once more if it
    stays so. `failed`: the wallet holds too little, `why` says it.
    """
    consent: str | None
    charge_refund: str | None
    proposed_by: str
    proposed_at: str
    """RFC 3339, UTC."""
    agreed_by: str | None
    agreed_at: str | None
    withdrawn_by: str | None
    withdrawn_at: str | None
    shift: str | None
    """Out of whose box it was handed."""
    paid_by: str | None
    paid_at: str | None
    why: str | None


class Charge(Struct, kw_only=True):
    """One charge as it stands now."""

    id: str
    event: str
    receipt: str
    visit: str
    status: str
    state: str
    """`standing`, or taken back as a whole (`reversed`), or another charge stands in its place (`replaced`)."""
    revision: int
    member: str
    day: Day
    """Calendar day, YYYY-MM-DD."""
    posted_at: Instant
    provisional: bool
    """An outside payer has not said its last word."""
    provider: str | None
    """Null for relatives, who see amounts only; so are service and display."""
    service: Service | None
    display: str | None
    amounts: ChargeAmounts | None
    """Null when the patient's data were erased."""
    by_payer: list[PayerPart]
    waits: Waits | None
    """What of the due waits for the patient's yes; null for everybody but the patient."""


class ChargeAmounts(Struct, kw_only=True):
    """billed = agreed_cut + payers + patient; patient = paid + no_longer_asked + due."""

    billed: Money
    allowed: Money
    agreed_cut: Money
    """Billed, but asked of nobody: the provider bears it."""
    payers: Money
    patient: Money
    paid: Money
    """What pockets of the patient have paid."""
    no_longer_asked: Money
    """What the provider has given up of the patient's part."""
    due: Money
    """Still asked of the patient."""


class ChargeGroup(Struct, kw_only=True):
    """Charges that are alike; `name` null: several groups too small to show, or too many."""

    currency: Currency
    name: str | None
    charges: int
    agreed: Sum


class ChargePaymentOrder(Struct, kw_only=True):
    """What to pay of what is due."""

    amount: Money | UnsetType | None = UNSET
    """At most what is due; null: all of it."""
    wallets: list[str] | UnsetType = UNSET
    """From which to draw, in order; none: the patient's own order."""


class ChargePaymentView(Struct, kw_only=True):
    """A payment that is booked."""

    id: str
    charge: str
    receipt: str
    """The receipt that the charge has since."""
    amount: Money
    parts: list[WalletShare]
    due: Money
    """What is due still."""


class ChargeRefundOrder(Struct, kw_only=True):
    """A refund to be agreed to by somebody else."""

    reason: Literal["goodwill", "not_given", "sent_twice", "wrong_person", "wrong_price"]
    """`not_given`, `wrong_person`, `sent_twice`: the charge is taken back whole."""
    most: Money
    """The limit: no more than this goes back, to patient and payers together."""
    price: Money | UnsetType | None = UNSET
    """What the line shall cost instead; left out: nothing."""
    note: str | UnsetType = UNSET
    """For the second person. Sealed like all content about a patient."""


class ChargeRefundView(Struct, kw_only=True):
    """A refund on its way, and who had a hand in it."""

    id: str
    charge: str
    state: str
    """`agreed` is being posted: agree once more if it stays so. `waiting` stands in the work queue; `failed` posted
    nothing, `why` says what was in its way.
    """
    reason: str
    note: str
    most: Money
    price: Money | None
    payers: Money
    """What goes back to the payers, as foreseen when it was proposed."""
    patient: Money
    """What goes back to the patient, or is asked of them no more, likewise."""
    proposed_by: str
    proposed_at: str
    """RFC 3339, UTC."""
    agreed_by: str | None
    agreed_at: str | None
    withdrawn_by: str | None
    withdrawn_at: str | None
    event: str | None
    """The event that gave it back, `evt_...`; null until it is in the books."""
    why: str | None


class ClientKeys(Struct, kw_only=True):
    """Other public keys."""

    jwks: JwkSet


class ClientMoneyView(Struct, kw_only=True):
    """Where the money is that belongs to others, in one currency: what is owed equals where it lies."""

    currency: Currency
    wallets: Sum
    """What pockets hold, promised sums with them."""
    to_providers: Sum
    """Drawn from pockets for care, not yet paid out."""
    elsewhere: Sum
    """Owed to others besides, such as money whose payer nobody has found."""
    bank: Sum
    in_transit: Sum
    """With card processors, in boxes of windows: on its way to the bank."""
    to_be_made_good: Sum
    """Owed by holders for payments that went back, missing in boxes, or less than the smallest coin."""
    difference: Sum
    """Where it lies less what is owed: 0, or the books are broken."""


class ClientView(Struct, kw_only=True):
    """A machine that proves itself by a signed assertion."""

    id: str
    """`iss` and `sub` of its assertions."""
    name: str
    environment: str
    roles: list[str]
    parties: list[str]
    scopes: list[str]
    jwks: JwkSet
    generation: int
    """Grows with every change; tokens of an earlier generation have ended."""
    created_at: str
    created_by: str
    disabled_at: str | None


class ConsentShape(Struct, kw_only=True):
    """Whether what is due may be taken from the card on file."""

    by_card: bool


class ConsentView(Struct, kw_only=True):
    """The patient's word."""

    member: str
    by_card: bool


class Contact(Struct, kw_only=True):
    """How a party is reached in the open."""

    phone: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    address: list[str] | UnsetType = UNSET


class ContractChange(Struct, kw_only=True):
    """What holds from a day on; what is left out stays as it was agreed."""

    from_day: Day
    """Calendar day, YYYY-MM-DD."""
    price_book: str | UnsetType | None = UNSET
    network: Literal["in", "out"] | UnsetType | None = UNSET
    ends_on: Day | UnsetType | None = UNSET
    fee: int | UnsetType | None = UNSET
    rounding: str | UnsetType | None = UNSET


class ContractView(Struct, kw_only=True):
    """A contract with all its terms, the first first."""

    id: str
    provider: str
    payer: str
    terms: list[Term]
    version: int


class Correction(Struct, kw_only=True):
    """The event as it should have been, whole: what is left out is not as it was, it is absent. Source and member
    stay what they were: care given to somebody else is undone, and sent for the other person.
    """

    code: EventCode
    currency: Currency
    started_at: Instant
    event_id: str | UnsetType = UNSET
    """The sender's id of the new event; left out, one that follows from the Idempotency-Key."""
    billing_party: str | UnsetType = UNSET
    """Left out: who billed it first."""
    ended_at: Instant | UnsetType = UNSET
    modifiers: list[str] | UnsetType = UNSET
    quantity: str | UnsetType = UNSET
    """A decimal in text, above 0, at most 1000000."""
    unit: str | UnsetType = UNSET
    billed: AskedAmount | UnsetType = UNSET
    rendering_party: str | UnsetType = UNSET
    site: str | UnsetType = UNSET
    place_of_service: str | UnsetType = UNSET
    visit: str | UnsetType = UNSET
    """Left out: the visit that it belonged to."""
    admission: str | UnsetType = UNSET
    claim: str | UnsetType = UNSET
    line: str | UnsetType = UNSET
    authorisation: str | UnsetType = UNSET
    tax_ppm: int | UnsetType = UNSET
    tax_category: str | UnsetType = UNSET
    diagnoses: list[str] | UnsetType = UNSET
    diagnosis_pointers: list[int] | UnsetType = UNSET
    emergency: bool | UnsetType = UNSET
    essential: bool | UnsetType = UNSET
    display: str | UnsetType = UNSET
    facts: dict[str, str | int | bool] | UnsetType = UNSET


class CountOrder(Struct, kw_only=True):
    """What lies in the box at the end."""

    counted: Money


class CoverEligibility(Struct, kw_only=True):
    """One coverage."""

    coverage: str
    rank: int
    """1 pays first."""
    status: str
    payer: str
    """Empty where the plan is not known."""
    policy: str
    plan_id: str
    plan: PlanInForce | None
    from_: Day = field(name="from")
    """Calendar day, YYYY-MM-DD."""
    until: Day | None
    applies: bool | None
    """Whether the plan takes part in care of this person; null: the care decides."""
    network: str | None
    """Of the named provider with this payer; null when none was named."""
    limits: list[LimitView]
    waiting_periods: list[WaitingView]


class CoverageChange(Struct, kw_only=True):
    """What holds from a day on; what is left out stays."""

    from_day: Day
    """Calendar day, YYYY-MM-DD."""
    plan: str | UnsetType | None = UNSET
    rank: int | UnsetType | None = UNSET
    facts: dict[str, str | int | bool] | UnsetType | None = UNSET
    ends_on: Day | UnsetType | None = UNSET


class CoverageChanged(Struct, kw_only=True):
    """The cover as it is now, and what was cleared under it for the days that changed."""

    coverage: CoverageView
    before: CoverageView | None
    """The days before the change, under an id of their own."""
    cleared_before: list[NamedEvent]
    """Cleared under this cover for care from that day on: they stay as they are; correct what has to be."""


class CoverageEnded(Struct, kw_only=True):
    """The cover as it is now, and what was cleared under it since its end."""

    coverage: CoverageView
    adjudicated: list[EventResult]
    """Corrections, each with an event id of its own that replaces the event it corrects."""
    left: list[LeftEvent]


class CoverageView(Struct, kw_only=True):
    """One cover of a member."""

    id: str
    member: str
    plan: str
    """`none` when the cover never held."""
    payers: list[str]
    starts_on: str
    ends_on: str | None
    rank: int
    policy: str
    facts: dict[str, str | int | bool]
    version: int


class CureOrder(Struct, kw_only=True):
    """Money that makes a debt good."""

    amount: Money
    """What is more than the debt goes into the wallet."""
    rail: str | UnsetType | None = UNSET
    wallet: str | UnsetType | None = UNSET
    """Instead of over a rail, out of this wallet."""


class CureView(Struct, kw_only=True):
    """What was paid, or is on its way."""

    payment: PaymentView | None
    """Over a rail."""
    paid: Sum
    """Out of a wallet."""
    owed: Sum
    """Still."""


class Description(Struct, kw_only=True):
    """What the person at the desk says, or the card shows."""

    name: FullName | UnsetType | None = UNSET
    birth_date: Day | UnsetType | None = UNSET
    sex: Literal["", "female", "male", "other"] | UnsetType = UNSET
    identifiers: list[Identifier] | UnsetType = UNSET


class DocumentUsed(Struct, kw_only=True):
    """A version of a plan that was asked."""

    id: str
    version: str
    hash: str
    payer: str


class DuesOrder(Struct, kw_only=True):
    """Pay all that is due in a currency."""

    currency: Currency
    rail: str
    """A rail that the operator has connected."""


class DuesView(Struct, kw_only=True):
    """What is due of care in one currency."""

    currency: Currency
    owed: Sum
    """With what is carried over."""
    residue: Sum
    """Carried over from collections: less than the smallest coin."""
    charges: int
    oldest: Day | None
    """Since when the oldest of it is due."""
    collected_from: Sum | None
    """From how much on it is collected by itself; null: it is not."""
    collected_after_days: int | None
    rail: str | None
    """By which it is collected."""
    payment: PaymentView | None
    """A collection on its way: its link is where to pay."""


class EligibilityOrder(Struct, kw_only=True):
    """Whose cover, as of when, and for what."""

    member: str
    on: Day | UnsetType | None = UNSET
    """Left out: today, where the provider is."""
    provider: str | UnsetType = UNSET
    """Who would give the care; empty: nobody yet."""
    asked_by: str | UnsetType = UNSET
    """Party for whom is asked; empty: the provider, or the member's own self."""
    facts: dict[str, str | int | bool] | UnsetType = UNSET
    """What else is known of the care to come: `category`, `admitted` ..."""
    services: list[ServiceAsked] | UnsetType = UNSET


class EligibilityView(Struct, kw_only=True):
    """Cover as of a day. It promises nothing: other care may be cleared first."""

    member: str
    on: Day
    """Calendar day, YYYY-MM-DD."""
    register_version: int
    covered: bool
    coverages: list[CoverEligibility]
    services: list[ServiceEligibility]


class ErasureOrder(Struct, kw_only=True):
    """A wish to be erased."""

    words: str | UnsetType = UNSET
    """As the person said it. Sealed under the person's own key: erased with everything else."""


class ErasureView(Struct, kw_only=True):
    """A request to erase what is kept of a person."""

    id: str
    member: str
    state: str
    """`asked` waits for somebody to take it up, `proposed` for a second person. `agreed` is being done: agree once
    more if it stays so.
    """
    asked_by: str
    asked_at: str
    """RFC 3339, UTC."""
    on_behalf: bool
    """Staff wrote down what the person said elsewhere."""
    words: str | None
    """Null once it is erased."""
    answer_by: Day
    """Calendar day, YYYY-MM-DD."""
    proposed_by: str | None
    proposed_at: str | None
    agreed_by: str | None
    agreed_at: str | None
    erased_at: str | None
    refused_by: str | None
    refused_at: str | None
    ground: str | None
    until: Day | None
    note: str | None
    """Of the refusal."""
    withdrawn_by: str | None
    withdrawn_at: str | None
    in_the_way: list[InTheWayView]
    """What has to be settled first, while it waits; of one request only, lists leave it empty."""


class EstimateOrder(Struct, kw_only=True):
    """Care to estimate: events as they would be sent, in the order of a visit's lines."""

    events: list[ServiceEvent]


class EstimateView(Struct, kw_only=True):
    """What the care would cost whom if it were sent now. Nothing is posted and nothing set aside: it binds nobody."""

    estimated_at: str
    """RFC 3339, UTC."""
    register_version: int
    """Of the people, agreements and documents that were read."""
    events: list[EventEstimate]
    totals: list[EstimatedTotals]
    """One for each currency."""


class EstimatedPart(Struct, kw_only=True):
    """One part of the asked amount with its bearer. The parts sum to what was asked."""

    bearer: str
    who: str
    """Party id of a payer; empty otherwise."""
    label: str
    amount: Money


class EstimatedStep(Struct, kw_only=True):
    """One step of "why this amount?"."""

    sentence: str
    amount: Money
    """Moved by the step; below 0 when it gave back."""
    plan: str
    """Id and version."""
    clause: str
    clause_text: str
    limit: str
    """The limit that was looked at; empty when none was."""
    of_limit: int | None
    left: int | None


class EstimatedTotals(Struct, kw_only=True):
    """The amounts of all events that could be decided, in one currency."""

    billed: Sum
    allowed: Sum
    payers: Sum
    patient: Sum
    due: Sum


class Event(Struct, kw_only=True):
    """What became of one event."""

    id: str
    kind: str
    status: str
    state: str
    """What became of it since: it stands, waits, or something took its place."""
    by: str | None
    """The event that took its place."""
    reason: str
    message: str
    next_step: str
    revision: int
    receipt: str | None
    """The newest; null while there is none."""
    charge: str | None
    """Null for what is no charge, or has none yet."""
    visit: str
    member: str
    provider: str
    parties: list[str]
    """Who may see it: provider, site and payers."""
    day: Day
    """Calendar day, YYYY-MM-DD."""
    posted_at: Instant
    source: str | None
    """Null, as all below, when the patient's data were erased."""
    event_id: str | None
    replaces: str | None
    """The sender's id of the event that this one refers to; empty when it refers to none."""
    service: Service | None
    started_at: Instant | None
    received_at: Instant | None
    currency: Currency | None
    amounts: Amounts | None


class EventCode(Struct, kw_only=True):
    """A code and whose it is."""

    system: str
    value: str


class EventEstimate(Struct, kw_only=True):
    """What one event would be answered."""

    source: str
    event_id: str
    status: str
    reason: str
    message: str
    next_step: str
    duplicate: bool
    """The event was posted before: this is its first answer, not an estimate."""
    provisional: bool
    """A payer may still answer otherwise."""
    amounts: Amounts | None
    """Null where nothing could be decided."""
    pockets: list[PocketShare]
    waits: Waits | None
    """What of the due would wait for the patient's yes, though a pocket could pay it."""
    parts: list[EstimatedPart]
    credits: list[EstimatedPart]
    """What payers would give (below 0: take back) for earlier care, beside this charge."""
    why: list[EstimatedStep]
    price_rule: str
    price_book: str
    plans: list[DocumentUsed]


class EventResult(Struct, kw_only=True):
    """What became of one event."""

    source: str
    event_id: str
    status: str
    """`posted`, `denied`, `refused` and `conflict` are final; `pended` waits for something and clears later."""
    id: str | None
    """The event's own name, `evt_...`; null when nothing was written."""
    receipt: str | None
    """`rcp_...`; null when there is none: it waits, was refused, or conflicts."""
    revision: int
    """0 for the first answer; each later answer counts one more."""
    duplicate: bool
    """The event was here before, and this is its first answer again."""
    reason: str
    """A word of the published list of reasons; empty when all went well."""
    message: str
    next_step: str
    """What the sender can do; empty when there is nothing to do."""
    posted_at: str | None
    amounts: Amounts | None
    """Null where nothing was decided."""


class EventRevision(Struct, kw_only=True):
    """One answer that an event has had."""

    revision: int
    status: str
    reason: str
    message: str
    posted_at: Instant
    receipt: str | None
    amounts: Amounts | None
    stands: bool
    """Nothing took its place."""
    by: str | None
    """What took its place: the event's own next answer has the event's own name."""


class ExpenseRulesListed(Struct, kw_only=True):
    """Expense rules and their published versions."""

    id: str
    title: str
    versions: list[VersionView]


class ExpenseRulesOrder(Struct, kw_only=True):
    """A document of expense rules."""

    document: dict[str, Any]
    """The whole document; integers only, unknown keys are refused."""


class ExpenseRulesView(Struct, kw_only=True):
    """A published version of expense rules."""

    id: str
    title: str
    version: VersionView
    versions: list[VersionView]
    document: dict[str, Any]


class FamilyView(Struct, kw_only=True):
    """A family and who belongs to it, when."""

    id: str
    members: list[Belonging]
    version: int


class FaultView(Struct, kw_only=True):
    """A place of the draft that keeps it from being published."""

    pointer: str
    """JSON Pointer into the document."""
    code: str
    detail: str
    next_step: str


class FeeView(Struct, kw_only=True):
    """What the rail is expected to keep, for the operator to bear."""

    amount: Money
    share_ppm: int
    """Of the payment, in parts per million."""
    worthwhile_from: Money | None
    """The smallest amount of which the fee takes no more than a twentieth; null when there is none."""
    warning: str
    """The same in words."""


class ForecastView(Struct, kw_only=True):
    """The end of the month as it looks now: what is spent, and what past months brought on the days that remain."""

    low: Sum
    likely: Sum
    """The mean of those months."""
    high: Sum
    months: int
    """How many past months it rests on, 1 to 3."""


class FoundMembers(Struct, kw_only=True):
    """Who fits a name; fifty at most."""

    data: list[MemberView]


class FullName(Struct, kw_only=True):
    """As it stands on a card; each part may have several words."""

    family: str | UnsetType = UNSET
    given: str | UnsetType = UNSET


class Happening(Struct, kw_only=True):
    """One answer to one event, or money that came in."""

    id: str
    """`rev_...`; good for `after`, for ever."""
    what: str
    status: str
    event: str | None
    """Null for money that came in."""
    revision: int
    receipt: str | None
    visit: str | None
    member: str
    provider: str
    day: Day
    """Calendar day, YYYY-MM-DD."""
    posted_at: Instant


class Happenings(Struct, kw_only=True):
    """What happened, in order."""

    data: list[Happening]
    next: str | None
    """The cursor of the piece that follows; null when there is no more now."""
    resume: str
    """The cursor to come back with later, for a day; `after` with the last id has no end."""


class Health(Struct, kw_only=True):
    """The process answers."""

    status: str


class HelperAnswer(Struct, kw_only=True):
    """A helper's yes."""

    invitation: str
    code: str


class Identifier(Struct, kw_only=True):
    """A number by which somebody knows the person."""

    system: str
    """Whose number it is: a URI, an OID or a word such as `ssn`."""
    value: str


class InTheWayView(Struct, kw_only=True):
    """Something that has to be settled first."""

    what: str
    of: str | None
    """Its id: of a wallet, payment, refund, question, or event."""
    amount: Sum | None
    next_step: str


class InvitationAnswer(Struct, kw_only=True):
    """Yes or no."""

    invitation: str
    accept: bool
    """With yes the member agrees that the pocket pays, and that its funder and holder see amount, date and name."""
    code: str | UnsetType | None = UNSET
    """Of an invitation that names nobody."""


class InvitationView(Struct, kw_only=True):
    """An invitation."""

    id: str
    wallet: str
    asked: str
    member: str | None
    """Whom it names."""
    holder: str | None
    """Who decides for the others of the pocket, and will see amount, date and name."""
    funder: str | None
    """Whose party puts money in, and will see the same."""
    limits: int
    """How many limits would hold."""
    state: str
    opens_at: Instant
    expires_at: Instant
    code: str | None
    """Shown once, to whoever asked; single-use."""


class Joining(Struct, kw_only=True):
    """Somebody who belongs to the family from a day on."""

    member: str
    from_day: Day
    """Calendar day, YYYY-MM-DD."""


class JwkSet(Struct, kw_only=True):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, Any]]


class LeftEvent(Struct, kw_only=True):
    """An event that was not decided anew."""

    id: str | None
    source: str
    event_id: str
    why: str
    """`hold`: not delivered yet. `payer_answered`: an outside payer decided it: ask there. `erased`: its content is
    gone. `merged`: it stands under a member merged into this one since. `not_yet`: make the call again.
    """


class LimitShape(Struct, kw_only=True):
    """What one member may take in each period."""

    amount: Money
    every: Literal["day", "ever", "month", "year"]
    """`day`, `month` and `year` of the calendar; `ever`: all time."""
    zone: str | UnsetType = UNSET
    """IANA zone in whose calendar a period is."""
    categories: list[str] | UnsetType = UNSET
    """It counts only these kinds of care; none: all."""


class LimitView(Struct, kw_only=True):
    """A deductible, a maximum or a count, as it stands. Care that waits to be cleared is not in it yet."""

    step: str
    kind: str
    """`deductible`, `out_of_pocket_max`, `benefit_limit`, `period_cap`, `copay`, `coinsurance`, `pay`, `band`."""
    clause: str
    clause_text: str
    accumulator: str
    scope: str
    period: str
    from_: Day | None = field(name="from")
    until: Day | None
    """The first day that is counted no more; null likewise."""
    counted: str
    """Money is told in `*_amount`, everything else in `*_count` (units: in millionths)."""
    split: dict[str, str | int | bool | None]
    """Facts by which the total is kept apart, such as the network."""
    when: list[dict[str, str | int | bool | None]]
    """The care it holds for, one entry for each way; empty: all care that `needs` leaves open."""
    needs: list[str]
    """Facts that decide and are not known: send them in `facts` for an exact answer."""
    limit_amount: Sum | None = None
    used_amount: Sum | None = None
    left_amount: Sum | None = None
    limit_count: int | None = None
    used_count: int | None = None
    left_count: int | None = None


class LinkOrder(Struct, kw_only=True):
    """A link to make."""

    hours: int | UnsetType = UNSET
    """How long it opens the page; a week when nothing is said."""
    second_factor: SecondQuestion | UnsetType | None = UNSET
    """None: the birth date where it is registered, else `none`. The newest link's answer counts for all of them."""
    replace: bool | UnsetType = UNSET
    """Withdraw every earlier link first. Also sets the tries back after too many wrong answers."""


class MaskedNumber(Struct, kw_only=True):
    """What may be shown of a number."""

    holder: str
    scheme: str
    shown: str
    """The last four characters."""


class MatchView(Struct, kw_only=True):
    """Who it is; nothing of the person but the member id."""

    outcome: str
    """`too_little`: an identifier with a name or birth date, or both names with the birth date, are needed."""
    member: str | None
    score: int | None
    evidence: dict[str, str]
    """What was compared, and how alike it is: `equal`, `close` or `different`."""


class Me(Struct, kw_only=True):
    """The caller as this service knows them."""

    tenant: str
    environment: str
    kind: str
    """`person` or `machine`."""
    subject: str
    """Stable name of the caller; what members name to let somebody look at their receipts."""
    credential: str
    roles: list[str]
    scopes: list[str]
    parties: list[str]
    members: list[TieView]


class MemberChange(Struct, kw_only=True):
    """What is known better now; what is left out stays, lists are replaced whole."""

    name: FullName | UnsetType | None = UNSET
    birth_date: Day | UnsetType | None = UNSET
    sex: Literal["", "female", "male", "other"] | UnsetType | None = UNSET
    identifiers: list[Identifier] | UnsetType | None = UNSET
    contact: PersonContact | UnsetType | None = UNSET
    facts: dict[str, str | int | bool] | UnsetType | None = UNSET


class MemberLimitView(Struct, kw_only=True):
    """A limit, and what is left of it in the period that is now."""

    amount: Money
    every: str
    zone: str
    categories: list[str]
    period: str
    """``D2025-03-14``, ``M2025-03``, ``Y2025-01-01``, or ``L`` for all time."""
    used: Sum
    """What holds have reserved included."""
    left: Sum


class MemberView(Struct, kw_only=True):
    """One member, as far as the caller has to do with them. Other clinics and payers are not told."""

    id: str
    name: FullName
    birth_date: str | None
    sex: str
    identifiers: list[Identifier]
    contact: PersonContact | None
    family: str | None
    facts: dict[str, str | int | bool]
    merged_into: str | None
    """As whom the person is known now, when this record was merged into another."""
    version: int


class MergeView(Struct, kw_only=True):
    """A merge, and what it moved in the register. No row of the journal is touched."""

    member: str
    into: str
    state: str
    changed_at: str
    coverages: list[str]
    pots: list[str]


class MergeWish(Struct, kw_only=True):
    """Treat `member` as `into` from now on."""

    member: str
    into: str
    """The record that goes on: the one under which most of the year was cleared. Covers and pockets move to it; what
    a plan has counted so far, such as a deductible met, stays with the record under which it was counted.
    """


class Money(Struct, kw_only=True):
    """An amount of one currency."""

    micros: int
    """Millionths of the currency unit."""
    currency: Currency


class NameWish(Struct, kw_only=True):
    """A name as somebody typed it."""

    name: str


class NamedEvent(Struct, kw_only=True):
    """An event that a change of cover touches."""

    id: str
    source: str
    event_id: str


NewApiKeyRoles = Literal[
    "auditor",
    "clerk",
    "finance",
    "funder",
    "integrator",
    "operator",
    "payer",
    "price_editor",
]
NewApiKeyScopes = Literal[
    "estimates",
    "events:read",
    "events:write",
    "keys:read",
    "keys:write",
    "members:read",
    "members:write",
    "money:read",
    "money:write",
    "parties:read",
    "parties:write",
    "payouts:read",
    "payouts:write",
    "plans:read",
    "plans:write",
    "receipts:read",
    "receipts:share",
]


class NewApiKey(Struct, kw_only=True):
    """A key to make."""

    name: str
    """What people call it."""
    roles: list[NewApiKeyRoles]
    parties: list[str] | UnsetType = UNSET
    """For whom it acts; every role holds at every one of them."""
    scopes: list[NewApiKeyScopes]
    expires_at: Instant | UnsetType | None = UNSET
    """At most 400 days from now; left out: in 90 days."""


class NewApiKeyView(Struct, kw_only=True):
    """A new key."""

    id: str
    name: str
    environment: str
    roles: list[str]
    parties: list[str]
    scopes: list[str]
    created_at: str
    created_by: str
    expires_at: str
    revoked_at: str | None
    replaces: str | None
    """Id of the key whose rotation made this one."""
    last_used_hour: str | None
    """Whole hour of its last use."""
    key: str
    """Shown this once: keep it where secrets are kept."""


NewClientRoles = Literal[
    "auditor",
    "clerk",
    "finance",
    "funder",
    "integrator",
    "operator",
    "payer",
    "price_editor",
]
NewClientScopes = Literal[
    "estimates",
    "events:read",
    "events:write",
    "keys:read",
    "keys:write",
    "members:read",
    "members:write",
    "money:read",
    "money:write",
    "parties:read",
    "parties:write",
    "payouts:read",
    "payouts:write",
    "plans:read",
    "plans:write",
    "receipts:read",
    "receipts:share",
]


class NewClient(Struct, kw_only=True):
    """A machine to register."""

    name: str
    """What people call it."""
    roles: list[NewClientRoles]
    parties: list[str] | UnsetType = UNSET
    """For whom it acts; every role holds at every one of them."""
    scopes: list[NewClientScopes]
    jwks: JwkSet
    """The public halves of the keys that it signs with; each has a `kid`."""


class NewContract(Struct, kw_only=True):
    """What was agreed."""

    provider: str
    payer: str
    """A payer; `*` for every payer without a contract of its own; empty for those who pay themselves."""
    price_book: str
    """Id of a published price book, or `as-submitted`."""
    starts_on: Day
    """Calendar day, YYYY-MM-DD."""
    ends_on: Day | UnsetType | None = UNSET
    """The first day on which it does not hold any more."""
    network: Literal["in", "out"] | UnsetType = UNSET
    fee: int | UnsetType = UNSET
    """Parts per million."""
    rounding: str | UnsetType = UNSET
    """How the parties round what they settle, in their words; the plan rounds what is cleared."""


class NewCoverage(Struct, kw_only=True):
    """A cover to register."""

    member: str
    plan: str
    """Id of a published plan; its payer is the one that covers."""
    starts_on: Day
    """Calendar day, YYYY-MM-DD."""
    ends_on: Day | UnsetType | None = UNSET
    """The first day that is not covered any more."""
    id: str | UnsetType | None = UNSET
    rank: int | UnsetType = UNSET
    """1 pays first; the next take over what is left."""
    policy: str | UnsetType | None = UNSET
    """Coverages with one policy share what the plan counts by policy."""
    facts: dict[str, str | int | bool] | UnsetType = UNSET
    """What plans and price books may ask about: words, whole numbers, flags."""


class NewFamily(Struct, kw_only=True):
    """A family to found."""

    party: str | UnsetType | None = UNSET
    """The payer that founds it; the operator may leave it out."""
    id: str | UnsetType | None = UNSET
    members: list[Joining] | UnsetType = UNSET


class NewInvitation(Struct, kw_only=True):
    """Whom to ask, and on which terms."""

    asked: Literal["helper", "member"] | UnsetType = UNSET
    member: str | UnsetType | None = UNSET
    """One of the family for whom the pocket was opened, or who was in it before; nobody: whoever brings the code."""
    limits: list[LimitShape] | UnsetType = UNSET
    """Of a member: what it may take."""
    days: int | UnsetType = UNSET
    """How long the invitation stands."""


class NewMember(Struct, kw_only=True):
    """A person to enrol."""

    id: str | UnsetType | None = UNSET
    """As events will name the person; left out: one is made."""
    registered_by: str | UnsetType | None = UNSET
    """The clinic or payer that enrols the person; the operator may leave it out."""
    name: FullName | UnsetType | None = UNSET
    birth_date: Day | UnsetType | None = UNSET
    sex: Literal["", "female", "male", "other"] | UnsetType = UNSET
    identifiers: list[Identifier] | UnsetType = UNSET
    contact: PersonContact | UnsetType | None = UNSET
    facts: dict[str, str | int | bool] | UnsetType = UNSET
    """What plans and price books may ask about: words, whole numbers, flags."""
    distinct_from: list[str] | UnsetType = UNSET
    """Members who look alike and are somebody else: somebody has asked."""


class NewParty(Struct, kw_only=True):
    """A party to register."""

    roles: list[Literal["employer", "funder", "payer", "provider"]]
    name: str
    id: str | UnsetType | None = UNSET
    """As events will name it; left out: one is made."""
    zone: str | UnsetType = UNSET
    """IANA time zone in which its days begin."""
    npi: str | UnsetType | None = UNSET
    facts: dict[str, str | int | bool] | UnsetType = UNSET
    """What plans and price books may ask about: words, whole numbers, flags."""
    contact: Contact | UnsetType | None = UNSET


class NewPayoutAccount(Struct, kw_only=True):
    """An account to be paid to."""

    party: str
    currency: Currency
    number: AccountNumber


class NewPractitioner(Struct, kw_only=True):
    """Somebody who gives care."""

    name: str
    id: str | UnsetType | None = UNSET
    npi: str | UnsetType | None = UNSET
    specialty: str | UnsetType = UNSET
    starts_on: Day | UnsetType | None = UNSET
    ends_on: Day | UnsetType | None = UNSET
    """The first day after the engagement."""


class NewReceiptLink(Struct, kw_only=True):
    """The link itself: shown this once, kept nowhere. It opens the page for whoever holds it."""

    id: str
    receipt: str
    question: str
    created_at: Instant
    expires_at: Instant
    url: str


class NewRelative(Struct, kw_only=True):
    """Somebody who may look."""

    subject: str
    """Their `subject`, as they read it in their own `GET /v1/me`."""
    valid_until: Instant
    relation: Literal["relative", "self"] | UnsetType = UNSET
    """`self`: this login is the member's own. Only an operator may say so."""


class NewSite(Struct, kw_only=True):
    """A place where care is given."""

    name: str
    id: str | UnsetType | None = UNSET
    zone: str | UnsetType | None = UNSET
    """Left out: the provider's."""
    contact: Contact | UnsetType | None = UNSET
    starts_on: Day | UnsetType | None = UNSET
    ends_on: Day | UnsetType | None = UNSET
    """The first day on which it is closed."""
    facts: dict[str, str | int | bool] | UnsetType = UNSET
    """What plans and price books may ask about: words, whole numbers, flags."""


class NoticeView(Struct, kw_only=True):
    """Something a member was told."""

    id: str
    what: str
    """A budget came to a step; a payment went back, and wallets pay for nothing by themselves until it is made good;
    it is made good; money came, and something due of earlier care was paid by itself.
    """
    at: str
    """RFC 3339, UTC."""
    budget: str | None = None
    """Of a step: which budget."""
    amount: Money | None = None
    """Of a step: the budget as it was then."""
    month: str | None = None
    """Of a step: YYYY-MM in the budget's own calendar."""
    percent: int | None = None
    """Of a step: 50, 80 or 100."""
    member: str | None = None
    """Of a step of the budget that a holder keeps for one member of a shared pot: that member."""
    used: Sum | None = None
    """Of a step: when it was noticed."""
    owed: Sum | None = None
    """Of a payment that went back: all that was owed then."""
    cure: str | None = None
    """Of a payment that went back: the call that makes it good."""
    paid: Money | None = None
    """Of care that was paid late: how much."""
    due: Sum | None = None
    """Of care that was paid late: what was due of the charge still."""
    day: str | None = None
    """Of care that was paid late: the day of the care, YYYY-MM-DD."""
    receipt: str | None = None
    """Of care that was paid late: the charge's receipt, which says by what."""


class NpiAnswer(Struct, kw_only=True):
    """Whether the number is one that may exist; whether it does, only its register knows."""

    npi: str
    well_formed: bool


class NpiQuestion(Struct, kw_only=True):
    """NpiQuestion."""

    npi: str


class NumberChange(Struct, kw_only=True):
    """Another number for an account."""

    number: AccountNumber


class OperationView(Struct, kw_only=True):
    """What became of a call."""

    key: str
    state: str
    """`in_progress`, `done`; more words may come."""
    begun_at: str
    done_at: str | None
    status: int | None
    """HTTP status of its answer; null while it is worked on."""
    body: Any
    """The body of its answer; null while it is worked on, and for an answer without one."""


class OwedByAge(Struct, kw_only=True):
    """What is owed for care that is so many days old."""

    currency: Currency
    from_days: int
    until_days: int | None
    insurers: Sum
    patients: Sum


class AccountEntryPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[AccountEntry]
    next: str | None


class AccountViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[AccountView]
    next: str | None


class ApiKeyViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[ApiKeyView]
    next: str | None


class ArrearsViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[ArrearsView]
    next: str | None


class BankLineViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[BankLineView]
    next: str | None


class CashRefundViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[CashRefundView]
    next: str | None


class ChargeRefundViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[ChargeRefundView]
    next: str | None


class ChargePage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[Charge]
    next: str | None


class ClientViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[ClientView]
    next: str | None


class ContractViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[ContractView]
    next: str | None


class CoverageViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[CoverageView]
    next: str | None


class DuesViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[DuesView]
    next: str | None


class ErasureViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[ErasureView]
    next: str | None


class EventRevisionPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[EventRevision]
    next: str | None


class EventPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[Event]
    next: str | None


class ExpenseRulesListedPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[ExpenseRulesListed]
    next: str | None


class FamilyViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[FamilyView]
    next: str | None


class InvitationViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[InvitationView]
    next: str | None


class MemberViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[MemberView]
    next: str | None


class NoticeViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[NoticeView]
    next: str | None


class PairViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[PairView]
    next: str | None


class PartyViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[PartyView]
    next: str | None


class PaymentViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[PaymentView]
    next: str | None


class PayoutAccountViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[PayoutAccountView]
    next: str | None


class PayoutChangeViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[PayoutChangeView]
    next: str | None


class PlanListedPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[PlanListed]
    next: str | None


class PotBudgetViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[PotBudgetView]
    next: str | None


class PractitionerViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[PractitionerView]
    next: str | None


class PriceBookListedPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[PriceBookListed]
    next: str | None


class QuestionViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[QuestionView]
    next: str | None


class ReceiptLinkPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[ReceiptLink]
    next: str | None


class ReceiptViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[ReceiptView]
    next: str | None


class RefundViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[RefundView]
    next: str | None


class RelativeViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[RelativeView]
    next: str | None


class ShiftViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[ShiftView]
    next: str | None


class SiteViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[SiteView]
    next: str | None


class StatementLinePage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[StatementLine]
    next: str | None


class VisitSummaryPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[VisitSummary]
    next: str | None


class WalletEntryPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[WalletEntry]
    next: str | None


class WalletMemberPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[WalletMember]
    next: str | None


class WalletViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[WalletView]
    next: str | None


class WorkItemPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[WorkItem]
    next: str | None


class WriteOffViewPage(Struct, kw_only=True):
    """A piece of a list. `next` is the cursor of the piece that follows, null at the end."""

    data: list[WriteOffView]
    next: str | None


class PairView(Struct, kw_only=True):
    """Two members who may be one person."""

    member: str
    other: str
    score: int
    evidence: dict[str, str]


class PartyChange(Struct, kw_only=True):
    """What shall be said of a party from now on; what is left out stays."""

    roles: list[Literal["employer", "funder", "payer", "provider"]] | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    zone: str | UnsetType | None = UNSET
    npi: str | UnsetType | None = UNSET
    facts: dict[str, str | int | bool] | UnsetType | None = UNSET
    contact: Contact | UnsetType | None = UNSET


class PartyView(Struct, kw_only=True):
    """A party as the directory shows it."""

    id: str
    roles: list[str]
    name: str
    zone: str
    npi: str | None
    facts: dict[str, str | int | bool]
    contact: Contact | None
    version: int


class PayOrder(Struct, kw_only=True):
    """Out of which box."""

    shift: str


class PayerPart(Struct, kw_only=True):
    """What one payer pays."""

    party: str
    amount: Money


class PaymentOrder(Struct, kw_only=True):
    """Money to bring in."""

    amount: Money
    rail: str
    """A rail that the operator has connected."""


class PaymentView(Struct, kw_only=True):
    """A payment over a rail."""

    id: str
    wallet: str
    rail: str
    amount: Money
    state: str
    link: str | None
    """Where the payer goes, or what the payer's phone opens, while the payment waits for them."""
    reason: str | None
    automatic: bool
    begun_at: str
    """RFC 3339, UTC."""
    refunded: Money
    """What of it was refunded, or is on its way back."""
    fee: FeeView | None
    """Only when it is dear for the amount."""


class PayoutAccountView(Struct, kw_only=True):
    """Where a party is paid. `number` is null as long as no number is in force: nothing is paid there."""

    id: str
    party: str
    currency: str
    number: MaskedNumber | None
    waiting: list[PayoutChangeView]
    version: int


class PayoutChangeView(Struct, kw_only=True):
    """A proposed number on its way, and who had a hand in it."""

    id: str
    payout_account: str
    number: MaskedNumber
    state: str
    """`approved` waits for its day; `in_force` is where money goes."""
    proposed_by: str
    proposed_at: str
    approved_by: str | None
    approved_at: str | None
    holds_from: str | None
    withdrawn_by: str | None
    withdrawn_at: str | None


class PayoutOrder(Struct, kw_only=True):
    """How much of a pocket its holder wants back."""

    amount: Money


class PayoutView(Struct, kw_only=True):
    """What was sent back to the cards and accounts that had filled the pocket, newest first."""

    wallet: str
    refunds: list[RefundView]
    rest: Sum
    """Of what was asked for: came by ways that take nothing back, such as cash; it stays in the pocket."""


class PersonContact(Struct, kw_only=True):
    """How the person is reached."""

    phone: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    address: list[str] | UnsetType = UNSET
    language: str | UnsetType = UNSET
    """Of text messages and slips, as in HTML (BCP 47); English where it is none of ours."""
    text_messages: bool | UnsetType = UNSET
    """False: this person wants none."""


class PlanCase(Struct, kw_only=True):
    """A test case: lines in order, from empty totals."""

    name: str
    lines: list[PlanCaseLine]


class PlanCaseLine(Struct, kw_only=True):
    """One line of care of a story."""

    cost: int
    """Micros of the plan's currency."""
    at: Instant
    expect: PlanExpectation
    billed: int | UnsetType | None = UNSET
    """Left out: the cost."""
    member: str | UnsetType = UNSET
    family: str | UnsetType = UNSET
    policy: str | UnsetType = UNSET
    visit: str | UnsetType = UNSET
    admission: str | UnsetType = UNSET
    quantity: str | UnsetType = UNSET
    """A decimal in text, above 0, at most 1000000."""
    facts: dict[str, str | int | bool] | UnsetType = UNSET


class PlanDraft(Struct, kw_only=True):
    """The draft of a plan's next version."""

    plan_id: str
    payer: str
    written_by: str
    written_at: str | None
    document: dict[str, Any]
    cases: list[PlanCase]


class PlanDraftOrder(Struct, kw_only=True):
    """A plan document (docs/reference/plan-model.md) with its own test cases."""

    document: dict[str, Any]
    """The whole document; integers only, unknown keys are refused."""
    cases: list[PlanCase] | UnsetType = UNSET


class PlanExpectation(Struct, kw_only=True):
    """What a line shall come to; what is left out is not looked at. Micros of the plan's currency."""

    patient: int | UnsetType | None = UNSET
    payers: int | UnsetType | None = UNSET
    provider: int | UnsetType | None = UNSET
    decision: Literal["covered", "denied", "self_pay"] | UnsetType | None = UNSET
    reason: str | UnsetType | None = UNSET
    """Of the denial, or for which the line waits."""
    components: dict[str, int] | UnsetType = UNSET
    """`deductible`, `copay`, `plan_paid` ..."""


class PlanInForce(Struct, kw_only=True):
    """The version of a plan that holds on the day."""

    id: str
    version: str
    hash: str
    title: str
    from_: Day = field(name="from")
    """Calendar day, YYYY-MM-DD."""
    until: Day | None
    """Its own end, or the day on which the next version takes over."""


class PlanListed(Struct, kw_only=True):
    """A plan and its published versions, without their rules."""

    id: str
    title: str
    payer: str
    currency: Currency
    in_force: VersionView | None
    """Today (UTC), or on the day that the query names."""
    versions: list[VersionView]


class PlanUsed(Struct, kw_only=True):
    """A plan that decided, exactly."""

    id: str
    version: str
    hash: str


class PlanView(Struct, kw_only=True):
    """A published version of a plan with its clauses."""

    id: str
    title: str
    payer: str
    currency: Currency
    version: VersionView
    versions: list[VersionView]
    document: dict[str, Any]


class PocketShare(Struct, kw_only=True):
    """What one pocket would pay of the patient's share."""

    pocket: str
    """The kind of pocket: `wallet`, `assistance` ..."""
    amount: Money
    held: bool
    """It would be set aside for the request, not paid."""


class PotBudgetShape(Struct, kw_only=True):
    """How much a shared pot is meant to spend in a month."""

    amount: Money | None
    """Null: no budget any more."""
    zone: str | UnsetType = UNSET
    """IANA zone in whose calendar a period is."""


class PotBudgetView(Struct, kw_only=True):
    """The budget of a shared pot, and its month that is now."""

    wallet: str
    member: str | None
    """On whose care; null: everybody's."""
    amount: Money | None
    zone: str
    month: str
    """YYYY-MM in its own calendar."""
    used: Sum
    """What the pot paid for care in it, what requests have reserved included."""
    left: Sum
    percent: int
    """Of it used, rounded down; 0 without a budget."""
    reached: list[int]
    """Of 50, 80 and 100 percent; at each its holder is told once."""
    forecast: ForecastView | None
    """Null where no month lies behind."""


class PractitionerChange(Struct, kw_only=True):
    """What is left out stays."""

    name: str | UnsetType | None = UNSET
    npi: str | UnsetType | None = UNSET
    specialty: str | UnsetType | None = UNSET
    starts_on: Day | UnsetType | None = UNSET
    ends_on: Day | UnsetType | None = UNSET


class PractitionerView(Struct, kw_only=True):
    """Who gives care for a provider."""

    id: str
    party: str
    name: str
    npi: str | None
    specialty: str
    starts_on: str | None
    ends_on: str | None
    version: int


class PreviewChange(Struct, kw_only=True):
    """One currency, before and after."""

    currency: str
    before: PreviewSums
    after: PreviewSums


class PreviewOrder(Struct, kw_only=True):
    """Which past care to try the draft on."""

    from_: Day = field(name="from")
    """Calendar day, YYYY-MM-DD."""
    until: Day
    """Calendar day, YYYY-MM-DD."""
    most: int | UnsetType = UNSET
    """Charges to look at, at most."""


class PreviewSums(Struct, kw_only=True):
    """What the charges came to in one currency."""

    billed: Sum
    allowed: Sum
    payers: Sum
    patient: Sum
    provider: Sum
    """Of the allowed amounts, and the cut from what was asked."""
    denied: int


class PreviewView(Struct, kw_only=True):
    """Past charges decided again under the draft: sums, no person named. The running totals of the first charge are
    as they stood; from then on they move as the draft says.
    """

    from_: Day = field(name="from")
    """Calendar day, YYYY-MM-DD."""
    until: Day
    """Calendar day, YYYY-MM-DD."""
    looked_at: int
    """Charges of the period that were looked at."""
    more: bool
    """There were more than could be looked at: the newest were taken."""
    erased: int
    """Of those, charges whose content was erased."""
    decided: int
    """Charges that the draft has to do with, and could decide."""
    changed: int
    """Of those, charges with other amounts or another decision."""
    undecided: dict[str, int]
    """Charges that would wait under the draft, by reason."""
    withheld: bool
    """The charges are of fewer than five people: sums are left out, for they would tell of one."""
    sums: list[PreviewChange]


class PriceBookDraft(Struct, kw_only=True):
    """The draft of a price book's next version."""

    price_book_id: str
    owner: str
    written_by: str
    written_at: str | None
    document: dict[str, Any]
    cases: list[PriceCase]


class PriceBookDraftOrder(Struct, kw_only=True):
    """A price book document (docs/reference/price-book.md) with the services it must price."""

    document: dict[str, Any]
    """The whole document; integers only, unknown keys are refused."""
    owner: str
    """The party whose book it is: provider or payer."""
    cases: list[PriceCase] | UnsetType = UNSET


class PriceBookListed(Struct, kw_only=True):
    """A price book and its published versions, without their prices."""

    id: str
    title: str
    currency: Currency
    in_force: VersionView | None
    """Today (UTC), or on the day that the query names."""
    versions: list[VersionView]


class PriceBookView(Struct, kw_only=True):
    """A published version of a price book."""

    id: str
    title: str
    currency: Currency
    version: VersionView
    versions: list[VersionView]
    document: dict[str, Any]


class PriceCase(Struct, kw_only=True):
    """A service that the book must price, and what is agreed for it."""

    name: str
    code: EventCode
    on: Day
    """Calendar day, YYYY-MM-DD."""
    allowed: int | UnsetType | None = UNSET
    """The whole line; left out: any price will do."""
    waits: str | UnsetType | None = UNSET
    """The reason for which the line shall wait instead of being priced."""
    billed: int | UnsetType = UNSET
    """Micros of the book's currency."""
    modifiers: list[str] | UnsetType = UNSET
    quantity: str | UnsetType = UNSET
    """A decimal in text, above 0, at most 1000000."""
    unit: str | UnsetType = UNSET
    place_of_service: str | UnsetType = UNSET
    emergency: bool | UnsetType = UNSET
    facts: dict[str, str | int | bool] | UnsetType = UNSET
    locality: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    facility_level: str | UnsetType = UNSET
    facility: bool | UnsetType = UNSET
    network: Literal["", "in", "out"] | UnsetType = UNSET
    rural: bool | UnsetType = UNSET


class PriceUsed(Struct, kw_only=True):
    """What the agreed price follows from."""

    price_book: str
    """Id of the book; `as-submitted` when the asked price is the agreed one."""
    version: str
    hash: str
    rule: str


class PrivacyShape(Struct, kw_only=True):
    """What a member wishes of one pocket."""

    shares: bool | UnsetType = UNSET
    """Let its funder and holder see what the care was, and where. Care that is kept private is never shown."""
    private_categories: list[str] | UnsetType = UNSET
    """Kinds of care of which this pocket pays nothing from now on; `*`: all."""


class PrivacyView(Struct, kw_only=True):
    """What a member wishes of one pocket."""

    wallet: str
    member: str
    shares: bool
    private_categories: list[str]
    may_keep_private: list[str]
    """Kinds of care that the member may keep private, by age and law; `*`: all."""


class Publication(Struct, kw_only=True):
    """From when on the draft holds. What the document itself says of its days is replaced."""

    from_: Day = field(name="from")
    """Calendar day, YYYY-MM-DD."""
    until: Day | UnsetType | None = UNSET
    """The first day on which it holds no more. Leave it out for the last version only: a version that holds until
    further notice leaves no day for the next one.
    """


class QuestionOrder(Struct, kw_only=True):
    """What is not right about it."""

    choice: Literal["amount_wrong", "not_agreed", "not_received"]
    """`not_received`: I did not get this care; `amount_wrong`; `not_agreed`: I did not agree to automatic payment."""
    note: str | UnsetType = UNSET
    """For whoever billed. Sealed like all content about a patient."""
    stop: bool | UnsetType = UNSET
    """Pay this provider nothing without asking me until it is settled."""


class QuestionView(Struct, kw_only=True):
    """A question and what became of it."""

    id: str
    receipt: str
    member: str
    provider: str
    choice: str
    note: str
    stops: bool
    """Nothing is paid to the provider without asking, until it is settled."""
    state: str
    asked_at: str
    """RFC 3339, UTC."""
    answer: str | None
    settled_at: str | None


class Readiness(Struct, kw_only=True):
    """Requests may be sent here."""

    status: str
    checks: dict[str, bool]
    """What was looked at, such as the database."""


class ReceiptAmounts(Struct, kw_only=True):
    """billed = provider + payers + patient; the parts sum to billed."""

    billed: Money
    allowed: Money
    provider: Money
    """Billed, but asked of nobody."""
    payers: Money
    patient: Money
    due: Money


class ReceiptLink(Struct, kw_only=True):
    """One link that still opens its receipt."""

    id: str
    receipt: str
    question: str
    created_at: Instant
    expires_at: Instant


class ReceiptPart(Struct, kw_only=True):
    """One amount with whoever bears it."""

    bearer: str
    who: str
    """The payer, or the patient's pocket; empty for what nobody pays and for what is still to pay."""
    label: str
    amount: Money


class ReceiptView(Struct, kw_only=True):
    """One answer to one event, and who bears what."""

    id: str
    event: str
    charge: str | None
    """Null for what is no charge: a reversal, a hold, its end."""
    visit: str
    kind: str
    status: str
    current: bool
    """False when a later answer took its place."""
    next_receipt: str | None
    """The receipt that took its place, where it is the caller's to see."""
    revision: int
    sentence: str
    """What it comes to, in words a relative understands."""
    reason: str
    next_step: str
    member: str
    day: Day
    """Calendar day, YYYY-MM-DD."""
    posted_at: Instant
    currency: Currency | None
    """Null, as the amounts, when the patient's data were erased."""
    amounts: ReceiptAmounts | None
    parts: list[ReceiptPart]
    credits: list[ReceiptPart]
    """What payers give (negative: take back) for earlier care, beside this charge."""
    provisional: bool
    leaf: str
    """Leaf hash, hexadecimal: its place in the log."""
    source: str | None
    """Null for relatives, who see amounts only; so are the four below."""
    event_id: str | None
    provider: str | None
    service: Service | None
    display: str | None


class ReceiptWhy(Struct, kw_only=True):
    """Why a receipt says what it says."""

    id: str
    status: str
    sentence: str
    steps: list[WhyStep]
    price: PriceUsed | None
    """Null for relatives, where nothing was priced, and when the patient's data were erased."""
    plans: list[PlanUsed]
    """In the order in which they were asked; empty for relatives."""
    decided_by: list[str]
    """Plan hashes, or the number of an outside payer's answer; empty for relatives."""
    provisional: bool


class ReconciledView(Struct, kw_only=True):
    """What became of each line of a message, in its order."""

    lines: list[BankLineView]
    passed_over: list[str]
    """Entries that the bank has not booked, each with its place and status: nothing is booked of them here either."""


class RefundOrder(Struct, kw_only=True):
    """What of a payment goes back."""

    amount: Money
    wallet: str | UnsetType | None = UNSET
    """Instead of to its source, into this wallet of the same holder; needs their consent."""
    consent: str | UnsetType | None = UNSET


class RefundView(Struct, kw_only=True):
    """A refund."""

    id: str
    payment: str
    rail: str
    amount: Money
    wallet: str | None
    """Where it goes instead of to its source."""
    state: str
    reason: str | None
    begun_at: str
    """RFC 3339, UTC."""


RefusalOrderGround = Literal[
    "legal_claims",
    "legal_retention",
    "no_right",
    "not_identified",
    "public_health",
]


class RefusalOrder(Struct, kw_only=True):
    """Why it is not done."""

    ground: RefusalOrderGround
    """Article 17(3)(b), (c) or (e) of the GDPR; `not_identified` is its article 12(6)."""
    until: Day | UnsetType | None = UNSET
    """The first day on which the ground holds no more; needed where the law has it kept."""
    note: str | UnsetType = UNSET
    """To the person: which law, and what they can do."""


class RelativeView(Struct, kw_only=True):
    """Somebody who may look at a member's records, until it ends or is taken back."""

    id: str
    subject: str
    relation: str
    valid_from: str
    valid_until: str | None
    allowed_by: str


class RetryOrder(Struct, kw_only=True):
    """Events that wait."""

    events: list[str]
    """`evt_...`, in the order in which they are to be decided."""
    rehearse: bool | UnsetType = UNSET
    """Only say what would come of it; nothing is posted."""


class RetryResult(Struct, kw_only=True):
    """What came of it, or would."""

    rehearsed: bool
    results: list[EventResult]
    """In the order asked; what waits no longer has the answer it had before. Of a rehearsal, ids are null."""
    counts: dict[str, int]
    """How many have each status."""


class ReturnsShape(Struct, kw_only=True):
    """A file of returned debits."""

    nacha: str
    """The ACH return file as text."""


class ReturnsView(Struct, kw_only=True):
    """What became of each return of a file, in its order."""

    returns: list[AchReturnView]
    passed_over: list[str]
    """Entries that are no returns, each with its place and what it is; a notification of change wants an answer."""


class Rotation(Struct, kw_only=True):
    """How the old key ends."""

    overlap_seconds: int | UnsetType = UNSET
    """How long both keys are good."""


class RuleShape(Struct, kw_only=True):
    """When a pocket tops itself up."""

    below: Money
    amount: Money
    month_cap: Money
    rail: str
    """A rail that the operator has connected."""
    zone: str
    """IANA zone in which a month begins."""
    on: bool | UnsetType = UNSET


class RuleView(Struct, kw_only=True):
    """The holder's rule for a pocket, and what it comes to just now."""

    wallet: str
    below: Money
    amount: Money
    month_cap: Money
    rail: str
    zone: str
    on: bool
    now: str
    """`due`, `enough`, `off`, `on_its_way`, `month_cap`, `burst`, `declined`, `stopped` until the holder says so, or
    `frozen` until a payment that went back is made good.
    """
    look_again_at: str | None
    fee: FeeView | None
    """Of each such top-up, where it is dear for the amount."""


class SecondQuestion(Struct, kw_only=True):
    """What opens the names of the services; only a keyed hash of the answer is kept."""

    question: Literal["birth_date", "code", "none"] | UnsetType = UNSET
    """`birth_date`: the patient's, as registered. `code`: a word or number that you tell the patient in another way
    than the link. `none`: this link never names services.
    """
    answer: str | UnsetType | None = UNSET
    """For `code` only. Spaces, separators and capitals do not matter."""


class Service(Struct, kw_only=True):
    """What was done, in a code system."""

    system: str
    value: str


class ServiceAsked(Struct, kw_only=True):
    """A service that may be given: as much of it as is known."""

    code: EventCode
    currency: Currency | UnsetType = UNSET
    modifiers: list[str] | UnsetType = UNSET
    quantity: str | UnsetType = UNSET
    """A decimal in text, above 0, at most 1000000."""
    unit: str | UnsetType = UNSET
    billed: AskedAmount | UnsetType = UNSET
    """Left out: the price book says."""
    site: str | UnsetType = UNSET
    place_of_service: str | UnsetType = UNSET
    emergency: bool | UnsetType = UNSET
    facts: dict[str, str | int | bool] | UnsetType = UNSET


class ServiceEligibility(Struct, kw_only=True):
    """What a named service would come to, alone and not agreed to."""

    authorisation: str
    """Whether the payer has to agree first, tried by deciding the service with its agreement and without."""
    estimate: EventEstimate
    """Without the agreement."""
    estimate_if_agreed: EventEstimate | None
    """Where the agreement makes a difference."""


class ServiceEvent(Struct, kw_only=True):
    """One moment of care as its source reports it; one event is one line."""

    source: str
    """The sending system."""
    event_id: str
    """The sender's id of this event, unique within `source`, never used again."""
    kind: Literal["charge", "reversal", "replacement", "hold", "stop"]
    """charge: delivered care. hold: a request that reserves money. reversal, replacement, stop: of `replaces`."""
    member: str
    """Member id."""
    code: EventCode
    """What was done, in whose code system."""
    currency: Currency
    """ISO 4217, of every amount in the event."""
    started_at: str
    """RFC 3339 with offset, years 1900 to 2199, at most microseconds."""
    ended_at: str | UnsetType = UNSET
    """Not before `started_at`."""
    modifiers: list[str] | UnsetType = UNSET
    quantity: str | UnsetType = UNSET
    """A decimal in text, above 0 and at most 1,000,000."""
    unit: str | UnsetType = UNSET
    """each, minute, mL, day ..."""
    billed: AskedAmount | UnsetType = UNSET
    """The asked amount of the whole line; without it the price book says."""
    billing_party: str | UnsetType = UNSET
    """The provider that is paid."""
    rendering_party: str | UnsetType = UNSET
    """The practitioner."""
    site: str | UnsetType = UNSET
    """The place; decides locality and facility level."""
    place_of_service: str | UnsetType = UNSET
    """Two digits of the CMS code set, or empty."""
    visit: str | UnsetType = UNSET
    admission: str | UnsetType = UNSET
    claim: str | UnsetType = UNSET
    line: str | UnsetType = UNSET
    authorisation: str | UnsetType = UNSET
    """The payer's reference, empty when there is none."""
    tax_ppm: int | UnsetType = UNSET
    tax_category: str | UnsetType = UNSET
    diagnoses: list[str] | UnsetType = UNSET
    """Codes, most important first."""
    diagnosis_pointers: list[int] | UnsetType = UNSET
    """1-based positions in `diagnoses` that this line treats."""
    replaces: str | UnsetType = UNSET
    """`event_id` (same source) that a reversal, replacement or stop refers to."""
    emergency: bool | UnsetType = UNSET
    essential: bool | UnsetType = UNSET
    display: str | UnsetType = UNSET
    """Plain words for the receipt."""
    facts: dict[str, str | int | bool] | UnsetType = UNSET
    """What else the source says: texts, whole numbers (money in micros), flags."""


class ShiftOrder(Struct, kw_only=True):
    """A shift to begin."""

    party: str
    """The clinic whose window it is."""
    window: str
    laid_in: Money
    """What lies in the box, counted."""


class ShiftView(Struct, kw_only=True):
    """One clerk's time at a window."""

    id: str
    party: str
    window: str
    clerk: str
    opened_at: str
    """RFC 3339, UTC."""
    laid_in: Money
    taken: Money
    given: Money
    """Paid back in cash."""
    expected: Money
    """What should lie in the box."""
    counted: Money | None
    difference: Money | None
    """Counted less expected: below 0 is too little. Null until somebody counted."""
    closed_at: str | None


class SiteChange(Struct, kw_only=True):
    """What is left out stays."""

    name: str | UnsetType | None = UNSET
    zone: str | UnsetType | None = UNSET
    contact: Contact | UnsetType | None = UNSET
    starts_on: Day | UnsetType | None = UNSET
    ends_on: Day | UnsetType | None = UNSET
    facts: dict[str, str | int | bool] | UnsetType | None = UNSET


class SiteView(Struct, kw_only=True):
    """A place where a provider gives care."""

    id: str
    party: str
    name: str
    zone: str
    contact: Contact | None
    starts_on: str | None
    ends_on: str | None
    facts: dict[str, str | int | bool]
    version: int


class SpanBin(Struct, kw_only=True):
    """So many took longer than `after_ms` and at most `until_ms`; null: all that took longer."""

    after_ms: int
    until_ms: int | None
    number: int


class Spans(Struct, kw_only=True):
    """How long first answers took."""

    number: int
    half_within_ms: int | None
    """Half of them took at most this; null where there is none."""
    most_within_ms: int | None
    """95 of 100 took at most this."""
    bins: list[SpanBin]


class SplitWish(Struct, kw_only=True):
    """Part the member of the path again from `from_member`."""

    from_member: str


class StatementLine(Struct, kw_only=True):
    """A statement, as lists show it."""

    id: str
    account: AccountView
    """With its balance of today."""
    from_: Day = field(name="from")
    """Calendar day, YYYY-MM-DD."""
    until: Day
    """Calendar day, YYYY-MM-DD."""


class StatementShape(Struct, kw_only=True):
    """A message of the bank."""

    camt: str
    """camt.053 or camt.054, the XML as text."""


class StatementView(Struct, kw_only=True):
    """A statement: opening + all entries = closing."""

    id: str
    account: AccountView
    from_: Day = field(name="from")
    """Calendar day, YYYY-MM-DD."""
    until: Day
    """Calendar day, YYYY-MM-DD."""
    complete: bool
    """Its last day is over: nothing will be added."""
    taken_at: str
    """RFC 3339, UTC."""
    opening: Sum
    closing: Sum
    turnover: Sum
    """Closing less opening."""
    count: int
    """Entries of the month."""
    entries: AccountEntryPage
    """Newest first; the pages that follow repeat the balances as they stand then."""


class Sum(Struct, kw_only=True):
    """An amount of the books, or a sum of amounts, exact however large."""

    micros: str
    """Millionths of the currency unit, as decimal digits."""
    currency: Currency


class Term(Struct, kw_only=True):
    """What holds on the days of one term."""

    starts_on: str
    ends_on: str | None
    price_book: str
    network: str
    fee: int
    rounding: str


class Termination(Struct, kw_only=True):
    """The end of a cover."""

    ends_on: Day
    """Calendar day, YYYY-MM-DD."""


class TermsShape(Struct, kw_only=True):
    """On which terms a member draws on a family's pocket. All limits hold; none: as much as there is."""

    limits: list[LimitShape] | UnsetType = UNSET
    paused: bool | UnsetType = UNSET


class TieView(Struct, kw_only=True):
    """A member whose records the caller may look at now."""

    member: str
    relation: str
    valid_until: str | None


class TokenKeys(Struct, kw_only=True):
    """A JWK Set (RFC 7517)."""

    keys: list[dict[str, Any]]


class TokenView(Struct, kw_only=True):
    """An access token (RFC 6749 section 5.1)."""

    access_token: str
    token_type: str
    expires_in: int
    """Seconds."""
    scope: str


class TopUpOrder(Struct, kw_only=True):
    """Money that has arrived."""

    amount: Money
    rail: str | UnsetType = UNSET
    """By which rail it came; the account of the cash that it became."""


class TopUpView(Struct, kw_only=True):
    """Money that is booked."""

    id: str
    wallet: str
    amount: Money
    rail: str
    available: Sum
    """What the wallet may spend now."""
    booked_at: str
    """RFC 3339, UTC."""
    fee: FeeView | None
    """What its rail keeps of it, where that is dear for the amount."""


class TrialBalance(Struct, kw_only=True):
    """Every account of the tenant, added up by kind and currency; single accounts are listed by `GET /v1/accounts`."""

    taken_at: str
    """RFC 3339, UTC."""
    balanced: bool
    """Whether each currency sums to 0, and the money of clients is where the books say."""
    totals: list[TrialSum]
    lines: list[TrialLine]
    client_money: list[ClientMoneyView]


class TrialLine(Struct, kw_only=True):
    """All accounts of one kind in one currency."""

    kind: str
    side: str
    currency: Currency
    accounts: int
    debits: Sum
    """The sum of all balances above 0."""
    credits: Sum
    """The sum of all balances below 0, as a figure below 0."""


class TrialSum(Struct, kw_only=True):
    """Everything in one currency."""

    currency: Currency
    debits: Sum
    credits: Sum
    sum: Sum
    """0, or the books are broken."""


class Undoing(Struct, kw_only=True):
    """Undo an event whole."""

    event_id: str | UnsetType = UNSET
    """The sender's id of the new event; left out, one that follows from the Idempotency-Key."""


class Validation(Struct, kw_only=True):
    """Whether the draft may be published."""

    valid: bool
    faults: list[FaultView]
    """The first fault of the document itself, or everything that published versions stand against."""
    cases: list[CaseView]
    """Looked at only when the document has no fault of its own."""


class VersionView(Struct, kw_only=True):
    """A published version."""

    version: str
    hash: str
    """SHA-256 of the canonical document; receipts name it."""
    from_: Day = field(name="from")
    """Calendar day, YYYY-MM-DD."""
    until: Day | None
    """The first day on which it is in force no more: its own, or the one on which the next version takes over."""
    superseded_by: str | None
    """The version that takes over before this one's own days are over."""
    published_at: str
    """RFC 3339, UTC."""


class Visit(Struct, kw_only=True):
    """One visit with its charges, also those that no longer stand."""

    id: str
    member: str
    day: Day
    """Calendar day, YYYY-MM-DD."""
    until: Day
    """Calendar day, YYYY-MM-DD."""
    answer: str
    """What is asked of the patient in the end, in a sentence."""
    charges: int
    """Charges that stand."""
    totals: list[VisitTotal]
    complete: bool
    """False when the sums are not the whole: a charge was erased, a line still waits, or there are thousands."""
    provisional: bool
    """An outside payer has not said its last word about one of the charges."""
    providers: list[str] | None
    """Null for relatives."""
    items: list[Charge]


class VisitSummary(Struct, kw_only=True):
    """One visit: many charges, one answer to the patient."""

    id: str
    member: str
    day: Day
    """Calendar day, YYYY-MM-DD."""
    until: Day
    """Calendar day, YYYY-MM-DD."""
    answer: str
    """What is asked of the patient in the end, in a sentence."""
    charges: int
    """Charges that stand."""
    totals: list[VisitTotal]
    complete: bool
    """False when the sums are not the whole: a charge was erased, a line still waits, or there are thousands."""
    provisional: bool
    """An outside payer has not said its last word about one of the charges."""
    providers: list[str] | None
    """Null for relatives."""


class VisitTotal(Struct, kw_only=True):
    """The sums of a visit's standing charges in one currency; they add up as those of a charge do."""

    currency: Currency
    amounts: ChargeAmounts
    charges: int


class WaitingEvents(Struct, kw_only=True):
    """Events that wait for one reason."""

    reason: str
    number: int
    oldest: str
    """RFC 3339, UTC."""
    under_an_hour: int
    under_a_day: int
    under_a_week: int
    longer: int


class WaitingView(Struct, kw_only=True):
    """A waiting period."""

    step: str
    clause: str
    clause_text: str
    until: Day | None
    """The first day that is covered; null: one of `needs` decides."""
    over: bool | None
    when: list[dict[str, str | int | bool | None]]
    needs: list[str]


class Waits(Struct, kw_only=True):
    """What of an amount waits for the patient's yes: a pocket could pay it."""

    amount: Money
    because: str
    """A budget asks before it is passed; a rule of automatic payment; a question about this provider is open."""


class WalletEntry(Struct, kw_only=True):
    """One entry of a pocket."""

    posted_at: str
    """RFC 3339, UTC."""
    occurred_at: str
    """RFC 3339, UTC."""
    kind: str
    """What the journal row does: `charge`, `reversal`, `top_up` ..."""
    amount: Sum
    """Positive for debits."""
    source: str
    """Whose money it stands for."""
    receipt: str | None
    """The receipt of the care, for those who may see it."""
    member: str | None
    """Of a family's pocket: for whose care. Its funder and holder see everybody, each member only itself. Null too
    for who has come of age and was not heard yet.
    """
    care: CareShown | None
    """What it was and where, where that member lets its funder and holder see it."""


class WalletMember(Struct, kw_only=True):
    """A member who draws on a family's pocket, or is asked to."""

    member: str
    state: str
    """`asked`: an adult who has not answered yet; the pocket pays nothing until then."""
    limits: list[MemberLimitView]
    """Of who is asked: those that would hold, nothing used of them."""
    paused: bool
    of_age_on: Day | None
    """Of a minor: the day from which the pocket needs the member's own consent."""
    shares: bool
    """The member lets the payer see what the care was, and where."""


class WalletOrder(Struct, kw_only=True):
    """A pocket to open, for a member or for a family."""

    currency: Currency
    member: str | UnsetType | None = UNSET
    family: str | UnsetType | None = UNSET
    funder: str | UnsetType | None = UNSET
    """Party that puts money in and sees what it was used for as amounts."""
    holder: str | UnsetType | None = UNSET
    """Of a family: the member who limits, pauses and takes out the others. Without a family: of a household, to
    which the holder invites.
    """
    pocket: str | UnsetType = UNSET
    """Kind of pocket: `wallet`, `gift` ..."""
    expires_at: str | UnsetType | None = UNSET
    """It pays for care that begins before; needs a funder."""
    returns_at: str | UnsetType | None = UNSET
    """When what is left goes back to the funder: at `expires_at`, or later, to leave time for bills."""
    categories: list[str] | UnsetType = UNSET
    """It pays for these kinds of care only; none: for all."""
    expense_rules: str | UnsetType | None = UNSET
    """Id of the published rules that say which care it may pay for."""
    priority: int | UnsetType = UNSET
    """Lower is drawn first."""


class WalletShare(Struct, kw_only=True):
    """What one wallet paid."""

    wallet: str
    pocket: str
    """Its kind."""
    amount: Money


class WalletView(Struct, kw_only=True):
    """A pocket."""

    id: str
    member: str | None
    """Who holds it; null when it is shared."""
    family: str | None
    funder: str | None
    pocket: str
    expires_at: str | None
    """It pays for care that begins before."""
    returns_at: str | None
    """When what is left goes back to the funder."""
    categories: list[str]
    """It pays for these kinds of care only; none: for all."""
    expense_rules: str | None
    """The rules that say which care it may pay for."""
    priority: int
    currency: Currency
    available: Sum
    """What may be spent."""
    held: Sum
    """What is promised to requests."""
    shared: bool
    """Several members draw on it."""
    frozen: bool
    """It pays for nothing by itself: its holder owes for a payment that went back (`list_arrears`)."""


class WhyStep(Struct, kw_only=True):
    """One rule that was used, in order."""

    sentence: str
    amount: Money
    """What the rule moved; negative where it gave back."""
    clause: str | None
    """Clause of the plan; null for relatives, whom its words could tell what the care was. So is all below."""
    clause_text: str | None
    plan: str | None
    """Plan id and version."""
    limit_name: str | None
    of_limit: int | None
    left: int | None
    wallet: str | None
    """A pocket that could not pay; the step says why."""


class WorkItem(Struct, kw_only=True):
    """What one waiting event waits for."""

    event: str
    source: str | None
    """Null, as the event's id, when the patient's data were erased."""
    event_id: str | None
    reason: str
    message: str
    where: str
    """The field that keeps it waiting."""
    next_step: str
    member: str
    provider: str
    day: Day
    """Calendar day, YYYY-MM-DD."""
    waiting_since: Instant
    tries: int
    """How often it was looked at with a new answer: 0 for the first."""


class WriteOffOrder(Struct, kw_only=True):
    """A due to be given up."""

    reason: Literal["goodwill", "hardship", "not_collectable", "own_error", "small_balance"]
    amount: Money | UnsetType | None = UNSET
    """Left out: all that is due of the charge."""
    note: str | UnsetType = UNSET
    """For the second person. Sealed like all content about a patient."""


class WriteOffView(Struct, kw_only=True):
    """A due that is no longer asked for, and who decided it."""

    id: str
    charge: str
    state: str
    """`proposed` waits for a second person. `agreed` is being posted: agree once more if it stays so. `failed`
    posted nothing, `why` says what was in its way. After `taken_back` the amount is due again.
    """
    reason: str
    note: str
    amount: Money
    proposed_by: str
    proposed_at: str
    """RFC 3339, UTC."""
    alone: bool
    """No second person was needed."""
    agreed_by: str | None
    agreed_at: str | None
    withdrawn_by: str | None
    withdrawn_at: str | None
    why: str | None
