"""What became of a call whose answer was lost?"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from drachm_client import models
from drachm_client.base import Base, read_as
from drachm_client.errors import Unknown
from drachm_client.exchange import Incoming, Outgoing, Spec, problem_of

_BY_KEY: Final = Spec("get_operation_by_key", "GET", "/v1/operations/by-key/{key}", repeatable=True)


def asking(client: Base, call: Outgoing[Any]) -> Outgoing[Any] | None:
    """The call that finds out: by the key; or the same once more, where it is its own key; None where nothing can."""
    if call.spec.keyed:
        return client.outgoing(_BY_KEY, read_as(models.OperationView), {"key": call.key})
    return call if call.spec.repeatable else None


def settled(unknown: Unknown[Any], found: models.OperationView) -> Any:
    """What the kept answer says. Raises `Unknown` again while the call is worked on, and the `Problem` that it was."""
    if found.status is None:
        raise Unknown(unknown.call, "it is still being worked on")
    content = b"" if found.body is None else msgspec.json.encode(found.body)
    answer = Incoming(found.status, {}, content)
    if found.status >= 400:
        raise problem_of(answer)
    return unknown.call.read(answer)
