"""Which pages does the transport serve by itself, and what do they answer? For the OpenAPI document alone."""

from __future__ import annotations

from typing import Literal, NoReturn

from drachm.adapters.rest.identity.routes import BY_OPERATION
from drachm.adapters.rest.service.call import Call, Operation
from drachm.adapters.rest.service.shapes import View
from drachm.domain.errors import IntegrityError


class Health(View):
    """The process answers."""

    status: Literal["alive"]


class Readiness(View):
    """Requests may be sent here."""

    status: Literal["ready"]
    checks: dict[str, bool]
    """What was looked at, such as the database."""


def _elsewhere(call: Call) -> NoReturn:
    raise IntegrityError("the transport answers this by itself", where=call.operation)


def own_pages() -> dict[str, Operation]:
    """Operations that `transport.app.build` serves."""

    def page(name: str, **words: object) -> Operation:
        return Operation(BY_OPERATION[name], _elsewhere, **words)  # type: ignore[arg-type]

    return {
        "get_problem": page("get_problem", media="text/html"),
        "get_health": page("get_health", answer=Health),
        "get_readiness": page("get_readiness", answer=Readiness, problems=("not_ready",)),
        "get_metrics": page("get_metrics", media="text/plain", problems=("not_found",)),
    }
