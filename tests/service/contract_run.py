"""One run of schemathesis against a running service: every phase, every check, links included."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response, engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

# A request that fits its schema may contradict what is there, or itself; it may never be "not of this form".
OF_FORM = frozenset((
    "malformed_json", "missing_field", "unknown_field", "wrong_type", "invalid_id", "invalid_text", "invalid_quantity",
    "invalid_kind", "out_of_range", "too_many", "unknown_currency", "unsupported_media_type", "malformed_http",
    "idempotency_key_missing", "idempotency_key_invalid", "invalid_if_match", "method_not_allowed",
))  # fmt: skip
# How msgspec begins when a value does not fit a shape; handlers speak of contradictions in words of their own.
MISFITS = ("Expected ", "Object ", "Invalid enum value", "Invalid value")


@schemathesis.check
def what_fits_the_schema_fits_the_service(ctx: CheckContext, response: Response, case: Case) -> None:
    """Schema drift that a status alone does not show."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 422):
        return
    problem = response.json()
    if "code" not in problem:
        return  # The token endpoint says no in the words of RFC 6749.
    # 1.0 is an integer to JSON Schema and not to us: no schema can say so, the document says it in words.
    faults = [fault for fault in problem.get("errors", ()) if "decimal" not in fault["detail"]]
    drifted = (problem["code"] in OF_FORM and (faults or "errors" not in problem)) or any(
        fault["code"] == "invalid_body" and fault["detail"].startswith(MISFITS) for fault in faults
    )
    assert not drifted, f"fits the schema, but: {problem['code']} {faults}"


@dataclass
class Found:
    """What a run saw."""

    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    """Calls that were answered with success, by method and path."""
    failures: dict[str, str] = field(default_factory=dict)
    """Check, operation and status of each failure, with its first example."""
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Effort:
    """How much one run does."""

    examples: int
    """Random requests for each operation, of those that fit the schema and of those that do not."""
    walks: int
    """Along links, at most six calls each."""
    boundaries: bool = True
    """Every bound of every schema, method and header: the many calls of schemathesis' coverage phase."""
    seed: int = 1941


def run(document: dict[str, Any], url: str, token: str, effort: Effort) -> Found:
    """Call every operation of a document with every check that there is."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": effort.seed,
            "base-url": url,
            **({"auth": {"openapi": {"apiKey": {"bearer": token}}}} if token else {}),
            "request-timeout": 60,
            "checks": {
                # A schema cannot say what exists and what contradicts: the check of our own looks at the code.
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "304", "400", "401", "403", "404", "409", "412", "422", "429"]
                },
                "negative_data_rejection": {
                    "expected-statuses": [str(code) for code in (*range(400, 407), 409, 412, 413, 415, 422, 428, 429)]
                },
                "missing_required_header": {"expected-statuses": ["400", "401", "403", "404", "422", "428"]},
            },
            "generation": {"max-examples": effort.examples, "database": "none", "no-shrink": True},
            "phases": {
                "coverage": {"enabled": effort.boundaries},
                "examples": {"enabled": effort.examples > 0},
                "fuzzing": {"enabled": effort.examples > 0},
                "stateful": {
                    "enabled": effort.walks > 0,
                    "generation": {"max-examples": max(1, effort.walks)},
                    "max-steps": 6,
                },
            },
        }
    )
    schema = schemathesis.openapi.from_dict(document, config=config)
    found = Found()
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(found, event.recorder)
        elif isinstance(event, events.NonFatalError):
            found.errors.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return found


def _note(found: Found, recorder: Any) -> None:
    for case_id, interaction in recorder.interactions.items():
        found.calls += 1
        response = interaction.response
        if response is None:
            found.errors.append(f"{recorder.label}: no answer")
            continue
        found.statuses[response.status_code] += 1
        if response.status_code < 300:
            found.operations[recorder.cases[case_id].value.operation.label] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            failure = check.failure_info.failure
            place = recorder.cases[case_id].value.operation.label
            interaction = recorder.interactions.get(case_id)
            status = interaction.response.status_code if interaction and interaction.response else 0
            text = f"{failure.title}: {failure.message}"[:600]
            if interaction and interaction.response:
                text += "\n" + check.failure_info.code_sample[:900]
                text += "\n" + interaction.response.content[:400].decode("utf-8", "replace")
            found.failures.setdefault(f"{check.name} {place} {status}", text)
