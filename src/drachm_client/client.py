"""The client for ordinary programs.

    with Client("https://service.example", "drk_sandbox_...") as client:
        answer = client.post_service_event(ServiceEvent(source="clinic-a", event_id="visit-1", ...))

A call ends within its deadline: with an answer, with a typed `Problem`, or with `Unknown`, which `resolve` settles.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self, TypeVar, cast

import httpx

from drachm_client.base import Base, Token
from drachm_client.errors import NotFound, Unknown, Unreachable
from drachm_client.exchange import (
    DEADLINE,
    FIRST_WAIT,
    LATER,
    LONGEST_WAIT,
    Incoming,
    Lost,
    Outgoing,
    Send,
    converse,
    problem_of,
    result,
    retry_after,
)
from drachm_client.operations import Operations
from drachm_client.resolving import asking, settled
from drachm_client.sse import Messages
from drachm_client.values import StreamItem

T = TypeVar("T")
LISTENING: Final = httpx.Timeout(10, read=45)
"""A stream that is silent for so many seconds is dead: the service says something every 15."""


class Client(Operations, Base):
    """Every operation of the service. One client serves any number of threads; close it when done."""

    def __init__(
        self,
        base_url: str,
        token: Token = "",
        *,
        deadline: float = DEADLINE,
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(base_url, token, deadline=deadline)
        self._http = http or httpx.Client(follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, outgoing: Outgoing[T], deadline: float | None = None) -> T:
        """Send a call, again where that is safe, until it is answered or the deadline has passed."""
        plan = converse(outgoing, deadline or self.deadline, time.monotonic, random.random)
        step = next(plan)
        while True:
            found = None
            if isinstance(step, Send):
                found = self._attempt(outgoing, step.seconds)
            else:
                time.sleep(step.seconds)
            try:
                step = plan.send(found)
            except StopIteration as answered:
                return result(outgoing, answered.value)

    def resolve(self, unknown: Unknown[T], deadline: float | None = None) -> T | None:
        """What became of a call whose answer was lost.

        The answer, or the `Problem` that it was; None: it is not known there, so make it anew with the same key. A
        service event is sent once more, which is safe. Raises `Unknown` again while nobody can tell, and for a call
        without a key.
        """
        question = asking(self, unknown.call)
        if question is None:
            raise unknown
        if question is unknown.call:
            return self.call(unknown.call, deadline)
        try:
            found = self.call(question, deadline)
        except NotFound:
            return None
        return cast("T", settled(unknown, found))

    def stream(self, outgoing: Outgoing[T], after: str = "") -> Iterator[StreamItem[T]]:
        """Items as they come, for ever; a lost connection is taken up again behind the last item.

        Raises the `Problem` of the day when the service does not let the caller listen, or not any more.
        """
        messages, wait = Messages(last_id=after), FIRST_WAIT
        while True:
            headers = {**outgoing.headers, **self.authorization()}
            if messages.last_id:
                headers["last-event-id"] = messages.last_id
            try:
                with self._http.stream("GET", outgoing.url, headers=headers, timeout=LISTENING) as answer:
                    if answer.status_code != 200:
                        refused = Incoming(answer.status_code, _fields(answer), answer.read())
                        if refused.status not in LATER:
                            raise problem_of(refused)
                        wait = max(wait, retry_after(refused))
                    else:
                        for piece in answer.iter_bytes():
                            for message in messages.feed(piece):
                                if message.event == "end":
                                    continue  # Why it ends is told when it is asked for again.
                                wait = FIRST_WAIT
                                yield StreamItem(message.id, outgoing.read(Incoming(200, {}, message.data)))
            except httpx.TransportError:
                pass
            messages.reconnected()
            time.sleep(max(wait, min(messages.retry, LONGEST_WAIT)) * (1 + random.random() / 2))
            wait = min(wait * 2, LONGEST_WAIT)

    def _attempt(self, outgoing: Outgoing[T], seconds: float) -> Incoming | Lost:
        until = time.monotonic() + seconds
        try:
            request = self._http.build_request(
                outgoing.spec.method,
                outgoing.url,
                content=outgoing.content,
                headers={**outgoing.headers, **self.authorization()},
                timeout=seconds,
            )
            answer = self._http.send(request, stream=True)
            try:
                pieces = []
                for piece in answer.iter_bytes():
                    pieces.append(piece)
                    # The time-out of a read begins anew with every piece; the deadline does not.
                    if time.monotonic() > until:
                        return Lost(True, "the answer took too long")
                return Incoming(answer.status_code, _fields(answer), b"".join(pieces))
            finally:
                answer.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Lost(False, type(error).__name__)
        except httpx.TransportError as error:
            return Lost(True, type(error).__name__)
        except httpx.InvalidURL as error:
            raise Unreachable(str(error)) from None


def _fields(answer: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}
