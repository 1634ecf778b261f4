"""Look into the books: explain a receipt, audit everything."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from datetime import date

from drachm.application.audit import audit
from drachm.application.receipts import find_receipt
from drachm.bootstrap import disk_tally, open_place, read_settings
from drachm.cli.render import audit_verdict, receipt_card, wide_console


def run_explain(number: str, *, as_json: bool, tenant: int) -> None:
    """Print one receipt with every step."""
    with open_place(read_settings(), tenant=tenant) as place:
        receipt = find_receipt(number, place.desk.books)
    if as_json:
        sys.stdout.write(json.dumps(asdict(receipt), default=_text, ensure_ascii=False, indent=2) + "\n")
    else:
        receipt_card(wide_console(), receipt, why=True)


def _text(value: date) -> str:
    return value.isoformat()


def run_audit(*, as_json: bool, tenant: int) -> bool:
    """Rebuild everything and say whether it agrees."""
    console = wide_console(stderr=True)
    with (
        open_place(read_settings(), tenant=tenant) as place,
        disk_tally() as totals,
        disk_tally() as pots,
        console.status("auditing") as status,
    ):
        report = audit(
            place.desk.books, totals, pots, time.monotonic, lambda rows: status.update(f"auditing: {rows:,} rows")
        )
    if as_json:
        shown = {
            "rows": report.rows,
            "ok": report.ok,
            "first_difference": report.first_difference or None,
            "erased": report.erased,
            "rows_per_second": report.rows_per_second,
        }
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        audit_verdict(wide_console(), report)
    return report.ok
