"""How does a rail tell us something by itself? Read as it came, signed or refused, booked once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.serving import Serving
from drachm.adapters.rest.transport.framework import response_of
from drachm.adapters.rest.transport.passage import Passage
from drachm.adapters.rest.transport.problems import Answer, Problem
from drachm.application.cards import keep
from drachm.application.payments import hear
from drachm.application.refunds import hear_refund
from drachm.domain.errors import Forbidden, IntegrityError, InvalidMessage
from drachm.domain.payments.model import CardKept
from drachm.domain.payments.refund import RefundNews

PATH: Final = "/v1/callbacks/{tenant}/{rail}"
_ANSWERS: Final[Mapping[str, bytes]] = {"alipay": b"success"}
"""What a rail takes for "heard"; for the others any 2xx does."""


@operation("hear_callback", media="text/plain", problems=("callback_forged", "callback_stale", "invalid_callback"))
def _declared(call: Call) -> None:
    """Declared for the interface's description; `callback_routes` answers."""
    raise IntegrityError("this call is answered before handlers are asked", where=call.operation)


def callback_routes(serving: Serving) -> list[Route]:
    """The one route that rails call. It needs the bytes as they came: what is signed are they."""

    async def endpoint(request: Request) -> Response:
        passage: Passage = request.scope["passage"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in passage.fields.items()}
        body = await request.body()
        path = request.path_params
        done = await run_sync(lambda: _heard(serving, path, headers, body), limiter=serving.threads)
        return response_of(done)

    return [Route(PATH, endpoint, methods=["POST"])]


def _heard(serving: Serving, path: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:
    try:
        market = serving.house.market(path["tenant"])
    except Forbidden:
        raise Problem("not_found") from None
    rail = market.rails.get(path["rail"])
    if rail is None:
        raise Problem("not_found")
    for news in rail.read_callback(headers, body, serving.now()):
        try:
            if isinstance(news, CardKept):
                keep(news, rail.name, market.records)
            elif isinstance(news, RefundNews):
                hear_refund(news, market.desk, market.records, rail=rail.name)
            else:
                hear(news, rail.name, market.desk, market.records)
        except InvalidMessage as error:
            # Signed by the rail, and not about a payment of ours (another system may share the account): heard.
            if error.code not in ("unknown_payment", "unknown_refund"):
                raise
    return Answer(200, ((b"content-type", b"text/plain"),), _ANSWERS.get(rail.name, b""))
