"""`drachm doctor`: what is here, what is missing, what to do next."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from drachm.service.doctor import examine


def run_doctor(*, as_json: bool) -> bool:
    """Print every finding; True when none fails."""
    findings = []
    for one in examine(os.environ):
        findings.append(one)
        if not as_json:
            sys.stdout.write(f"{one.state:<4}  {one.name:<18}  {one.said}\n")
            if one.next_step:
                sys.stdout.write(f"{'':<26}{one.next_step}\n")
            sys.stdout.flush()
    ok = all(one.state != "fail" for one in findings)
    if as_json:
        report = {"ok": ok, "findings": [asdict(one) for one in findings]}
        sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return ok
