"""Which OIDC providers has the operator connected? The file of DRACHM_OIDC_FILE (docs/reference/settings.md)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from drachm.adapters import jsonsafe
from drachm.adapters.rest.identity.claims import ClaimMap
from drachm.adapters.rest.identity.jwks import KeySet, discovered
from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.identity.tokens import Provider
from drachm.domain.errors import InvalidMessage

_PATHS: Final = ("tenant", "roles", "parties", "scopes")
_KEYS: Final = frozenset(
    {"issuer", "audience", "tenants", "role_words", "algorithms", "types", "skew_seconds", *_PATHS}
)
_PLACE: Final = "DRACHM_OIDC_FILE"


def read_providers(path: Path | None) -> dict[str, tuple[Provider, KeySet]]:
    """The providers by issuer. Nothing is asked of them yet. Raises InvalidMessage that names the place."""
    if path is None:
        return {}
    document = jsonsafe.loads(path.read_bytes(), _PLACE)
    if not isinstance(document, list):
        raise InvalidMessage("a list of providers is expected", where=_PLACE)
    found = [_provider(entry, f"{_PLACE} $[{index}]") for index, entry in enumerate(document)]
    providers = {provider.issuer: (provider, KeySet(discovered(provider.issuer))) for provider in found}
    if len(providers) != len(found):
        raise InvalidMessage("two providers have one issuer", where=_PLACE)
    return providers


def _provider(entry: Any, where: str) -> Provider:
    if (
        not isinstance(entry, dict)
        or not entry.keys() <= _KEYS
        or not {"issuer", "audience", "tenants"} <= entry.keys()
    ):
        known = ", ".join(sorted(_KEYS))
        raise InvalidMessage(
            "a provider is an object with issuer, audience and tenants", where=where, next_step=f"Keys: {known}."
        )
    try:
        claims: dict[str, Any] = {name: _path(entry[name], name) for name in _PATHS if name in entry}
        if "role_words" in entry:
            claims["role_words"] = _role_words(entry["role_words"])
        more: dict[str, Any] = {
            name: frozenset(_words(entry[name])) for name in ("algorithms", "types") if name in entry
        }
        if "skew_seconds" in entry:
            more["skew_seconds"] = int(entry["skew_seconds"])
        mapped = ClaimMap(frozenset(_words(entry["tenants"])), **claims)
        return Provider(str(entry["issuer"]), str(entry["audience"]), mapped, **more)
    except (TypeError, ValueError) as error:
        raise InvalidMessage(f"cannot be used: {error}", where=where) from None


def _path(value: Any, name: str) -> tuple[str, ...] | None:
    return None if value is None and name == "scopes" else tuple(_words(value))


def _words(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        raise TypeError("a list of words is expected")
    return value


def _role_words(value: Any) -> Mapping[str, Role]:
    if not isinstance(value, dict):
        raise TypeError("role_words is an object")
    return {word: Role(role) for word, role in value.items()}
