"""The service keeps its published contract: thousands of calls as several roles, every check, links included."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drachm.service.run import Running, running
from drachm.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))

from contract_run import Effort, Found, run

ROLES = {
    "operator": (),
    "clerk": ("clinic",),
    "payer": ("town-insurance",),
    "price_editor": ("town-insurance",),
    "finance": ("clinic",),
    "auditor": (),
}


@pytest.fixture(scope="module")
def service(service_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("data")
    settings = Settings(data_dir=folder, master_key=bytes(range(32)), calls_per_minute=1_000_000)
    with running(settings, service_database) as found:
        yield found


def published(service: Running) -> dict[str, Any]:
    with urllib.request.urlopen(f"{service.base_url}/openapi.json") as answer:
        document: dict[str, Any] = json.load(answer)
    return document


def part(document: dict[str, Any], number: int = 0, of: int = 1) -> dict[str, Any]:
    """The document with every so-manieth address only; links to the others go with them.

    Without the two streams: one that is let in stays silent for as long as nothing happens, and so would the run.
    """
    copied: dict[str, Any] = json.loads(json.dumps(document))
    addresses = [path for path in copied["paths"] if not path.endswith("/stream")]
    copied["paths"] = {path: copied["paths"][path] for path in addresses[number::of]}
    told = [one for methods in copied["paths"].values() for one in methods.values()]
    kept = {one["operationId"] for one in told}
    for response in [response for one in told for response in one["responses"].values()]:
        links = response.get("links", {})
        response["links"] = {name: link for name, link in links.items() if link["operationId"] in kept}
        if not response["links"]:
            del response["links"]
    return copied


def token_of(service: Running, town: Any, role: str) -> str:
    return service.person_token(role, [role], ROLES[role], tenant=town.tenant)


def clean(found: Found, role: str) -> int:
    """How many calls it were, none of which broke a promise."""
    assert not found.failures, (
        f"{role}: {chr(10).join(name + chr(10) + str(told)[:1500] for name, told in found.failures.items())}"
    )
    assert found.errors == [], role
    assert not [status for status in found.statuses if status >= 500], role
    return found.calls


def test_five_thousand_calls(service: Running, lived_in: Any) -> None:
    document = published(service)
    calls = 0
    for number, role in enumerate(("clerk", "payer")):
        token = token_of(service, lived_in, role)
        calls += clean(run(part(document, number, 2), service.base_url, token, Effort(1, 0, False)), role)
    token = token_of(service, lived_in, "operator")
    bounds = run(part(document, 0, 4), service.base_url, token, Effort(0, 0))
    walked = run(part(document), service.base_url, token, Effort(4, 25, boundaries=False))
    calls += clean(bounds, "operator") + clean(walked, "operator")
    assert calls >= 5_000
    assert len(walked.operations) >= 60, "most operations did what they are for at least once"


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
def test_ten_thousand_calls_as_each_role(service: Running, lived_in: Any, role: str) -> None:
    found = run(part(published(service)), service.base_url, token_of(service, lived_in, role), Effort(8, 60))
    assert clean(found, role) >= 10_000
