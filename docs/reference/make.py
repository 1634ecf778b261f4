"""What do the reference pages say that the code says already?

`./drachm` has made a virtual environment; run this with its Python after a change of the code:

    PYTHONPATH=src .venv/bin/python docs/reference/make.py

It rewrites only what stands between the marks of each page. tests/promises/test_reference_pages.py compares.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from drachm import settings
from drachm.adapters.rest.identity.decide import Access
from drachm.adapters.rest.identity.policy import policy_of
from drachm.adapters.rest.identity.routes import ROUTES, Route
from drachm.adapters.rest.transport.problem_table import KINDS
from drachm.application import ports
from drachm.cli.app import app
from drachm.domain import errors
from drachm.domain.benefits import load_steps
from drachm.domain.ledger.model import CHART, EntryKind, Source
from drachm.domain.reasons import REASONS
from drachm.domain.receipts.issue import sentence

HERE = Path(__file__).parent
MADE = re.compile(r"(?P<head><!-- made by make\.py: (?P<name>[a-z-]+) -->\n).*?(?P<foot><!-- end -->)", re.DOTALL)


def remade(text: str) -> str:
    """A page with everything between its marks made anew."""
    return MADE.sub(lambda found: f"{found['head']}{TABLES[found['name']]()}{found['foot']}", text)


def pages() -> list[Path]:
    """The pages that have marks."""
    return [path for path in sorted(HERE.glob("*.md")) if MADE.search(path.read_text("utf-8"))]


def settings_table() -> str:
    """Every setting with its default and meaning, from the sentence below its field."""
    rows = []
    for text in _field_sentences(settings.Settings):
        name, _, rest = " ".join(text.split()).partition(": ")
        meaning, _, default = rest.rpartition(" Default: ")
        rows.append((f"`{name}`", default, meaning))
    return _table(("variable", "default", "meaning"), rows)


def reasons_table() -> str:
    """Every reason of the published table."""
    rows = [(f"`{r.code}`", r.outcome, r.text, r.next_step) for r in REASONS.values()]
    return _table(("code", "decides alone", "the sentence a receipt prints", "what to do"), rows)


def default_reasons_table() -> str:
    """The reason that a plan step gives when its document names none."""
    rows = [(f"`{kind}`", f"`{load_steps._REASON.get(kind, kind)}`") for kind in load_steps.READERS]
    return _table(("step", "reason"), rows)


def errors_table() -> str:
    """The tree of errors with code, meaning and next step."""
    rows = []
    for error in _error_classes():
        # The answers of other languages (HTTP, X12) are the adapters' to promise, once they are there.
        doc = re.sub(r" \(HTTP[^)]*\)", "", (inspect.getdoc(error) or "").split("\n\n")[0])
        again = "yes" if error.retryable else "no"
        rows.append((f"`{error.code}`", f"`{error.__name__}`", again, " ".join(doc.split()), error.default_next_step))
    return _table(("code", "class", "try again", "meaning", "what to do"), rows)


def commands_list() -> str:
    """Every command with its usage, arguments and options, from the program itself."""
    parts = []
    for name, command in _every_command(typer.main.get_command(app)):
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        usage = " ".join(["drachm", name, *(_argument(p) for p in arguments), "[OPTIONS]"])
        rows = [(f"`{_argument(p)}`", "required" if p.required else "", p.help or "") for p in arguments]
        rows += [(_option(p), _default(p), p.help or "") for p in command.params if p.param_type_name == "option"]
        parts.append(
            f"### drachm {name}\n\n{command.help}\n\n    {usage}\n\n{_table(('', 'default', 'meaning'), rows)}"
        )
    return "\n" + "\n".join(parts) + "\n"


def calls_table() -> str:
    """Every call of the interface with who may make it."""
    parts = []
    for tag in dict.fromkeys(route.tag for route in ROUTES):
        rows = [
            (f"`{route.method}`", f"`{route.template}`", route.meaning, _who(route))
            for route in ROUTES
            if route.tag == tag
        ]
        parts.append(f"### {tag}\n\n{_table(('', 'path', 'meaning', 'who'), rows)}")
    return "\n" + "\n".join(parts) + "\n"


def _who(route: Route) -> str:
    policy = policy_of(route.method, route.template)
    if policy.access is not Access.ROLES:
        return {"open": "everybody", "known": "every credential", "host": "this machine"}.get(policy.access, "the link")
    roles = ", ".join(f"{role.value.replace('_', ' ')} {need.value}" for role, need in policy.grants.items())
    extras = [f"`{policy.scope.value}`"] if policy.scope else []
    extras += [word for word, holds in (("people", policy.people), ("a second person", policy.second)) if holds]
    return "; ".join([roles, *extras])


def problems_table() -> str:
    """Every problem code with its status, meaning and next step."""
    rows = [
        (f"`{kind.code}`", str(kind.status), "yes" if kind.retryable else "no", kind.text, kind.next_step)
        for kind in sorted(KINDS.values(), key=lambda kind: (kind.status, kind.code))
    ]
    return _table(("code", "status", "try again", "meaning", "what to do"), rows)


def _every_command(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Commands and the commands of groups, under their whole names."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _every_command(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def accounts_table() -> str:
    """The chart of accounts."""
    rows = [(f"`{kind.name}`", kind.side, kind.owner, kind.meaning) for kind in CHART.values()]
    return _table(("account", "side", "owner", "meaning"), rows)


def sources_table() -> str:
    """Whose money an entry stands for."""
    said = {**dict(_said_below(Source)), "NONE": "Not said; no entry of today's recipes has it."}
    return _table(
        ("number", "word", "meaning"), [(str(int(word)), f"`{word.name}`", said[word.name]) for word in Source]
    )


def entry_kinds_table() -> str:
    """What a journal row does, with the page that shows it."""
    rows = [(str(int(kind)), f"`{kind.name}`", *ENTRY_KINDS[kind]) for kind in EntryKind]
    return _table(("number", "word", "meaning", "shown in"), rows)


def sentences_list() -> str:
    """The sentences at the top of a receipt, in the order in which they are tried."""
    tree = ast.parse(inspect.getsource(sentence))
    said = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    said.sort(key=lambda value: value.lineno)
    return "".join(f"- {_words(value)}\n" for value in said)


ENTRY_KINDS = {
    EntryKind.CHARGE: ("Delivered care.", "[charge](../money-flows/charge.md)"),
    EntryKind.REVERSAL: ("Takes back a charge.", "[reversal](../money-flows/reversal.md)"),
    EntryKind.REPLACEMENT: ("One charge instead of another.", "[replacement](../money-flows/replacement.md)"),
    EntryKind.HOLD: ("Money promised to a request.", "[hold and capture](../money-flows/hold-and-capture.md)"),
    EntryKind.CAPTURE: ("Delivered care paid from a hold.", "[hold and capture](../money-flows/hold-and-capture.md)"),
    EntryKind.RELEASE: ("Lets a hold go.", "[hold and release](../money-flows/hold-and-release.md)"),
    EntryKind.REVISION: ("A later answer for the same event.", "[late answer](../money-flows/provisional-answer.md)"),
    EntryKind.TOP_UP: ("Outside money enters a pot.", "[top-up](../money-flows/top-up.md)"),
    EntryKind.TRANSFER: (
        "Money moves without care and without a pot: a payment that went back, a difference in a cash box.",
        "[top-up that went back](../money-flows/take-back.md), [window](../money-flows/cash-window.md), "
        "[bank](../money-flows/bank-transfer.md)",
    ),
    EntryKind.EXPIRY: (
        "What is left in a pot whose time is over goes back to whoever funded it.",
        "[a gift that expires](../money-flows/gift-expiry.md)",
    ),
    EntryKind.NOTE: ("A pended or refused outcome: no entries.", ""),
    EntryKind.ALLOTMENT: (
        "Money of a shared fund moves to one of its slices, or back.",
        "[shared fund](../money-flows/shared-fund.md)",
    ),
}

TABLES: dict[str, Callable[[], str]] = {
    "settings": settings_table,
    "reasons": reasons_table,
    "default-reasons": default_reasons_table,
    "errors": errors_table,
    "commands": commands_list,
    "calls": calls_table,
    "problems": problems_table,
    "accounts": accounts_table,
    "sources": sources_table,
    "entry-kinds": entry_kinds_table,
    "sentences": sentences_list,
}


def _error_classes() -> Iterator[type[errors.DrachmError]]:
    for module in (errors, ports):
        for error in vars(module).values():
            if (
                isinstance(error, type)
                and issubclass(error, errors.DrachmError)
                and error.__module__ == module.__name__
            ):
                yield error


def _field_sentences(holder: type) -> Iterator[str]:
    """The string that stands below each field of a class, in order."""
    tree = ast.parse(inspect.getsource(holder)).body[0]
    assert isinstance(tree, ast.ClassDef)
    for statement in tree.body[1:]:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            yield str(statement.value.value)


def _said_below(holder: type) -> Iterator[tuple[str, str]]:
    """Each name of an enumeration that has a string below it, with that string."""
    tree = ast.parse(inspect.getsource(holder)).body[0]
    assert isinstance(tree, ast.ClassDef)
    for name, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(name, ast.Assign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            yield ast.unparse(name.targets[0]), " ".join(str(text.value.value).split())


def _words(value: ast.expr) -> str:
    """A constant or an f-string as a reader sees it."""
    if isinstance(value, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "(the reason)" for p in value.values)
    assert isinstance(value, ast.Constant)
    return str(value.value)


def _argument(parameter: Any) -> str:
    return parameter.name.upper() + ("..." if parameter.nargs == -1 else "")


def _option(parameter: Any) -> str:
    return f"`{parameter.opts[0]}`" if parameter.is_flag else f"`{parameter.opts[0]} {parameter.name.upper()}`"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    bounds = [
        f"{word} {value}" for word, value in (("least", parameter.min), ("most", parameter.max)) if value is not None
    ]
    said = "off" if parameter.is_flag and not parameter.default else str(parameter.default)
    return ", ".join([said, *bounds])


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head)]
    lines.append(["---"] * len(lines[0]))
    lines.extend([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "".join(f"| {' | '.join(cells)} |\n".replace("  |", " |") for cells in lines)


if __name__ == "__main__":
    for page in pages():
        page.write_text(remade(page.read_text("utf-8")), "utf-8")
