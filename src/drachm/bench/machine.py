"""On what machine was it measured? Nothing that names the machine or its owner."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import drachm
from drachm.bench.server import settings_hash
from drachm.domain.clearing import clear


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader needs to compare."""

    cpu: str
    cores: int
    """Those this process may use."""
    memory_gib: int
    system: str
    python: str
    postgres: str
    settings_sha256: str
    """Of the committed settings file of the server."""
    drachm: str
    compiled: bool
    """Whether the core ran as machine code."""
    load_before: float
    """Mean number of running processes in the minute before: others on the machine."""

    def as_object(self) -> dict[str, Any]:
        return asdict(self)


def look_at_machine(postgres: str) -> Machine:
    """The machine as it is now."""
    return Machine(
        cpu=_field("/proc/cpuinfo", "model name") or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=int((_field("/proc/meminfo", "MemTotal") or "0").split()[0]) // 2**20,
        system=f"{platform.system()} {platform.release().partition('-')[0]}",
        python=platform.python_version(),
        postgres=postgres,
        settings_sha256=settings_hash(),
        drachm=drachm.__version__,
        compiled=str(clear.__file__).endswith(".so"),
        load_before=round(os.getloadavg()[0], 2),
    )


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text("utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
