"""Which OIDC providers has the operator connected? The file of DRACHM_OIDC_FILE (docs/reference/settings.md)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from drachm.adapters import jsonsafe
from drachm.adapters.rest.identity.claims import ClaimMap
from drachm.adapters.rest.identity.jwks import KeySet, discovered
from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.identity.sign_in import SignIn
from drachm.adapters.rest.identity.tokens import Provider
from drachm.domain.errors import InvalidMessage

_PATHS: Final = ("tenant", "roles", "parties", "scopes")
_KEYS: Final = frozenset(
    {"issuer", "audience", "tenants", "role_words", "algorithms", "types", "skew_seconds", *_PATHS}
)
_SIGN_IN: Final = frozenset({"client_id", "client_secret_file", "name"})
"""Of an entry whose people can also sign in to the desk: the client that the operator registered there."""
_PLACE: Final = "DRACHM_OIDC_FILE"


def read_providers(path: Path | None) -> dict[str, tuple[Provider, KeySet]]:
    """The providers by issuer. Nothing is asked of them yet. Raises InvalidMessage that names the place."""
    document = _document(path)
    found = [_provider(entry, f"{_PLACE} $[{index}]") for index, entry in enumerate(document)]
    providers = {provider.issuer: (provider, KeySet(discovered(provider.issuer))) for provider in found}
    if len(providers) != len(found):
        raise InvalidMessage("two providers have one issuer", where=_PLACE)
    return providers


def read_sign_ins(path: Path | None, providers: Mapping[str, tuple[Provider, KeySet]]) -> list[SignIn]:
    """Where people can sign in to the desk: every entry with a `client_id`. Raises InvalidMessage."""
    return [
        _sign_in(entry, *providers[entry["issuer"]], f"{_PLACE} $[{index}]")
        for index, entry in enumerate(_document(path))
        if entry.keys() & _SIGN_IN
    ]


def _document(path: Path | None) -> list[Any]:
    try:
        document = jsonsafe.loads(path.read_bytes(), _PLACE) if path is not None else []
    except OSError as error:
        raise InvalidMessage(
            f"it cannot be read: {error.strerror}",
            where=_PLACE,
            next_step="Let this user read the file, or correct its name.",
        ) from None
    if not isinstance(document, list):
        raise InvalidMessage("a list of providers is expected", where=_PLACE)
    return document


def _sign_in(entry: Mapping[str, Any], provider: Provider, keys: KeySet, where: str) -> SignIn:
    words = {name: entry.get(name, "") for name in _SIGN_IN}
    if not words["client_id"] or not all(isinstance(word, str) and word.isprintable() for word in words.values()):
        raise InvalidMessage("client_id, client_secret_file and name are words, the first is needed", where=where)
    secret = ""
    if words["client_secret_file"]:
        try:
            secret = Path(words["client_secret_file"]).read_text("utf-8").strip()
        except (OSError, ValueError):
            raise InvalidMessage("the file with the client's secret cannot be read", where=where) from None
    name = words["name"] or urlsplit(provider.issuer).hostname or "your clinic’s account"
    return SignIn(provider, keys, words["client_id"], name, secret)


def _provider(entry: Any, where: str) -> Provider:
    if (
        not isinstance(entry, dict)
        or not entry.keys() <= _KEYS | _SIGN_IN
        or not {"issuer", "audience", "tenants"} <= entry.keys()
    ):
        known = ", ".join(sorted(_KEYS | _SIGN_IN))
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
