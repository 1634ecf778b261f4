"""Is everything here that the service needs? One finding for each question, with what to do next."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from drachm import settings as configuration
from drachm.application.findings import Finding, found
from drachm.bootstrap import DATABASE
from drachm.domain.errors import DrachmError
from drachm.service.own_secrets import SECRETS_FILE, with_secrets
from drachm.service.providers import read_providers, read_sign_ins
from drachm.service.rails import ensure_connectable
from drachm.settings import MASTER_KEY_FILE, Settings
from drachm.storage.checkup import checkup
from drachm.storage.embedded import EmbeddedServer

MEGABYTE: Final = 1_000_000
DISK_MEGABYTES: Final = (5_000, 500)
"""Free space below which it is worth a word, and below which the database may stop."""
EARLIEST: Final = datetime(2025, 1, 1, tzinfo=UTC)


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at everything, most basic first. Makes what a first start makes: embedded server, a sandbox's secrets."""
    try:
        settings = configuration.load(environ)
    except DrachmError as error:
        yield _broken("settings", error)
        return
    yield found("settings", f"{settings.environment}; every variable can be used")
    yield from _machine(settings)
    try:
        with_secrets(settings)
        yield found("secrets", "every secret is here, random, and used for one thing only")
    except DrachmError as error:
        yield _broken("secrets", error)
    yield _providers(settings)
    yield _rails(settings)
    yield from _database(settings)


def _machine(settings: Settings) -> Iterator[Finding]:
    yield _folder(settings.data_dir)
    place = next(one for one in (settings.data_dir, *settings.data_dir.parents) if one.exists())
    free = shutil.disk_usage(place).free // MEGABYTE
    step = "Free some space where the data folder is: a full disk stops the database."
    warn, fail = (step if free < least else "" for least in DISK_MEGABYTES)
    yield found("disk", f"{free} MB free", fail=fail, warn=warn)
    now = datetime.now(UTC)
    yield found(
        "time", f"it is {now:%Y-%m-%d %H:%M:%S} UTC", fail="Set this machine's clock." if now < EARLIEST else ""
    )


def _folder(folder: Path) -> Finding:
    if not folder.exists():
        return found("data_folder", f"{folder} is not here yet", warn="It is made by the first start.")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return found("data_folder", f"{folder} cannot be written", fail="Give it to this user, or set DRACHM_DATA_DIR.")
    if folder.stat().st_mode & 0o022:
        return found("data_folder", f"others may write to {folder}", fail=f"chmod go-w {folder}")
    kept = [folder / name for name in (MASTER_KEY_FILE, SECRETS_FILE)]
    open_to_others = [path.name for path in kept if path.exists() and path.stat().st_mode & 0o077]
    if open_to_others:
        said = f"other users can read {', '.join(open_to_others)}"
        return found("data_folder", said, fail="Find out who could have read it; chmod 600, and change what it holds.")
    return found("data_folder", f"{folder}, closed to others")


def _providers(settings: Settings) -> Finding:
    try:
        providers = read_providers(settings.oidc_file)
        read_sign_ins(settings.oidc_file, providers)
    except DrachmError as error:
        return found("identity_providers", f"DRACHM_OIDC_FILE cannot be used: {error}", fail=error.next_step)
    silent = [issuer for issuer, (_, keys) in providers.items() if not keys.refresh()]
    if silent:
        step = "Nobody of theirs can log in: see that this machine reaches them."
        return found("identity_providers", f"no keys from {', '.join(silent)}", fail=step)
    if not providers and settings.environment == "live":
        step = "Set DRACHM_OIDC_FILE: what only people may do, nobody can do now."
        return found("identity_providers", "none is connected", warn=step)
    return found(
        "identity_providers", f"{len(providers)} connected and answering" if providers else "none is connected"
    )


def _rails(settings: Settings) -> Finding:
    try:
        rails = ensure_connectable(settings.rails_file, settings.base_url, lambda: datetime.now(UTC))
    except DrachmError as error:
        return found("rails", f"DRACHM_RAILS_FILE cannot be used: {error}", fail=error.next_step)
    named = [f"tenant {tenant}: {', '.join(names) or 'none'}" for tenant, names in rails.items()]
    return found("rails", "; ".join(named) or "none is connected")


def _database(settings: Settings) -> Iterator[Finding]:
    now = datetime.now(UTC)
    if settings.database_url:
        yield from checkup(settings.database_url, now, embedded=False)
        return
    try:
        with EmbeddedServer(settings.data_dir, settings.pg_major, start_seconds=settings.pg_start_seconds) as server:
            maintenance = server.url("postgres")
            if not _is_there(maintenance):
                step = "Run ./drachm serve: it makes the database."
                yield found("database", "the embedded server runs; its database is not made yet", warn=step)
                return
            yield from checkup(server.url(DATABASE), datetime.now(UTC), embedded=True)
    except DrachmError as error:
        yield _broken("database", error)


def _is_there(url: str) -> bool:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is not None


def _broken(name: str, error: DrachmError) -> Finding:
    return found(name, str(error), fail=error.next_step)
