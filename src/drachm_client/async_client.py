"""The same client for programs that run in an event loop (asyncio or trio)."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Final, Self, TypeVar, cast

import anyio
import httpx

from drachm_client.async_operations import AsyncOperations
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
from drachm_client.resolving import asking, settled
from drachm_client.sse import Messages
from drachm_client.values import StreamItem

T = TypeVar("T")
LISTENING: Final = httpx.Timeout(10, read=45)
"""A stream that is silent for so many seconds is dead: the service says something every 15."""


class AsyncClient(AsyncOperations, Base):
    """Every operation of the service, awaited. Close it when done, or use it in `async with`."""

    def __init__(
        self,
        base_url: str,
        token: Token = "",
        *,
        deadline: float = DEADLINE,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(base_url, token, deadline=deadline)
        self._http = http or httpx.AsyncClient(follow_redirects=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def call(self, outgoing: Outgoing[T], deadline: float | None = None) -> T:
        """Send a call, again where that is safe, until it is answered or the deadline has passed."""
        plan = converse(outgoing, deadline or self.deadline, time.monotonic, random.random)
        step = next(plan)
        while True:
            found = None
            if isinstance(step, Send):
                found = await self._attempt(outgoing, step.seconds)
            else:
                await anyio.sleep(step.seconds)
            try:
                step = plan.send(found)
            except StopIteration as answered:
                return result(outgoing, answered.value)

    async def resolve(self, unknown: Unknown[T], deadline: float | None = None) -> T | None:
        """What became of a call whose answer was lost; as `Client.resolve`."""
        question = asking(self, unknown.call)
        if question is None:
            raise unknown
        if question is unknown.call:
            return await self.call(unknown.call, deadline)
        try:
            found = await self.call(question, deadline)
        except NotFound:
            return None
        return cast("T", settled(unknown, found))

    async def stream(self, outgoing: Outgoing[T], after: str = "") -> AsyncIterator[StreamItem[T]]:
        """Items as they come, for ever; a lost connection is taken up again behind the last item.

        Raises the `Problem` of the day when the service does not let the caller listen, or not any more.
        """
        messages, wait = Messages(last_id=after), FIRST_WAIT
        while True:
            headers = {**outgoing.headers, **self.authorization()}
            if messages.last_id:
                headers["last-event-id"] = messages.last_id
            try:
                async with self._http.stream("GET", outgoing.url, headers=headers, timeout=LISTENING) as answer:
                    if answer.status_code != 200:
                        refused = Incoming(answer.status_code, _fields(answer), await answer.aread())
                        if refused.status not in LATER:
                            raise problem_of(refused)
                        wait = max(wait, retry_after(refused))
                    else:
                        async for piece in answer.aiter_bytes():
                            for message in messages.feed(piece):
                                if message.event == "end":
                                    continue  # Why it ends is told when it is asked for again.
                                wait = FIRST_WAIT
                                yield StreamItem(message.id, outgoing.read(Incoming(200, {}, message.data)))
            except httpx.TransportError:
                pass
            messages.reconnected()
            await anyio.sleep(max(wait, min(messages.retry, LONGEST_WAIT)) * (1 + random.random() / 2))
            wait = min(wait * 2, LONGEST_WAIT)

    async def _attempt(self, outgoing: Outgoing[T], seconds: float) -> Incoming | Lost:
        sent = False
        try:
            with anyio.fail_after(seconds):
                request = self._http.build_request(
                    outgoing.spec.method,
                    outgoing.url,
                    content=outgoing.content,
                    headers={**outgoing.headers, **self.authorization()},
                    timeout=seconds,
                )
                sent = True
                answer = await self._http.send(request)
                return Incoming(answer.status_code, _fields(answer), answer.content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Lost(False, type(error).__name__)
        except (httpx.TransportError, TimeoutError) as error:
            return Lost(sent, type(error).__name__)
        except httpx.InvalidURL as error:
            raise Unreachable(str(error)) from None


def _fields(answer: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}
