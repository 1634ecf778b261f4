"""Peers: what they post, what is installed for them, and how it is told when they cannot run."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from drachm.bench.options import Options
from drachm.bench.peers import side_by_side
from drachm.bench.peers.harness import PAYERS, PROVIDERS, WALLETS, moments
from drachm.bench.peers.side_by_side import REQUIREMENTS, Turn, builder_of, table_of
from drachm.domain.errors import Unavailable


def test_every_peer_posts_the_same_moments() -> None:
    first, again = (list(islice(moments("1/0"), 200)) for _ in range(2))
    assert first == again
    assert len({moment.event_id for moment in first}) == 200
    for moment in first:
        assert 0 <= moment.payer < PAYERS
        assert 0 <= moment.wallet < WALLETS
        assert 0 <= moment.provider < PROVIDERS
        assert moment.payer_part > 0 < moment.wallet_part
    assert list(islice(moments("1/1"), 200)) != first


def test_the_builder_is_pinned_with_its_hashes() -> None:
    text = REQUIREMENTS.read_text("utf-8")
    builder = builder_of(text)
    assert builder.startswith("setuptools==")
    assert builder.count("--hash=sha256:") >= 1
    assert builder.strip() in text
    assert builder.count("==") == 1


def test_everything_of_the_peers_is_pinned_with_hashes() -> None:
    text = REQUIREMENTS.read_text("utf-8")
    pins = [line for line in text.splitlines() if line[:1].isalpha()]
    assert {"django-hordak==2.0.0", "sqlalchemy==2.1.9"} <= {pin.split()[0] for pin in pins}
    assert all("==" in pin for pin in pins)
    assert text.count("\\\n    --hash=sha256:") >= len(pins)


def test_a_peer_without_its_packages_is_told_as_not_run_and_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(side_by_side, "REQUIREMENTS", tmp_path / "gone.txt")
    with pytest.raises(Unavailable) as refusal:
        side_by_side.install(tmp_path, lambda _words: None)
    turns = [Turn("drachm", 3_000.0, 20.0, 10.0, True, (1_000.0, 2_000.0))]
    not_run = dict.fromkeys(side_by_side.PEERS, refusal.value.message)
    report = side_by_side._report(turns, not_run, 4, Options())
    assert [row["status"] for row in report["rows"]] == ["run", "NOT RUN", "NOT RUN"]
    assert report["rows"][0]["ratio_median"] == 2.0
    shown = table_of(report)
    assert "django-hordak     NOT RUN: requirements/peers.txt is not here" in shown
    assert "naive-sqlalchemy" in shown


def test_the_installer_is_quoted_when_it_fails(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no such package"):
        side_by_side._checked(["/bin/sh", "-c", "echo no such package >&2; exit 1"])


def test_a_turn_beside_a_slow_pgbench_is_run_again() -> None:
    rates = iter([1_000.0, 300.0, 1_000.0, 1_000.0, 1_000.0])
    run = lambda _number: Turn("drachm", 1.0, 1.0, 1.0, True)  # noqa: E731
    kept = side_by_side._in_turn({"drachm": run}, 2, lambda: next(rates), lambda _words: None)
    assert [turn.pgbench for turn in kept] == [(1_000.0, 1_000.0)] * 2
