"""What can an operator set, what does it mean, and what holds when nothing is set?

Every setting is an environment variable beginning with DRACHM_ and a field of `Settings`. An empty variable counts as
not set.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drachm.domain.errors import InvalidMessage, Unavailable

MASTER_KEY_BYTES = 32
MASTER_KEY_FILE = "master.key"
SYSTEM_DATA_DIR = Path("/var/lib/drachm")
PG_MAJORS = (18, 16)
PG_START_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between two installations; read once, at the entry point, by `load`."""

    database_url: str = field(default="", repr=False)
    """DRACHM_DATABASE_URL: libpq URL of a PostgreSQL server, 16 or newer (postgresql://user:password@host/database).
    Default: empty, the embedded server in the data folder. Not shown in messages: it may hold a password."""

    data_dir: Path = SYSTEM_DATA_DIR
    """DRACHM_DATA_DIR: folder of the embedded database and of the master key file.
    Default: /var/lib/drachm for root, else $XDG_DATA_HOME/drachm, else ~/.local/share/drachm."""

    master_key: bytes = field(default=b"", repr=False)
    """DRACHM_MASTER_KEY: 64 hexadecimal digits, the 32-byte key that wraps the data keys of the patients.
    Default: empty, a random key kept in the file master.key of the data folder (`master_key`). Whoever loses the key
    loses what patients' records say; the books stay whole."""

    pg_major: int = 18
    """DRACHM_PG_MAJOR: version of the embedded PostgreSQL, 18 or 16. Default: 18. Each has its own data."""

    pg_start_seconds: int = PG_START_SECONDS
    """DRACHM_PG_START_SECONDS: how many seconds to wait for an embedded server that is alive but not ready (crash
    recovery of a large ledger). Default: 600."""

    shared: Path | None = None
    """DRACHM_SHARED: folder with the larger reference data sets, used by tests and measurements only.
    Default: the folder `shared` beside the source tree; where there is none, the bundled small copies serve."""


def load(environ: Mapping[str, str]) -> Settings:
    """The settings that an environment gives. Raises InvalidMessage, naming the variable, for a value it cannot use."""
    return Settings(
        database_url=_database_url(environ),
        data_dir=_data_dir(environ),
        master_key=_master_key(environ),
        pg_major=_pg_major(environ),
        pg_start_seconds=_pg_start_seconds(environ),
        shared=_shared(environ),
    )


def master_key(settings: Settings) -> bytes:
    """The key that wraps the patients' data keys: the one that was set, else the one kept in the data folder.

    The first call makes the file, readable by its owner only; processes that race agree on one key. Raises
    InvalidMessage for a damaged or open file and Unavailable when the folder cannot be used.
    """
    if settings.master_key:
        return settings.master_key
    path = settings.data_dir / MASTER_KEY_FILE
    try:
        if not path.exists():
            _write_new_key(path)
        if path.stat().st_mode & 0o077:
            raise InvalidMessage(
                "other users can read the master key",
                where=str(path),
                next_step="Find out who could have read it, then close it with chmod 600.",
            )
        return _key_from_hex(path.read_text("ascii", errors="replace").strip(), where=str(path))
    except OSError as error:
        raise Unavailable(
            f"the master key cannot be read or made: {error.strerror}",
            where=str(path),
            next_step="Set DRACHM_DATA_DIR to a folder this user may write, or set DRACHM_MASTER_KEY.",
        ) from error


def _write_new_key(path: Path) -> None:
    path.parent.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(MASTER_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link never replaces: the first of several processes wins, and nobody ever reads half a key.
        os.link(part, path)
    except FileExistsError:
        return
    finally:
        part.unlink()


def _database_url(environ: Mapping[str, str]) -> str:
    url = environ.get("DRACHM_DATABASE_URL", "").strip()
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise _invalid("DRACHM_DATABASE_URL", "is not a postgresql:// URL", "Write postgresql://user@host/database.")
    return url


def _data_dir(environ: Mapping[str, str]) -> Path:
    chosen = environ.get("DRACHM_DATA_DIR", "")
    home = Path(environ.get("HOME") or Path.home())
    if chosen:
        folder = home / chosen[2:] if chosen.startswith("~/") else Path(chosen)
    elif os.geteuid() == 0:
        folder = SYSTEM_DATA_DIR
    else:
        folder = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "drachm"
    if folder.exists() and not folder.is_dir():
        raise _invalid("DRACHM_DATA_DIR", f"{folder} is a file", "Name a folder; it is made when missing.")
    return folder.absolute()


def _master_key(environ: Mapping[str, str]) -> bytes:
    text = environ.get("DRACHM_MASTER_KEY", "").strip()
    return _key_from_hex(text, where="DRACHM_MASTER_KEY") if text else b""


def _key_from_hex(text: str, *, where: str) -> bytes:
    # The text itself never reaches a message. bytes.fromhex would also take spaces between the digits.
    if len(text) != 2 * MASTER_KEY_BYTES or not all(digit in "0123456789abcdefABCDEF" for digit in text):
        raise _invalid(where, "is not 64 hexadecimal digits", "Make one with: openssl rand -hex 32")
    return bytes.fromhex(text)


def _pg_major(environ: Mapping[str, str]) -> int:
    text = environ.get("DRACHM_PG_MAJOR", "").strip()
    for major in PG_MAJORS:
        if text in ("", str(major)):
            return major
    raise _invalid("DRACHM_PG_MAJOR", f"there is no embedded PostgreSQL {text!r}", "Use 18 or 16.")


def _pg_start_seconds(environ: Mapping[str, str]) -> int:
    text = environ.get("DRACHM_PG_START_SECONDS", "").strip()
    if not text:
        return PG_START_SECONDS
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise _invalid("DRACHM_PG_START_SECONDS", f"{text!r} is not a number of seconds", "Use a whole number above 0.")
    return int(text)


def _shared(environ: Mapping[str, str]) -> Path | None:
    text = environ.get("DRACHM_SHARED", "")
    if text:
        if not Path(text).is_dir():
            raise _invalid("DRACHM_SHARED", f"there is no folder {text}", "Name the folder, or leave it empty.")
        return Path(text).absolute()
    beside = Path(__file__).resolve().parents[3] / "shared"
    return beside if beside.is_dir() else None


def _invalid(variable: str, what: str, next_step: str) -> InvalidMessage:
    return InvalidMessage(what, where=variable, next_step=next_step)
