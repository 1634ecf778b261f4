"""`drachm serve` and `drachm key new`: the service, and who may call it."""

from __future__ import annotations

import sys
from dataclasses import replace

from drachm.bootstrap import DATABASE, read_settings, ready_database
from drachm.service.people import ensure_named, ensure_registered, new_key, person_token
from drachm.service.run import Started, serve


def run_serve(*, port: int, workers: int | None) -> int:
    """Serve until told to end; the exit status."""
    settings = read_settings()
    return serve(settings, port=port, workers=workers or settings.workers, ready=_tell)


def run_key(*, roles: list[str], parties: list[str], tenant: int, days: int, person: str, name: str) -> None:
    """Print a new key, or a person's sandbox token, alone on standard output."""
    settings = read_settings()
    ensure_named(roles, parties)
    if parties:
        with ready_database(settings, DATABASE) as url:
            ensure_registered(replace(settings, database_url=url), tenant=tenant, parties=parties)
    if person:
        sys.stdout.write(person_token(settings, tenant=tenant, name=person, roles=roles, parties=parties) + "\n")
        return
    with ready_database(settings, DATABASE) as url:
        here = replace(settings, database_url=url)
        text = new_key(here, tenant=tenant, roles=roles, parties=parties, name=name, days=days)
    sys.stdout.write(text + "\n")
    sys.stderr.write("It is shown this once, and kept as a hash only.\n")


def _tell(started: Started) -> None:
    lines = [f"Drachm listens on {started.base_url} (process {started.process})."]
    if started.first_key:
        lines.append(f"Operator key of this sandbox, shown this once: {started.first_key}")
    token = started.first_key or "$DRACHM_KEY"
    lines.append(f"Try: curl -s {started.base_url}/v1/me -H 'authorization: Bearer {token}'")
    if not started.first_key:
        lines.append("A key: export DRACHM_KEY=$(./drachm key new --role operator)")
    lines.append(f"New code without a lost request: kill -HUP {started.process}. The end: Ctrl-C.")
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()
