"""How does Starlette say no in our words?"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from drachm.adapters.rest.transport.exchange import Scope
from drachm.adapters.rest.transport.problems import Answer, answer_of, status_answer
from drachm.domain.errors import DrachmError


def response_of(answer: Answer) -> Response:
    """The same answer for a Starlette handler to return."""
    response = Response(answer.body, answer.status)
    response.raw_headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    return response


def answer_in_problems(inner: Starlette, fields: frozenset[str] | None) -> None:
    """Make the inner application speak problem documents for everything it refuses by itself."""

    async def refused(request: Request, error: Exception) -> Response:
        return response_of(answer_of(error, request.scope["passage"].request_id, fields=fields))

    async def by_status(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = [(name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items()]
        if error.status_code == 405:
            headers = [(b"allow", ", ".join(sorted(_methods(inner, request.scope))).encode())]
        return response_of(status_answer(error.status_code, request.scope["passage"].request_id, headers))

    inner.exception_handlers.update({DrachmError: refused, HTTPException: by_status, Exception: refused})


def _methods(inner: Starlette, scope: Scope) -> set[str]:
    matching = [route for route in inner.router.routes if route.matches(scope)[0] is not Match.NONE]
    # "/members/match" is an address of its own, though the pattern "/members/{id}" fits it too.
    matching = [route for route in matching if getattr(route, "path", "") == scope["path"]] or matching
    return {method for route in matching for method in getattr(route, "methods", None) or ()}
