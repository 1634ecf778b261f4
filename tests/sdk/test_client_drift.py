"""The committed client is what the interface of this very code makes, to the byte; and it stands alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CLIENT = REPOSITORY / "src" / "drachm_client"
sys.path.insert(0, str(REPOSITORY / "tools"))

import make_client  # noqa: E402

MADE = make_client.made(make_client.current_document())


@pytest.mark.parametrize("name", sorted(MADE))
def test_the_committed_file_is_what_is_made_today(name: str) -> None:
    committed = (CLIENT / name).read_text("utf-8")
    assert committed == MADE[name], "run: PYTHONPATH=src .venv/bin/python tools/make_client.py"


def test_every_operation_for_programs_has_a_method_in_both_clients() -> None:
    methods = {}
    for name in ("operations.py", "async_operations.py"):
        (kind,) = [node for node in ast.parse(MADE[name]).body if isinstance(node, ast.ClassDef)]
        methods[name] = {one.name for one in kind.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert methods["operations.py"] == methods["async_operations.py"]
    document = make_client.current_document()
    named = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    left_out = named - methods["operations.py"]
    assert left_out <= {
        "open_receipt_page", "give_second_factor", "open_with_passkey", "open_receipt_services", "open_visit_of_link",
        "get_metrics",
    }  # fmt: skip


def test_the_client_imports_nothing_of_the_service() -> None:
    known = {*sys.stdlib_module_names, "httpx", "msgspec", "anyio", "drachm_client"}
    for path in CLIENT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= known, path.name


def test_it_says_that_it_is_typed() -> None:
    assert (CLIENT / "py.typed").exists()
