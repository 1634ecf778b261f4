"""`drachm adjudicate`: plans and events in, who owes what out; no database, no price book."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rich.markup import escape

from drachm.bootstrap import read_document, read_events
from drachm.cli.render import problem_line, wide_console
from drachm.domain.benefits import adjudicate, apply, build_stack, load_plan
from drachm.domain.benefits.document import Plan
from drachm.domain.benefits.model import Adjudication, Key, Line
from drachm.domain.coverage.facts import LineFacts
from drachm.domain.coverage.model import Member
from drachm.domain.errors import DrachmError, InvalidMessage, Refused
from drachm.domain.events.model import ServiceEvent
from drachm.domain.money import plain
from drachm.domain.periods import local_date


def run_adjudicate(plans: Sequence[Path], events: Path, *, as_json: bool) -> bool:
    """Adjudicate the events in order; True when every one could be decided."""
    loaded = [_plan(path) for path in plans]
    stack = build_stack(loaded)
    totals: dict[Key, int] = {}
    lines: list[dict[str, Any]] = []
    sums: dict[str, int] = defaultdict(int)
    for event in read_events(events):
        if isinstance(event, DrachmError):
            lines.append(_problem(event))
            continue
        try:
            answer = adjudicate(_line(event, loaded[0].zone), stack, totals)
        except DrachmError as error:
            lines.append({"event_id": event.event_id, **_problem(error)})
            continue
        totals = apply(totals, answer.deltas)
        lines.append(_shown(event, answer))
        for name in ("billed", "allowed", "patient_responsibility", "plan_paid", "provider_borne"):
            sums[name] += getattr(answer, name)
    rows = [{"scope": k.scope, "name": k.name, "period": k.period, "value": v} for k, v in sorted(totals.items())]
    if as_json:
        shown = {"lines": lines, "totals": dict(sums), "accumulators": rows}
        sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2) + "\n")
    else:
        _print(lines, dict(sums), rows)
    return all("error" not in line for line in lines)


def _plan(path: Path) -> Plan:
    """Raises `InvalidMessage` with the file's name: there may be several."""
    document = read_document(path)
    try:
        return load_plan(document)
    except InvalidMessage as problem:
        raise InvalidMessage(
            problem.message, where=f"{path} {problem.where}", next_step=problem.next_step, code=problem.code
        ) from None


def _line(event: ServiceEvent, zone: str) -> Line:
    if event.kind not in ("charge", "hold"):
        raise Refused("invalid_event", "only charges and holds can be adjudicated without books", where="kind")
    if event.billed is None:
        raise Refused("invalid_event", "without a price book the event needs its billed amount", where="billed")
    day: date = local_date(event.started_at, zone)
    category = str(event.facts.get("category", "other"))
    network = str(event.facts.get("network", "in"))
    facts = LineFacts(event, Member(event.member), {}, network, category, {}, day, event.started_at, zone)
    return Line(
        id=f"{event.source}/{event.event_id}",
        billed=event.billed,
        cost=event.billed,
        at=event.started_at,
        member=event.member,
        family=str(event.facts.get("family", "")),
        policy=str(event.facts.get("policy", "")),
        visit=event.visit,
        admission=event.admission,
        quantity=event.quantity,
        facts=facts,
    )


def _shown(event: ServiceEvent, answer: Adjudication) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "member": event.member,
        "decision": answer.decision,
        "reason": answer.reason,
        "billed": answer.billed,
        "allowed": answer.allowed,
        "patient_responsibility": answer.patient_responsibility,
        "plan_paid": answer.plan_paid,
        "provider_borne": answer.provider_borne,
        "shares": [
            {"bearer": s.bearer, "party": s.party, "component": s.component, "amount": s.amount} for s in answer.shares
        ],
        "credits": [{"party": c.party, "amount": c.amount, "step": c.step} for c in answer.credits],
        "steps": [
            {
                "plan": s.document,
                "step": s.step,
                "kind": s.kind,
                "clause": s.clause,
                "reason": s.reason,
                "amount": s.amount,
            }
            for s in answer.trace
        ],
    }


def _problem(error: DrachmError) -> dict[str, Any]:
    return {"error": error.code, "where": error.where, "message": error.message, "next_step": error.next_step}


def _print(lines: list[dict[str, Any]], sums: dict[str, int], rows: list[dict[str, Any]]) -> None:
    console = wide_console()
    for line in lines:
        if "error" in line:
            console.print(problem_line(line["error"], line["where"], line["message"], line["next_step"]))
            continue
        console.print(
            f"{line['event_id']}  {line['decision']}  billed {plain(line['billed'])}: "
            f"patient {plain(line['patient_responsibility'])}, payers {plain(line['plan_paid'])}, "
            f"provider {plain(line['provider_borne'])}",
            markup=False,
        )
        for step in line["steps"]:
            clause = escape(f"{step['plan']} {step['clause']}")
            console.print(f"    {plain(step['amount']):>12}  {escape(step['reason'])}  [dim]{clause}[/dim]")
    if not lines:
        console.print("There is no event in the file.")
    if sums:
        console.print("  ".join(f"{name} {plain(amount)}" for name, amount in sums.items()))
    for row in rows:
        console.print(f"{row['scope']}  {row['name']}  {row['period']}  {row['value']}", markup=False, style="dim")
