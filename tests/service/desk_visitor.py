"""A browser without a screen, for tests of the desk: it keeps cookies and reads the word of its last form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from joserfc.jwk import OKPKey

from drachm.adapters.rest.identity.issuer import SigningKeys
from drachm.adapters.rest.identity.memory import DirectoryInMemory
from drachm.adapters.rest.identity.model import Environment, Role, anonymous
from drachm.adapters.rest.identity.tokens import Tokens
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.sandbox_people import sandbox_provider, sandbox_token
from drachm.domain.transparency.leaf import event_key

NOBODY = anonymous(Environment.SANDBOX)
FORM = "application/x-www-form-urlencoded"
KEYS = SigningKeys("k1", {"k1": OKPKey.generate_key("Ed25519")})
OPEN = frozenset(
    {
        "open_desk_sign_in",
        "sign_in_at_desk",
        "begin_desk_provider",
        "end_desk_provider",
        "sign_in_with_passkey",
        "sign_out_of_desk",
    }
)
"""Calls of the desk that need no session."""


def sandboxed(street: Any) -> bool:
    """Let the house believe tokens of the sandbox, as `together` does."""
    provider, keys = sandbox_provider(KEYS)
    tokens = Tokens({provider.issuer: (provider, keys)}, DirectoryInMemory(), Environment.SANDBOX)
    house = street.house
    street.house = replace(house, authenticator=replace(house.authenticator, tokens=tokens))
    return True


def form_word(html: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', html)
    return found[1] if found else ""


class Words(HTMLParser):
    """The text of a page between its main's begin and end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


@dataclass
class Visitor:
    """One browser; `ask` is the fixture of that name."""

    street: Any
    town: Any
    ask: Any
    cookies: dict[str, str] = field(default_factory=dict)
    word: str = ""
    set_cookies: list[str] = field(default_factory=list)
    who: tuple[Any, ...] = ()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def get(self, name: str, path: dict[str, str] | None = None, query: dict[str, str] | None = None) -> Any:
        return self._kept(self.ask(name, NOBODY, path, query, headers=self._headers()))

    def post(self, name: str, form: dict[str, str], path: dict[str, str] | None = None, **headers: str) -> Any:
        """Send a form; the word of the last page is put in unless one is given."""
        body = urlencode({"csrf": self.word, **form}).encode()
        given = {**self._headers(), **headers}
        return self._kept(self.ask(name, NOBODY, path, body=body, media=FORM, headers=given), keep_word=True)

    def words(self, name: str, path: dict[str, str] | None = None, query: dict[str, str] | None = None) -> str:
        """What stands on a page, blanks made one."""
        html = self.get(name, path, query).body
        text = Words(html.partition("<main")[2].partition(">")[2]).text
        return " ".join(text.split()).replace(" ,", ",").replace(" .", ".")

    def sign_in(self, token: str) -> Any:
        self.get("open_desk_sign_in")
        return self.post("sign_in_at_desk", {"token": token})

    def signed_in(self, name: str, roles: Sequence[Role], parties: Sequence[str], hours: int = 12) -> Visitor:
        """Another browser, at the desk."""
        other = Visitor(self.street, self.town, self.ask, who=(name, roles, parties, hours))
        answer = other.sign_in(token_for(other, name, roles, parties, hours=hours))
        assert answer.status == 303, answer.status
        other.get("open_desk")
        return other

    def again(self) -> Visitor:
        return self.signed_in(*self.who)

    def charge(self, event_id: str) -> str:
        return self._name("chg", event_id)

    def event(self, event_id: str) -> str:
        return self._name("evt", event_id)

    def open_shift(self, window: str = "w1", laid_in: str = "50") -> str:
        form = {"party": "clinic", "window": window, "currency": "USD", "laid_in": laid_in}
        answer = self.post("begin_desk_shift", form)
        assert answer.status == 303, answer.status
        return str(answer.headers["location"].rpartition("/")[2])

    def places(self) -> list[tuple[str, dict[str, str]]]:
        """Every page that can be looked at."""
        return [
            ("open_desk", {}),
            ("open_desk_charge", {"charge_id": self.charge("e1")}),
            ("open_desk_event", {"event_id": self.event("e4")}),
            ("open_desk_window", {}),
            ("open_desk_shift", {"shift_id": self.open_shift()}),
        ]

    def _name(self, prefix: str, event_id: str) -> str:
        key = event_key(self.town.tenant, "ehr", event_id)
        return row_name(prefix, self.town.market.index.of_key(key)[0], key)

    def _headers(self) -> dict[str, str]:
        return {"cookie": self.cookie} if self.cookies else {}

    def _kept(self, answer: Any, keep_word: bool = False) -> Any:
        said = list(getattr(answer, "cookies", ())) or [answer.headers.get("set-cookie", "")]
        self.set_cookies = [one for one in said if one]
        for one in self.set_cookies:
            name, _, value = one.partition(";")[0].partition("=")
            if "Max-Age=0" in one:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        word = form_word(answer.body) if isinstance(answer.body, str) else ""
        if word and not keep_word:
            self.word = word
        return answer


def token_for(
    visitor: Visitor,
    name: str,
    roles: Sequence[Role],
    parties: Sequence[str],
    *,
    hours: int = 12,
    at: datetime | None = None,
) -> str:
    """A token of `./drachm key new --person`."""
    sandboxed(visitor.street)
    moment = at or visitor.town.clock.now()
    tenant = visitor.town.tenant
    return sandbox_token(KEYS, tenant=tenant, name=name, roles=roles, parties=parties, at=moment, hours=hours)
