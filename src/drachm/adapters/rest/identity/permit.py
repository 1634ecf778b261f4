"""How does a handler ask, in one line, whether it may go on?

    reach = permit("get_receipt", caller, Resource(tenant, environment, parties=..., members=...), now)

goes on with what the caller reaches, or stops with a `Denied` that the problem table knows. For a thousand events in
one body, `reach_on` is asked once and `Reach.covers` for each.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from drachm.adapters.rest.identity.decide import DENIALS, Decision, Deny, Reach, Relations, decide, relate
from drachm.adapters.rest.identity.model import Principal, Resource
from drachm.adapters.rest.identity.policy import policy_of
from drachm.adapters.rest.identity.routes import BY_OPERATION, About
from drachm.domain.errors import Forbidden


class Denied(Forbidden):
    """The caller may not do this. `status` is 401, 403, or 404 where existence is a secret; `code` says which rule."""

    def __init__(self, denial: Deny, operation: str) -> None:
        self.status, message = DENIALS[denial.code]
        # Of what is hidden not even the name of the call is repeated: the answer is that of an unknown path.
        super().__init__(message, where="" if self.status == 404 else operation, code=denial.code)


def permit(operation: str, caller: Principal, resource: Resource | None, at: datetime) -> Reach:
    """What the caller reaches by this operation on this thing. Raises Denied.

    `resource` is None for calls about nothing of a tenant, and for a thing that is not there: who may not see things of
    its kind is told so, everybody else that there is nothing.
    """
    return _go_on(may(operation, caller, resource, at), operation)


def may(operation: str, caller: Principal, resource: Resource | None, at: datetime) -> Decision:
    """The decision as a value: what `permit` raises or returns."""
    route = BY_OPERATION[operation]
    policy = policy_of(route.method, route.template)
    relations = relate(caller, resource, policy.about, at) if resource is not None else Relations(market=False)
    return decide(policy, caller, relations)


def reach_on(operation: str, caller: Principal, at: datetime) -> Reach:
    """Everything the caller could do this to: filters a list, or is asked item by item. Raises Denied."""
    route = BY_OPERATION[operation]
    policy = replace(policy_of(route.method, route.template), about=About.MANY)
    here = Resource(caller.tenant, caller.environment)
    return _go_on(decide(policy, caller, relate(caller, here, About.MANY, at)), operation)


def _go_on(decision: Decision, operation: str) -> Reach:
    if isinstance(decision, Deny):
        raise Denied(decision, operation)
    return decision.reach
