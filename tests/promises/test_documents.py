"""What a document says about the project is true: its files, functions, words, commands and licences are there."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import drachm
from drachm.adapters.vectors import run
from drachm.cli.app import app

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "drachm"
LONGEST_FILE = 400

MADE_BY_TOOLS = {"__pycache__", "build", "dist", "htmlcov"}
# A folder of somebody's machine (Ana's is made up, for tests), and hosts that packages are fetched from.
MACHINE_PATH = re.compile(r"(?<![\w./:-])/(?:home|Users|root|work)/(?!ana\b)\w")
# Each host in two parts, so that this file does not name what it looks for.
HOSTS = (
    *(("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com")),
    *(("proxy.golang", "org"), ("crates", "io"), ("anaconda", "org"), ("rubygems", "org"), ("repo", "maven")),
)
REGISTRY = re.compile("|".join(re.escape(f"{name}.{end}") for name, end in HOSTS))


def text_files() -> Iterator[Path]:
    """Every text file of the source tree; hidden folders and what tools make are left out, CI's folder is not."""
    for path in sorted(REPOSITORY.rglob("*")):
        parts = path.relative_to(REPOSITORY).parts
        if MADE_BY_TOOLS.intersection(parts) or any(part.startswith(".") and part != ".ci" for part in parts):
            continue
        if path.is_file() and not path.is_symlink() and b"\0" not in path.read_bytes():
            yield path


def pages() -> list[Path]:
    return [path for path in text_files() if path.suffix == ".md"]


def page(name: str) -> str:
    return (REPOSITORY / name).read_text("utf-8")


def rows_of(text: str) -> list[list[str]]:
    """The cells of every table row of a page, heads and rules included."""
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]


def commands() -> set[str]:
    return set(typer.main.get_command(app).commands)


def broken_links(path: Path) -> list[str]:
    without_code = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", without_code)
    relative = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    return [target for target in relative if not (path.parent / target).exists()]


def test_every_relative_link_leads_somewhere() -> None:
    assert len(pages()) > 20
    assert {str(path): found for path in pages() if (found := broken_links(path))} == {}


def test_a_broken_link_would_be_seen(tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("[a](note.md#x) [b](gone.md) [c](https://example.org/x) `[d](code.md)`")
    assert broken_links(note) == ["gone.md"]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["a folder of a machine", "a package registry"])
def test_no_file_names_a_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    found = {
        f"{path.relative_to(REPOSITORY)}:{number}"
        for path in text_files()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1)
        if pattern.search(line)
    }
    assert found == set()


def test_such_names_would_be_seen() -> None:
    assert MACHINE_PATH.search(f"see {'/'}home/ben/notes")
    assert not MACHINE_PATH.search("https://example.org/home/ana")
    assert REGISTRY.search("https://pypi" + ".org/simple")


def test_no_source_file_is_longer_than_the_ceiling() -> None:
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def without_docstring(source: str) -> list[str]:
    """Public functions of a module, and the module itself, that do not say what they are for."""
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    silent = [node.name for node in functions if not node.name.startswith("_") and not ast.get_docstring(node)]
    return silent if ast.get_docstring(tree) or not tree.body else ["the module", *silent]


@pytest.mark.parametrize("room", ["domain", "application"])
def test_every_public_function_says_what_it_is_for(room: str) -> None:
    found = {
        path.relative_to(PACKAGE): without_docstring(path.read_text("utf-8")) for path in (PACKAGE / room).rglob("*.py")
    }
    assert {str(path): names for path, names in found.items() if names} == {}


def test_a_silent_function_would_be_seen() -> None:
    assert without_docstring("def price(): ...\ndef _helper(): ...") == ["the module", "price"]


def test_architecture_names_files_that_are_there() -> None:
    named = re.findall(r"`([\w./]+(?:\.py|\.sql|\.toml|/))`", page("ARCHITECTURE.md"))
    assert len(named) > 20
    places = (REPOSITORY, PACKAGE, PACKAGE / "storage", PACKAGE / "cli")
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_architecture_names_the_functions_of_the_line() -> None:
    line = [row for row in rows_of(page("ARCHITECTURE.md")) if len(row) == 5][2:]
    assert len(line) >= 9
    for _, functions, _, _, files in line:
        found = {
            node.name
            for file in re.findall(r"`([^`]+)`", files)
            for node in ast.walk(ast.parse((PACKAGE / file).read_text("utf-8")))
            if isinstance(node, ast.FunctionDef)
        }
        assert set(re.findall(r"`(\w+)`", functions)) - found == set(), files


def test_architecture_names_every_room() -> None:
    (rooms,) = re.findall(r"```\nsrc/drachm/\n(.*?)```", page("ARCHITECTURE.md"), re.DOTALL)
    here = [path for path in (PACKAGE / "domain").iterdir() if not path.name.startswith("_")]
    wanted = {f"{path.name}/" if path.is_dir() else path.name for path in here}
    wanted |= {f"{path.name}/" for path in (PACKAGE / "adapters").iterdir() if path.is_dir() and path.name[0] != "_"}
    wanted |= {f"{path.name}/" for path in PACKAGE.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert wanted - set(re.findall(r"[\w.]+/?", rooms)) == set()


def test_architecture_draws_the_import_contract() -> None:
    contracts = tomllib.loads(page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "domain")
    contract = [set(re.findall(r"(?<!\()\b\w+\b(?!\))", layer)) for layer in layers]
    (drawing,) = re.findall(r"```\n(receipts\n.*?)```", page("ARCHITECTURE.md"), re.DOTALL)
    assert [set(line.split()) for line in drawing.splitlines()] == contract


def test_pages_that_the_code_refers_to_exist() -> None:
    referred = {
        (path.name, target.rstrip("."))
        for path in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.sql")]
        for target in re.findall(r"docs/[\w./-]+", path.read_text("utf-8"))
    }
    assert len(referred) > 5
    assert {(name, target) for name, target in referred if not list(REPOSITORY.glob(f"{target}*"))} == set()


def test_decisions_that_the_code_refers_to_are_written_down() -> None:
    records = {path.name[:4] for path in (REPOSITORY / "docs" / "decisions").glob("[0-9]*.md")}
    referred = {
        (path.name, number)
        for path in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.sql")]
        for number in re.findall(r"decision (\d+)", path.read_text("utf-8"))
    }
    assert {(name, number) for name, number in referred if number not in records} == set()


def test_the_readme_lists_every_command() -> None:
    listed = {match[1] for row in rows_of(page("README.md")) if (match := re.match(r"`drachm ([a-z]+)`", row[0]))}
    assert listed == commands()


def test_commands_that_words_mention_exist() -> None:
    """In pages, and in what the program itself tells people to do next."""
    sources = [*pages(), *PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.sql")]
    mentioned = {
        (path.name, word)
        for path in sources
        for word in re.findall(r"(?:`|\n\$ |\n)(?:\./)?drachm ([a-z]+)", path.read_text("utf-8"))
    }
    assert len(mentioned) > 10
    assert {(name, word) for name, word in mentioned if word not in {*commands(), "test", "check", "compile"}} == set()


def test_the_readme_tells_how_many_published_cases_agree() -> None:
    report = run(REPOSITORY / "samples" / "vectors" / "adjudication.json")
    counts = report.by_result
    said = re.search(
        r"of (\d+) published .*? (\d+) agree and none disagrees; (\d+) print too.*? (\d+) are about other",
        page("README.md"),
        re.DOTALL,
    )
    assert said is not None
    assert [int(number) for number in said.groups()] == [
        len(report.verdicts),
        counts["passed"],
        counts["reconcile"],
        counts["other_module"],
    ]
    assert counts["failed"] == counts["unsupported"] == counts["reconcile_failed"] == 0


def test_the_changelog_has_a_section_for_this_version() -> None:
    versions = re.findall(r"^## (.+)$", page("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == "Unreleased" or versions[0].startswith(f"{drachm.__version__} - ")
    assert any(version.startswith(drachm.__version__) for version in versions)


def test_decisions_are_numbered_listed_and_say_three_things() -> None:
    records = sorted(path.name for path in (REPOSITORY / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    assert re.findall(r"\]\((\d\S+)\)", page("docs/decisions/README.md")) == records
    for name in records:
        text = page(f"docs/decisions/{name}")
        assert text.startswith(f"# {name[:4]} ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]


def test_the_glossary_is_in_order_one_line_each_and_names_what_the_code_names() -> None:
    text = page("docs/glossary.md")
    entries = re.findall(r"^- \*\*(.+?)\*\*: (.+)$", text, re.MULTILINE)
    assert len(entries) == len(re.findall(r"^- ", text, re.MULTILINE)) > 60
    assert text.splitlines()[-1].startswith("- ")
    words = [word.lower() for word, _ in entries]
    assert words == sorted(set(words))
    code = "\n".join(path.read_text("utf-8") for path in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.sql")])
    known = set(re.findall(r"\w+", code))
    assert {name for _, meaning in entries for name in re.findall(r"`(\w+)`", meaning)} - known == set()


def test_the_notice_lists_every_installed_package_with_its_licence() -> None:
    notice = dict(re.findall(r"^  ([a-z][a-z0-9-]+) {2,}(\S.+)$", page("NOTICE"), re.MULTILINE))
    wanted = set(re.findall(r"^([a-z0-9-]+)==", page("requirements/runtime.txt"), re.MULTILINE))
    assert wanted
    assert wanted - notice.keys() == set()
    for name in wanted:
        try:
            said = importlib.metadata.metadata(name).get("License-Expression")
        except importlib.metadata.PackageNotFoundError:
            continue  # of another platform
        assert said is None or notice[name].startswith(said), name
    assert "Lesser General Public License" in page("NOTICE")


def test_the_notice_lists_every_folder_of_samples() -> None:
    for folder in (REPOSITORY / "samples").iterdir():
        if folder.is_dir() and (folder / "SOURCE.md").exists():
            assert f"samples/{folder.name}/SOURCE.md" in page("NOTICE")
    assert "Apache License" in page("LICENSE")
    assert tomllib.loads(page("pyproject.toml"))["project"]["license"] == "Apache-2.0"
