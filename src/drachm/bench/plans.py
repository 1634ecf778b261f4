"""Which benefit plans does the measured town live under? Every family of published cases, and the sample plans.

The documents are those by which the conformance run computes published results (`adapters.vectors`), renamed but not
changed in any rule, and the sample plans. Each `Product` is a stack of documents with the facts that lines under it
carry. Nothing here knows what a rule does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from drachm.adapters import jsonsafe
from drachm.adapters.vectors.compute import KINDS
from drachm.adapters.vectors.document import Setup
from drachm.adapters.vectors.read import Case, read_case
from drachm.domain.canonical import content_hash
from drachm.domain.events.model import UNIT, Fact

Document = dict[str, Any]

SAMPLES: Final = "samples"
"""The family of the sample plans."""
CASES: Final = Path("vectors") / "adjudication.json"

EFFECTIVE: Final = {"from": "2020-01-01"}
"""Case documents begin with their case's year; the measured year is one for all."""

_STACKS: Final = (
    ("drachm-us-ppo",),
    ("drachm-us-hdhp",),
    ("drachm-public",),
    ("drachm-beijing-employee",),
    ("us-medicare-part-b",),
    ("us-medicare-part-b", "us-medicaid"),
)
_CATEGORIES: Final = (
    "primary_care", "specialist", "telehealth", "drug", "lab", "imaging", "preventive", "emergency", "other",
)  # fmt: skip
_MEMBER_FACTS: Final[Mapping[str, tuple[Mapping[str, Fact], ...]]] = {
    "us-medicaid": ({"household_income": 18_000_000_000}, {"household_income": 31_000_000_000}),
    "drachm-beijing-employee": ({"member_category": "employee"}, {"member_category": "retiree"}),
}
_COVERAGE_FACTS: Final[Mapping[str, tuple[Mapping[str, Fact], ...]]] = {
    "drachm-us-hdhp": ({"tier": "self_only"}, {"tier": "family"}),
}


@dataclass(frozen=True, slots=True)
class Template:
    """What a line under a product says of itself."""

    facts: Mapping[str, Fact]
    cost: int
    """Micros, as the published case has it; used only where the line is priced as submitted."""
    quantity: int = UNIT


@dataclass(frozen=True, slots=True)
class Product:
    """A stack of plans that families have."""

    name: str
    family: str
    """Which family of published cases it comes from."""
    currency: str
    plans: tuple[str, ...]
    """Document ids, in order."""
    payers: tuple[str, ...]
    templates: tuple[Template, ...]
    money_facts: frozenset[str] = frozenset()
    """Facts that state amounts of the line itself: they follow its cost, so it is priced as submitted."""
    member_facts: tuple[Mapping[str, Fact], ...] = ({},)
    coverage_facts: tuple[Mapping[str, Fact], ...] = ({},)

    @property
    def as_submitted(self) -> bool:
        """What was asked is agreed; else the price book says."""
        return bool(self.money_facts)


@dataclass(frozen=True, slots=True)
class Plans:
    """Products with the documents they name."""

    products: tuple[Product, ...]
    documents: Mapping[str, Document] = field(default_factory=dict)
    """By id."""

    @property
    def families(self) -> tuple[str, ...]:
        """Families of published cases, in order of name."""
        return tuple(sorted({product.family for product in self.products}))

    def of(self, family: str) -> tuple[Product, ...]:
        return tuple(product for product in self.products if product.family == family)

    def only(self, wanted: Callable[[Product], bool]) -> Plans:
        """Some of the products, with their documents."""
        kept = tuple(product for product in self.products if wanted(product))
        used = {plan for product in kept for plan in product.plans}
        return Plans(kept, {plan: self.documents[plan] for plan in self.documents if plan in used})


def read_plans(samples: Path) -> Plans:
    """The products of the bundled cases and plans. Raises `InvalidMessage` for a file that cannot be read."""
    documents: dict[str, Document] = {}
    products = [*_sample_products(samples / "plans", documents), *_case_products(samples / CASES, documents)]
    return Plans(tuple(products), documents)


def supplemented(plans: Plans) -> dict[str, Product]:
    """For each product of one plan the same with a second payer, which takes half of what the first leaves.

    By name of the product; `with_documents` adds the documents of the second payers.
    """
    return {
        product.name: replace(
            product,
            plans=(*product.plans, supplement(plans, product)["id"]),
            payers=(*product.payers, supplement(plans, product)["payer"]),
        )
        for product in plans.products
        if len(product.plans) == 1
    }


def supplement(plans: Plans, product: Product) -> Document:
    """The second payer's plan for products of one currency, zone and rounding unit."""
    steps = [{"id": "half", "kind": "pay", "ppm": 500_000, "clause": "1"}]
    return _beside(plans, product, "supplement", steps)


def base_cover(plans: Plans, product: Product, payer: str) -> Document:
    """A plan in front of a product: `payer` takes the first percent of every line, so every line touches it."""
    steps = [{"id": "percent", "kind": "pay", "ppm": 10_000, "clause": "1"}]
    return _beside(plans, product, payer, steps)


def with_documents(plans: Plans, more: Sequence[Document]) -> Plans:
    """The same products with further documents beside them."""
    return replace(plans, documents={**plans.documents, **{one["id"]: one for one in more}})


def _beside(plans: Plans, product: Product, payer: str, steps: list[Document]) -> Document:
    first = plans.documents[product.plans[0]]
    rounding = first.get("rounding", {})
    like = {key: first[key] for key in ("currency", "zone")} | ({"rounding": rounding} if rounding else {})
    return {
        "id": f"{payer}-{first['currency'].lower()}-{content_hash(like)[:6]}",
        "version": "1",
        "payer": f"{payer}-{first['currency'].lower()}",
        "effective": EFFECTIVE,
        "remainder": "patient",
        "steps": steps,
        **like,
    }


def _sample_products(folder: Path, documents: dict[str, Document]) -> list[Product]:
    read: dict[str, Document] = {}
    for path in sorted(folder.glob("*.json")):
        document = jsonsafe.loads(path.read_bytes(), path.name)
        read[document["id"]] = document
    products = []
    for stack in _STACKS:
        if not set(stack) <= read.keys():
            continue
        documents.update({plan: read[plan] for plan in stack})
        products.append(
            Product(
                name="+".join(stack),
                family=SAMPLES,
                currency=read[stack[0]]["currency"],
                plans=stack,
                payers=tuple(read[plan]["payer"] for plan in stack),
                templates=tuple(Template({"category": word}, 0) for word in _CATEGORIES),
                member_facts=_first(_MEMBER_FACTS, stack),
                coverage_facts=_first(_COVERAGE_FACTS, stack),
            )
        )
    return products


def _first(table: Mapping[str, tuple[Mapping[str, Fact], ...]], stack: Sequence[str]) -> tuple[Mapping[str, Fact], ...]:
    return next((table[plan] for plan in stack if plan in table), ({},))


def _case_products(path: Path, documents: dict[str, Document]) -> list[Product]:
    """One product for each different stack of a family; cases with the same stack share it."""
    found: dict[tuple[str, str], Product] = {}
    for position, raw in enumerate(jsonsafe.loads(path.read_bytes(), path.name)["cases"]):
        if raw.get("check") != "compute":
            continue
        case = read_case(raw, position)
        setup = KINDS[case.kind][0](case)
        key = (case.label.family, content_hash({"stack": [_rules(one) for one in setup.documents]}))
        product = found.get(key)
        if product is None:
            number = sum(family == case.label.family for family, _ in found) + 1
            product = _case_product(case, setup, f"{case.label.family}.{number}", documents)
        found[key] = replace(product, templates=_merged(product.templates, setup))
    return list(found.values())


def _case_product(case: Case, setup: Setup, name: str, documents: dict[str, Document]) -> Product:
    plans = []
    money: set[str] = set()
    for document in setup.documents:
        plan = f"{name}.{document['payer']}"
        documents[plan] = {**_rules(document), "id": plan, "payer": plan, "effective": EFFECTIVE}
        money |= {fact for fact, kind in document.get("facts", {}).items() if kind == "money"}
        plans.append(plan)
    # A plan's payer and its id are one word here.
    return Product(name, case.label.family, case.currency, tuple(plans), tuple(plans), (), frozenset(money))


def _rules(document: Document) -> Document:
    """A document without its names and days: what makes two of them the same plan."""
    plain: Document = json.loads(json.dumps(document))
    return {key: value for key, value in plain.items() if key not in ("id", "payer", "effective")}


def _merged(known: tuple[Template, ...], setup: Setup) -> tuple[Template, ...]:
    lines = [Template(dict(line.facts), line.cost, max(line.quantity, 1)) for line in setup.lines if line.cost > 0]
    return (*known, *(line for line in lines if line not in known))
