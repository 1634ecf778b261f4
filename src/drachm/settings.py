"""What can an operator set, what does it mean, and what holds when nothing is set?

Every setting is an environment variable beginning with DRACHM_ and a field of `Settings`. An empty variable counts as
not set.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from drachm.domain.errors import InvalidMessage, Unavailable

MASTER_KEY_BYTES = 32
MASTER_KEY_FILE = "master.key"
SYSTEM_DATA_DIR = Path("/var/lib/drachm")
PG_MAJORS = (18, 16)
ENVIRONMENTS = ("sandbox", "live")
PG_START_SECONDS = 600
PROXY_FIELDS = ("x-forwarded-for", "forwarded")


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

    environment: str = "sandbox"
    """DRACHM_ENVIRONMENT: sandbox (play money, secrets made by itself) or live (every secret must be set).
    Default: sandbox. API keys and tokens of one are refused by the other."""

    base_url: str = ""
    """DRACHM_BASE_URL: how callers reach the service, without a slash at the end (https://pay.example.org). It stands
    in links and tokens; live needs https. Default: empty, http://127.0.0.1 and the port that is listened on."""

    workers: int = 1
    """DRACHM_WORKERS: worker processes of `drachm serve`, 1 to 64. Default: 1."""

    calls_per_minute: int = 60_000
    """DRACHM_CALLS_PER_MINUTE: how many calls one credential may make in a minute, at one worker; more are answered
    429 with Retry-After. Default: 60000."""

    proxies: int = 0
    """DRACHM_PROXIES: how many proxies of yours each call passes before it reaches the service, 1 to 8; each must add
    the address it was called from to the field of DRACHM_PROXY_FIELD. Calls without a credential are counted by the
    address that this tells. Default: empty, none: no such field is believed, the address of the connection counts."""

    proxy_field: str = PROXY_FIELDS[0]
    """DRACHM_PROXY_FIELD: the field to which your proxies add, x-forwarded-for or forwarded (RFC 7239); the other one
    is never read. Default: x-forwarded-for."""

    oidc_file: Path | None = None
    """DRACHM_OIDC_FILE: JSON file that names the OIDC providers whose tokens are taken (docs/reference/settings.md).
    Default: empty, none: people cannot log in, machines can."""

    rails_file: Path | None = None
    """DRACHM_RAILS_FILE: JSON file that names the rails by which money comes in, with their secrets, by tenant
    (docs/how-to/connect-rails.md). Default: empty, none: money that has arrived is booked by hand."""

    help_phone: str = ""
    """DRACHM_HELP_PHONE: whom patients call, as it stands at the foot of their pages (555 0100). Default: empty, they
    are told to ask their clinic."""

    write_off_alone: int = 20
    """DRACHM_WRITE_OFF_ALONE: up to how many whole units of a currency one person at a clinic gives up of what a
    patient owes it, within a year; above that a second person agrees. Default: 20."""

    step_up: int = 100
    """DRACHM_STEP_UP: from how many whole units of a currency on a payment on a page asks again who is there.
    Default: 100."""

    key_pepper: tuple[bytes, ...] = field(default=(), repr=False)
    """DRACHM_KEY_PEPPER: 64 hexadecimal digits; API keys are kept hashed under it. Of several, parted by commas, the
    first is used and the others are still believed. Default: empty, made in the sandbox; live must set it."""

    link_secret: tuple[bytes, ...] = field(default=(), repr=False)
    """DRACHM_LINK_SECRET: 64 hexadecimal digits, or several as above; links to receipts are signed with it.
    Default: empty, made in the sandbox; live must set it."""

    cursor_secret: tuple[bytes, ...] = field(default=(), repr=False)
    """DRACHM_CURSOR_SECRET: 64 hexadecimal digits, or several as above; cursors of lists are signed with it.
    Default: empty, made in the sandbox; live must set it."""

    token_secret: tuple[bytes, ...] = field(default=(), repr=False)
    """DRACHM_TOKEN_SECRET: 64 hexadecimal digits, or several as above; the Ed25519 key that signs our access tokens.
    Default: empty, made in the sandbox; live must set it."""

    answer_secret: tuple[bytes, ...] = field(default=(), repr=False)
    """DRACHM_ANSWER_SECRET: 64 hexadecimal digits, one only; answers to second questions are kept hashed under it.
    Default: empty, made in the sandbox; live must set it."""


def load(environ: Mapping[str, str]) -> Settings:
    """The settings that an environment gives. Raises InvalidMessage, naming the variable, for a value it cannot use."""
    return Settings(
        database_url=_database_url(environ),
        data_dir=_data_dir(environ),
        master_key=_master_key(environ),
        pg_major=_pg_major(environ),
        pg_start_seconds=_whole(environ, "DRACHM_PG_START_SECONDS", PG_START_SECONDS),
        environment=_environment(environ),
        base_url=_base_url(environ),
        workers=_whole(environ, "DRACHM_WORKERS", 1, most=64),
        calls_per_minute=_whole(environ, "DRACHM_CALLS_PER_MINUTE", 60_000),
        proxies=_whole(environ, "DRACHM_PROXIES", 0, most=8),
        proxy_field=_proxy_field(environ),
        oidc_file=_file(environ, "DRACHM_OIDC_FILE"),
        rails_file=_file(environ, "DRACHM_RAILS_FILE"),
        help_phone=_phone(environ),
        step_up=_whole(environ, "DRACHM_STEP_UP", 100),
        write_off_alone=_whole(environ, "DRACHM_WRITE_OFF_ALONE", 20),
        key_pepper=_secrets(environ, "DRACHM_KEY_PEPPER"),
        link_secret=_secrets(environ, "DRACHM_LINK_SECRET"),
        cursor_secret=_secrets(environ, "DRACHM_CURSOR_SECRET"),
        token_secret=_secrets(environ, "DRACHM_TOKEN_SECRET"),
        answer_secret=_secrets(environ, "DRACHM_ANSWER_SECRET", most=1),
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


def _whole(environ: Mapping[str, str], variable: str, default: int, *, most: int = 1_000_000_000) -> int:
    text = environ.get(variable, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= most):
        raise _invalid(variable, f"{text!r} is not a number from 1 to {most}", "Use a whole number above 0.")
    return int(text)


def _environment(environ: Mapping[str, str]) -> str:
    text = environ.get("DRACHM_ENVIRONMENT", "").strip() or ENVIRONMENTS[0]
    if text not in ENVIRONMENTS:
        raise _invalid("DRACHM_ENVIRONMENT", f"there is no environment {text!r}", "Use sandbox or live.")
    return text


def _proxy_field(environ: Mapping[str, str]) -> str:
    text = environ.get("DRACHM_PROXY_FIELD", "").strip().lower()
    if text and text not in PROXY_FIELDS:
        raise _invalid("DRACHM_PROXY_FIELD", f"{text!r} is not read", f"Use {' or '.join(PROXY_FIELDS)}.")
    if text and not environ.get("DRACHM_PROXIES", "").strip():
        raise _invalid("DRACHM_PROXY_FIELD", "is of no use without a proxy", "Say how many: DRACHM_PROXIES.")
    return text or PROXY_FIELDS[0]


def _base_url(environ: Mapping[str, str]) -> str:
    text = environ.get("DRACHM_BASE_URL", "").strip()
    if text and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-])?", text):
        raise _invalid(
            "DRACHM_BASE_URL", "is not a plain http or https URL", "Write https://host, no slash at the end."
        )
    return text


def _phone(environ: Mapping[str, str]) -> str:
    text = environ.get("DRACHM_HELP_PHONE", "").strip()
    if text and not re.fullmatch(r"\+?[0-9][0-9 ()/-]{1,30}", text):
        raise _invalid("DRACHM_HELP_PHONE", f"{text!r} is no telephone number", "Write digits and blanks, +1 555 0100.")
    return text


def _file(environ: Mapping[str, str], variable: str) -> Path | None:
    text = environ.get(variable, "").strip()
    if text and not Path(text).is_file():
        raise _invalid(variable, f"there is no file {text}", "Name the file, or leave it empty.")
    return Path(text).absolute() if text else None


def _secrets(environ: Mapping[str, str], variable: str, *, most: int = 8) -> tuple[bytes, ...]:
    words = [word.strip() for word in environ.get(variable, "").split(",") if word.strip()]
    if len(words) > most:
        raise _invalid(variable, f"holds more than {most}", "Remove the oldest.")
    found = tuple(_key_from_hex(word, where=variable) for word in words)
    if len(set(found)) != len(found):
        raise _invalid(variable, "holds the same secret twice", "Keep each once.")
    for secret in found:
        ensure_random(secret, variable)
    return found


def ensure_random(secret: bytes, where: str) -> None:
    """Raise InvalidMessage for a secret that nobody drew at random: one of few different bytes, or counted up."""
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    if len(set(secret)) < MASTER_KEY_BYTES // 2 or len(steps) < MASTER_KEY_BYTES // 4:
        raise _invalid(where, "is no random secret", "Make one with: openssl rand -hex 32")


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
