"""Who is calling, and may they?

`authenticate.py` and `links.py` turn what came with a call into a `Principal`; the handler says what the call is about
as a `Resource`; `permit` holds both against the route's row of `policy.py`. Nothing here reads a request or
a database: what is kept stands behind Protocols, with dictionaries in `memory.py`.
"""

from drachm.adapters.rest.identity.authenticate import Authenticator
from drachm.adapters.rest.identity.decide import DENIALS, Allow, Decision, Deny, Reach, decide, relate
from drachm.adapters.rest.identity.errors import REASONS, TokenRefused, Unauthenticated
from drachm.adapters.rest.identity.model import Environment, Kind, Principal, Resource, Role, Scope, anonymous
from drachm.adapters.rest.identity.permit import Denied, may, permit, reach_on
from drachm.adapters.rest.identity.policy import POLICIES, missing_rows, policy_of
from drachm.adapters.rest.identity.routes import BY_OPERATION, ROUTES, About, Route

__all__ = [
    "BY_OPERATION",
    "DENIALS",
    "POLICIES",
    "REASONS",
    "ROUTES",
    "About",
    "Allow",
    "Authenticator",
    "Decision",
    "Denied",
    "Deny",
    "Environment",
    "Kind",
    "Principal",
    "Reach",
    "Resource",
    "Role",
    "Route",
    "Scope",
    "TokenRefused",
    "Unauthenticated",
    "anonymous",
    "decide",
    "may",
    "missing_rows",
    "permit",
    "policy_of",
    "reach_on",
    "relate",
]
