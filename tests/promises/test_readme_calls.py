"""The curl lines of the README work as pasted, one after the other, against a fresh service."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8000"


def process_module() -> Any:
    path = REPOSITORY / "tests" / "service" / "service_process.py"
    spec = importlib.util.spec_from_file_location("readme_service_process", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def curl_blocks(text: str) -> list[str]:
    """Shell blocks that begin with curl."""
    return [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if block.startswith("curl")]


BLOCKS = curl_blocks((REPOSITORY / "README.md").read_text("utf-8"))


def test_only_blocks_of_curl_are_taken() -> None:
    assert curl_blocks("```sh\ncurl -s a\n```\n```sh\nls\n```\n```json\n{}\n```") == ["curl -s a\n"]


@pytest.mark.skipif(not BLOCKS, reason="the README has no curl line")
def test_every_curl_line_of_the_readme_is_answered(database: str, tmp_path: Path) -> None:
    with process_module().service_process(database, tmp_path) as served:
        environ = {**os.environ, "DRACHM_KEY": served.first_key}
        for block in BLOCKS:
            assert ADDRESS in block, "a line names the address of `./drachm serve`"
            line = block.replace(ADDRESS, served.base_url).replace("curl ", "curl --fail-with-body ", 1)
            done = subprocess.run(["bash", "-c", line], env=environ, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (block, done.stdout, done.stderr)
            answer = json.loads(done.stdout)
            assert answer.get("status") not in ("refused", "conflict"), (block, answer)
