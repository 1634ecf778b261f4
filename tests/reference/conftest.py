"""Print what the reference tests counted, also when workers ran them."""

from __future__ import annotations


def pytest_terminal_summary(terminalreporter):
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, text in report.user_properties:
                if name == "reference summary":
                    terminalreporter.section("rules tried by the reference tests")
                    terminalreporter.write_line(text)
