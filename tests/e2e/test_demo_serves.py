"""`drachm demo` without `--exit` ends by serving: its link opens, its key works, receipts stream, Ctrl-C ends it."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Demo:
    """A running demo and what it printed until it served."""

    def __init__(self, process: subprocess.Popen[str], environment: dict[str, str]) -> None:
        self.process = process
        self.environment = environment
        self.printed = ""
        assert process.stdout is not None
        for line in process.stdout:
            self.printed += line
            if line.startswith("Ctrl-C"):
                return
        raise AssertionError(self.printed[-2000:])

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.printed)
        assert match, self.printed[-2000:]
        return match[1]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DRACHM_")}
    environment |= {
        "DRACHM_DATA_DIR": str(tmp_path_factory.mktemp("data") / "drachm"),
        "PYTHONPATH": str(ROOT / "src"),
        "NO_COLOR": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "drachm", "demo", "--pace", "5000"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A test run in the background is deaf to SIGINT, and its children would be too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield Demo(process, environment)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_the_printed_link_opens_and_the_hint_shows_the_care(demo: Demo) -> None:
    link = demo.found(r"(http://127\.0\.0\.1:\d+/r/\S+)")
    day, month, year = re.search(r"date of birth: (\d+) (\d+) (\d{4})", demo.printed).groups()  # type: ignore[union-attr]
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = browser.open(link, timeout=20).read().decode()
    assert "What you do now" in page
    assert "Video visit" not in page
    form = urllib.parse.urlencode({"day": day, "month": month, "year": year}).encode()
    assert "Video visit" in browser.open(f"{link}/second-factor", form, timeout=20).read().decode()
    with pytest.raises(urllib.error.HTTPError) as unknown:
        browser.open(link[:-1], timeout=20)
    assert unknown.value.code == 404


def test_the_printed_curl_lines_work_and_receipts_come_as_care_goes_on(demo: Demo) -> None:
    lines = re.findall(r"^  (curl .*)$", demo.printed, re.MULTILINE)
    assert len(lines) == 2
    done = subprocess.run(lines[0], shell=True, capture_output=True, text=True, timeout=60, check=True)
    assert len(json.loads(done.stdout)["data"]) == 2
    stream = subprocess.run(
        f"{lines[1]} --max-time 8", shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert "data:" in stream.stdout


def test_four_people_open_their_pages_without_a_word(demo: Demo) -> None:
    people = re.findall(r"^  (\w+), [^:]*(?:: [^:]*)?: (http://127\.0\.0\.1:\d+)(/\S+)$", demo.printed, re.MULTILINE)
    assert [name for name, _, _ in people] == ["Ana", "Grandmother", "Noor", "Iris"]
    for name, base, path in people:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        door = browser.open(base + path, timeout=20)
        text = door.read().decode()
        [(token, shown)] = [
            one for one in re.findall(r'name="token" value="([^"]+)">([^<]+)<', text) if one[1].startswith(f"{name},")
        ]
        [csrf] = set(re.findall(r'name="csrf" value="([^"]+)"', text))
        form = urllib.parse.urlencode({"csrf": csrf, "token": token}).encode()
        entered = browser.open(urllib.request.Request(door.url.partition("?")[0], form), timeout=20)
        assert entered.url.rstrip("/").startswith(base + path.partition("?")[0]), shown
        page = entered.read().decode()
        assert "Sign out" in page, shown
        # The operator is of no clinic.
        assert name == "Iris" or "Riverside clinic" in page, shown


def test_a_second_demo_leaves_the_first_ones_books_alone(demo: Demo) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "drachm", "demo", "--exit"],
        env=demo.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "another demo is running on these books" in done.stderr + done.stdout


def test_ctrl_c_ends_it_cleanly(demo: Demo) -> None:
    demo.process.send_signal(signal.SIGINT)
    rest, _ = demo.process.communicate(timeout=60)
    assert demo.process.returncode == 0, rest
    assert re.search(r"[1-9]\d* more events were cleared", rest)
    assert "Traceback" not in rest
