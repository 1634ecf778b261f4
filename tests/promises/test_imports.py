"""Imports point one way only, the domain is pure, and what is installed is pinned by its hash.

The import contract of pyproject.toml says the same to import-linter. Here it is read straight from the syntax tree: a
second, simpler reading that also knows every package the contract could not list.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "drachm"

# Section 4 of the architecture: what each room may know beside the standard library, third parties and itself.
MAY_KNOW = {
    "domain": set(),
    "application": {"domain"},
    "adapters": {"application", "domain"},
    "storage": {"application", "domain"},
    "service": {"application", "domain", "adapters", "storage", "bootstrap", "settings"},
    "bench": {"application", "domain", "adapters", "storage", "bootstrap", "service", "settings"},
    "cli": {"application", "domain", "bootstrap", "service", "bench", "settings"},
    "settings": {"domain"},
}


def modules(room: str) -> Iterator[Path]:
    yield from sorted((PACKAGE / room).rglob("*.py"))
    if (PACKAGE / f"{room}.py").exists():
        yield PACKAGE / f"{room}.py"


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "drachm":
                yield from (f"drachm.{alias.name}" for alias in node.names)
            else:
                yield str(node.module)


def forbidden_rooms(room: str, source: str) -> set[str]:
    own = {name.split(".")[1] for name in imported(source) if name.startswith("drachm.")}
    return own - MAY_KNOW[room] - {room}


def foreign_packages(source: str) -> set[str]:
    """The third-party packages a source text imports."""
    return {name.split(".")[0] for name in imported(source)} - {"drachm"} - sys.stdlib_module_names


@pytest.mark.parametrize("room", sorted(MAY_KNOW))
def test_a_room_imports_only_what_it_may_know(room: str) -> None:
    found = {path: forbidden_rooms(room, path.read_text()) for path in modules(room)}
    assert {str(path): rooms for path, rooms in found.items() if rooms} == {}


@pytest.mark.parametrize("room", ["domain", "settings"])
def test_the_domain_and_the_settings_import_the_standard_library_only(room: str) -> None:
    read = list(modules(room))
    assert read
    assert {str(path): foreign_packages(path.read_text()) for path in read if foreign_packages(path.read_text())} == {}


def test_the_domain_has_no_clock_no_randomness_and_no_input_or_output() -> None:
    impure = {
        "asyncio",
        "http",
        "os",
        "pathlib",
        "random",
        "secrets",
        "socket",
        "sqlite3",
        "subprocess",
        "time",
        "urllib",
    }
    found = {(path.name, name) for path in modules("domain") for name in imported(path.read_text())}
    assert {(file, name) for file, name in found if name.split(".")[0] in impure} == set()


def test_this_reading_sees_what_it_looks_for() -> None:
    source = (
        "import psycopg.rows, os\ndef late():\n    from drachm.storage import migrate\n    from drachm import cli\n"
    )
    assert forbidden_rooms("application", source) == {"storage", "cli"}
    assert foreign_packages(source) == {"psycopg"}


def test_the_import_contract_lists_every_room_of_the_domain() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "domain")
    listed = {room.strip(" ()") for layer in layers for room in re.split(r"[|:]", layer)}
    rooms = {path.stem for path in (PACKAGE / "domain").iterdir() if not path.name.startswith("_")}
    assert rooms - listed == set()


@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_every_installed_package_is_pinned_with_hashes_and_names_no_host(kind: str) -> None:
    text = (REPOSITORY / "requirements" / f"{kind}.txt").read_text()
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9-]+==\S+ ", package), package
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package
    assert "://" not in text


def test_the_pins_of_the_project_are_those_that_are_installed() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wanted = {"runtime": project["project"]["dependencies"], "dev": project["dependency-groups"]["dev"]}
    for kind, pins in wanted.items():
        installed = (REPOSITORY / "requirements" / f"{kind}.txt").read_text().splitlines()
        for pin in pins:
            plain = re.sub(r"\[.*\]", "", pin)
            assert any(line.split(" ")[0] == plain for line in installed), pin


def test_the_test_tools_only_add_to_what_users_install() -> None:
    def pins(kind: str) -> set[str]:
        lines = (REPOSITORY / "requirements" / f"{kind}.txt").read_text().splitlines()
        return {line.split(" ")[0] for line in lines if re.match(r"[a-z0-9]", line)}

    assert pins("runtime") - pins("dev") == set()
