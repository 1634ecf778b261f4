"""What every test may use: real PostgreSQL servers of both versions, and a fresh database per test.

All workers of one test run share one server of each version, started by the first test that asks for it. Properties
run with few examples under `--hypothesis-profile=small` and with many under `long`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import psycopg
import pytest

from drachm.storage.embedded import EmbeddedServer
from drachm.storage.migrate import migrate

FOLDER_VARIABLE = "DRACHM_TEST_FOLDER"
TEMPLATE = "drachm_template"

# The machines that run this are shared and slow at times: an example has no deadline.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("small", deadline=None, max_examples=15)
hypothesis.settings.register_profile("long", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile("default")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the workers inherit the folder that the first process made
        os.environ[FOLDER_VARIABLE] = tempfile.mkdtemp(prefix="drachm-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    folder = Path(os.environ.pop(FOLDER_VARIABLE))
    for major in (18, 16):
        server_folder = folder / f"pg{major}"
        if (server_folder / "data" / "postmaster.pid").exists():  # a worker died without its farewell
            with _server(major, folder):
                pass
        shutil.rmtree(server_folder.resolve(), ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server18() -> Iterator[EmbeddedServer]:
    """The PostgreSQL 18 server of this test run."""
    with _server(18, Path(os.environ[FOLDER_VARIABLE])) as server:
        yield server


@pytest.fixture(scope="session")
def server16() -> Iterator[EmbeddedServer]:
    """The PostgreSQL 16 server of this test run: the oldest version we promise to work with."""
    with _server(16, Path(os.environ[FOLDER_VARIABLE])) as server:
        yield server


@pytest.fixture
def database(server18: EmbeddedServer) -> Iterator[str]:
    """The URL of a fresh database on PostgreSQL 18 with the schema of today; dropped after the test."""
    with _fresh_database(server18, _template(server18)) as url:
        yield url


@pytest.fixture
def database16(server16: EmbeddedServer) -> Iterator[str]:
    """The URL of a fresh database on PostgreSQL 16 with the schema of today; dropped after the test."""
    with _fresh_database(server16, _template(server16)) as url:
        yield url


@pytest.fixture
def empty_database(server18: EmbeddedServer) -> Iterator[str]:
    """The URL of a fresh database on PostgreSQL 18 without any schema; dropped after the test."""
    with _fresh_database(server18, "template0") as url:
        yield url


@pytest.fixture
def empty_database16(server16: EmbeddedServer) -> Iterator[str]:
    """The URL of a fresh database on PostgreSQL 16 without any schema; dropped after the test."""
    with _fresh_database(server16, "template0") as url:
        yield url


def _server(major: int, folder: Path) -> EmbeddedServer:
    # Tests outlive no power cut, so their databases need not reach the disk; the launcher's own tests leave this on.
    return EmbeddedServer(folder, major, settings={"fsync": "off", "full_page_writes": "off"})


@contextmanager
def _fresh_database(server: EmbeddedServer, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield server.url(name)
        finally:
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _template(server: EmbeddedServer) -> str:
    """A database with all migrations, made by the first worker that needs it while the others wait."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(1)")
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            # Named last: a template that exists is complete.
            conn.execute(f"CREATE DATABASE {TEMPLATE}_part TEMPLATE template0")
            with psycopg.connect(server.url(f"{TEMPLATE}_part")) as schema:
                migrate(schema)
            conn.execute(f"ALTER DATABASE {TEMPLATE}_part RENAME TO {TEMPLATE}")
    return TEMPLATE
