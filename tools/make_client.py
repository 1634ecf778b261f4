"""Writes the Python client's models and operations from the OpenAPI document of this very code.

    PYTHONPATH=src .venv/bin/python tools/make_client.py

tests/sdk/test_client_drift.py makes them again and compares every byte, so the client never lags behind.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from client_models import models_module, type_of
from client_operations import operations_module

Document = dict[str, Any]
TARGET = Path(__file__).parents[1] / "src" / "drachm_client"


def made(document: Document) -> dict[str, str]:
    """The text of each generated file, by name."""
    return {
        "models.py": models_module(document),
        "operations.py": operations_module(document, type_of, awaited=False),
        "async_operations.py": operations_module(document, type_of, awaited=True),
    }


def current_document() -> Document:
    """The document that the service serves."""
    import json

    from drachm.adapters.rest.service import operations
    from drachm.adapters.rest.service.openapi import published

    assert operations
    found: Document = json.loads(published("https://service.example")[0])
    return found


if __name__ == "__main__":
    for name, text in made(current_document()).items():
        (TARGET / name).write_text(text, "utf-8")
