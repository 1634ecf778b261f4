"""How does a call of the interface become a request? Shared by the two clients; no socket here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from drachm_client.exchange import DEADLINE, Incoming, Outgoing, Spec, fill, reader
from drachm_client.values import Versioned

T = TypeVar("T")

VERSION: Final = "1.0.0"
Token = str | Callable[[], str]
"""An API key or access token, or what gives the one that is good now."""


class Base:
    """What both clients know: where the service is, who is calling, how long a call may take."""

    def __init__(self, base_url: str, token: Token = "", *, deadline: float = DEADLINE) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise ValueError("base_url begins with https://, or http:// on this machine")
        self.base_url = base_url.rstrip("/")
        self.deadline = deadline
        self._token = token

    def authorization(self) -> Mapping[str, str]:
        """Asked for at every attempt: a token may have been renewed meanwhile."""
        token = self._token if isinstance(self._token, str) else self._token()
        return {"authorization": f"Bearer {token}"} if token else {}

    def outgoing(
        self,
        spec: Spec,
        read: Callable[[Incoming], T],
        path: Mapping[str, str],
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        key: str | None = None,
        if_match: str | None = None,
    ) -> Outgoing[T]:
        """A call of this operation, with its key made here when none is given."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = self.base_url + fill(spec.path, path) + (f"?{urlencode(given)}" if given else "")
        headers = {"accept": spec.accept, "user-agent": f"drachm-client/{VERSION}"}
        content = None
        if form is not None:
            headers["content-type"], content = "application/x-www-form-urlencoded", urlencode(form).encode()
        elif body is not None:
            headers["content-type"], content = "application/json", msgspec.json.encode(body)
        name = key or ""
        if spec.keyed:
            name = key or str(uuid.uuid4())
            headers["idempotency-key"] = name
        if if_match is not None:
            headers["if-match"] = if_match
        return Outgoing(spec, url, headers, content, read, name or _event_id(spec, body))


def read_as(kind: type[T]) -> Callable[[Incoming], T]:
    """The answer as a model."""
    return reader(kind)


def read_versioned(kind: type[T]) -> Callable[[Incoming], Versioned[T]]:
    """The answer with its ETag."""
    plain = reader(kind)
    return lambda answer: Versioned(plain(answer), answer.headers.get("etag", ""))


def read_nothing(answer: Incoming) -> None:
    """An answer without a body."""


def read_text(answer: Incoming) -> str:
    """An answer that is a page."""
    return answer.content.decode("utf-8", "replace")


def _event_id(spec: Spec, body: Any) -> str:
    """A service event is its own key."""
    return str(getattr(body, "event_id", "")) if spec.repeatable and spec.method == "POST" else ""
