"""Which pages does a person at the desk open, and how long does each take? A browser without a screen.

Each page is asked for with several things that matter to it: days with and without care, old and new charges, filters.
What a page links to is where the next one comes from, so nothing is asked that nobody could ask for.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlencode

from drachm.bench.load import FIRST_DAY
from drachm.domain.errors import Unavailable

_WORD: Final = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
_FORM: Final = "application/x-www-form-urlencoded"
_FINE: Final = (200, 404)
"""That nothing is found is an answer, too."""


class Visitor:
    """Somebody signed in at the desk."""

    def __init__(self, port: int, token: str) -> None:
        self._line = HTTPConnection("127.0.0.1", port, timeout=600)
        self._cookies: dict[str, str] = {}
        self._word = ""
        self.get("/desk/sign-in")
        self.post("/desk/sign-in", {"token": token})
        self.get("/desk/help")

    def get(self, path: str) -> str:
        """The page."""
        return self._asked("GET", path, "")

    def post(self, path: str, form: dict[str, str]) -> str:
        """What a form is answered with."""
        return self._asked("POST", path, urlencode({"csrf": self._word, **form}))

    def _asked(self, method: str, path: str, body: str) -> str:
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if method == "POST":
            headers["content-type"] = _FORM
        self._line.request(method, path, body or None, headers)
        answer = self._line.getresponse()
        html = answer.read().decode()
        for field_of in answer.headers.get_all("set-cookie") or ():
            name, _, value = field_of.partition(";")[0].partition("=")
            self._cookies[name] = value
        if answer.status not in (*_FINE, 303):
            raise Unavailable(f"{method} {path} answered {answer.status}", where="bench", next_step="Read its log.")
        if word := _WORD.search(html):
            self._word = word[1]
        return html


@dataclass(slots=True)
class Visited:
    """One kind of page, and how long it took each time, to the last byte."""

    page: str
    seconds: list[float] = field(default_factory=list)
    largest: int = 0
    """Bytes of the largest."""
    processor_us: int = 0
    """Processor time of the service and its database together, for all of them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of page, and what to ask for: made from a few pages that were opened before."""

    page: str
    asks: Callable[[Visitor, random.Random], Sequence[str | tuple[str, dict[str, str]]]]


def visit(port: int, token: str, kinds: Sequence[Kind], repeats: int, spent_us: Callable[[], int]) -> list[Visited]:
    """Open each kind of page `repeats` times, what it is asked for in turn. `spent_us`: processor time so far."""
    visitor, chance = Visitor(port, token), random.Random(1)
    found = []
    for kind in kinds:
        asks = list(kind.asks(visitor, chance))
        one, before = Visited(kind.page), spent_us()
        for at in range(repeats if asks else 0):
            ask = asks[at % len(asks)]
            began = time.monotonic()
            html = visitor.get(ask) if isinstance(ask, str) else visitor.post(*ask)
            one.seconds.append(time.monotonic() - began)
            one.largest = max(one.largest, len(html.encode()))
        one.processor_us = spent_us() - before
        found.append(one)
    return found


def pages_of(clinic: str, known: Sequence[str]) -> list[Kind]:
    """Pages of the desk and the office that are only looked at; `known`: days with care."""

    def day(chance: random.Random) -> str:
        return chance.choice(known)

    def always(*paths: str) -> Kind:
        return Kind(paths[0], lambda visitor, chance: paths)

    def linked(page: str, start: str, pattern: str, more: str = "") -> Kind:
        """Pages that others link to, those of some days."""

        def asks(visitor: Visitor, chance: random.Random) -> list[str]:
            starts = [start.replace("{day}", day(chance)) for _ in range(4 if "{day}" in start else 1)]
            found: list[str] = []
            for one in starts:
                found += sorted(set(re.findall(f'href="({pattern})"', visitor.get(one))))[:8]
            return [unescape(one) + more for one in found]

        return Kind(page, asks)

    def searched(page: str, *texts: str) -> Kind:
        return Kind(page, lambda visitor, chance: [("/desk/search", {"id": text}) for text in texts])

    def days(page: str, rest: str = "") -> Kind:
        return Kind(page, lambda visitor, chance: [f"/desk?day={day(chance)}{rest}" for _ in range(20)])

    year = f"since={FIRST_DAY:%Y}-01&until={FIRST_DAY:%Y}-12"
    month = f"since={FIRST_DAY:%Y}-11&until={FIRST_DAY:%Y}-11"
    plots = r"/desk/office/csv\?[^\"]*"
    return [
        always("/desk"),
        days("/desk, a day"),
        days("/desk, who waits on that day", "&show=patient"),
        days("/desk, later lines of a day", "&from=250"),
        always("/desk?day=2020-02-02", "/desk?day=2031-01-01"),
        always("/desk?show=stuck", "/desk?show=pended"),
        linked("/desk/charges/…", "/desk?day={day}", r"/desk/charges/chg_\w+"),
        linked("/desk/charges/…/refund", "/desk?day={day}", r"/desk/charges/chg_\w+", "/refund"),
        linked("/desk/charges/…/write-off", "/desk?day={day}", r"/desk/charges/chg_\w+", "/write-off"),
        linked("/desk/events/…", "/desk/work", r"/desk/events/evt_\w+"),
        searched("/desk/search, an amount", "12.50", "100", "73.21"),
        searched("/desk/search, an amount nobody has", "98765432.1"),
        searched("/desk/search, a reference nobody has", "7K4M2QXD"),
        searched("/desk/search, a name", "Kim1", "Ada Kim1", "Amsel7", "Lopez3"),
        searched("/desk/search, nothing", "Nobody Nowhere"),
        always("/desk/work"),
        always("/desk/work?reason=unknown_member", f"/desk/work?reason=unknown_code&provider={clinic}"),
        linked("/desk/work, older", "/desk/work", r"/desk/work\?[^\"]*cursor=[^\"]*"),
        always("/desk/messages"),
        always("/desk/questions"),
        always("/desk/refunds"),
        always("/desk/cash-refunds"),
        always("/desk/write-offs"),
        always("/desk/prices"),
        linked("/desk/prices/…", "/desk/prices", r"/desk/prices/[^\"]+"),
        always("/desk/plans"),
        linked("/desk/plans/…", "/desk/plans", r"/desk/plans/[^\"]+"),
        always("/desk/reviews"),
        always("/desk/window"),
        always("/desk/help"),
        always("/desk/passkeys"),
        always("/desk/emergency"),
        always("/desk/office"),
        always(f"/desk/office?{month}", f"/desk/office?{year}"),
        linked("/desk/office/csv", f"/desk/office?{year}", plots),
    ]
