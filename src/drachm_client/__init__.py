"""The Python client of Drachm. It knows the service by its published interface only and imports nothing of it.

Sync: `Client`. Async: `AsyncClient`. Requests and answers: `drachm_client.models`. What can go wrong:
`drachm_client.errors`.
"""

from drachm_client import models
from drachm_client.async_client import AsyncClient
from drachm_client.client import Client
from drachm_client.errors import (
    BadRequest,
    Busy,
    Changed,
    ClientError,
    Conflict,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    ServerFault,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unknown,
    Unreachable,
    Unreadable,
    VersionNeeded,
)
from drachm_client.values import StreamItem, Versioned

__all__ = [
    "AsyncClient",
    "BadRequest",
    "Busy",
    "Changed",
    "Client",
    "ClientError",
    "Conflict",
    "Fault",
    "Forbidden",
    "Invalid",
    "NotFound",
    "Problem",
    "ServerFault",
    "StreamItem",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unknown",
    "Unreachable",
    "Unreadable",
    "VersionNeeded",
    "Versioned",
    "models",
]
