"""Where do the service's own secrets come from, and are they good enough for real money?

Live takes them from the environment, all of them. A sandbox makes what is missing once and keeps it in the data folder,
readable by its owner only, as `settings.master_key` does with the key of the patients' data.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from drachm.domain.errors import InvalidMessage, Unavailable
from drachm.settings import MASTER_KEY_BYTES, Settings, ensure_random

SECRETS_FILE: Final = "service-secrets.json"
NAMES: Final = ("key_pepper", "link_secret", "cursor_secret", "token_secret", "answer_secret")


def with_secrets(settings: Settings) -> Settings:
    """The settings with every secret of the service in them.

    Raises InvalidMessage: in live for a secret that is not set or set twice, an address without https or a master key
    that is only a file; in the sandbox for a damaged or open file.
    """
    if settings.environment == "live":
        _ensure_live(settings)
        found = settings
    else:
        missing = [name for name in NAMES if not getattr(settings, name)]
        kept = _kept(settings.data_dir) if missing else {}
        made: dict[str, Any] = {name: (kept[name],) for name in missing}
        found = replace(settings, **made)
    _ensure_apart(found)
    return found


def _ensure_live(settings: Settings) -> None:
    for name in (*NAMES, "master_key"):
        if not getattr(settings, name):
            raise InvalidMessage(
                "live needs this secret set",
                where=f"DRACHM_{name.upper()}",
                next_step="Make one with: openssl rand -hex 32, and keep it where this machine's secrets are kept.",
            )
    if not settings.base_url.startswith("https://"):
        raise InvalidMessage(
            "live needs the https address that callers use", where="DRACHM_BASE_URL", next_step="Set https://host."
        )
    ensure_random(settings.master_key, "DRACHM_MASTER_KEY")


def _ensure_apart(settings: Settings) -> None:
    """One secret for two purposes would let a word made for one pass for the other's."""
    seen: dict[bytes, str] = {settings.master_key: "DRACHM_MASTER_KEY"} if settings.master_key else {}
    for name in NAMES:
        for secret in getattr(settings, name):
            if secret in seen:
                raise InvalidMessage(
                    f"is the same secret as {seen[secret]}",
                    where=f"DRACHM_{name.upper()}",
                    next_step="Make one for each purpose: openssl rand -hex 32",
                )
        seen.update(dict.fromkeys(getattr(settings, name), f"DRACHM_{name.upper()}"))


def _kept(folder: Path) -> dict[str, bytes]:
    path = folder / SECRETS_FILE
    try:
        if not path.exists():
            _write_new(path)
        if path.stat().st_mode & 0o077:
            raise InvalidMessage(
                "other users can read the service's secrets",
                where=str(path),
                next_step="Find out who could have read them, then delete the file: a new one is made.",
            )
        return _read(path)
    except OSError as error:
        raise Unavailable(
            f"the service's secrets cannot be read or made: {error.strerror}",
            where=str(path),
            next_step="Set DRACHM_DATA_DIR to a folder this user may write.",
        ) from None


def _read(path: Path) -> dict[str, bytes]:
    try:
        document = json.loads(path.read_text("ascii"))
        found = {name: bytes.fromhex(document[name]) for name in NAMES}
    except (ValueError, KeyError, TypeError):
        found = {}
    if not found or any(len(secret) != MASTER_KEY_BYTES for secret in found.values()):
        raise InvalidMessage(
            "is no file of secrets",
            where=str(path),
            next_step="Restore it, or delete it: keys, links and cursors made with it end then.",
        )
    return found


def _write_new(path: Path) -> None:
    path.parent.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({name: secrets.token_hex(MASTER_KEY_BYTES) for name in NAMES}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        # A link never replaces: the first of several processes wins, and nobody ever reads half a file.
        os.link(part, path)
    except FileExistsError:
        return
    finally:
        part.unlink()
