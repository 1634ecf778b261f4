"""What runs beside the workers of a service, in a process of its own?

Work that nobody waits for, and that would take the interpreter from those who answer: the supervisor starts it, starts
it again when it dies, and ends it with the workers. It listens to nothing and has no part in readiness.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from drachm.adapters.rest.transport import logs

NICENESS: Final = 5
"""Whoever waits for an answer comes first where processors are short."""

Work = Callable[[threading.Event], None]
"""Runs until the event is set, and then soon ends."""

_log = logging.getLogger("drachm.beside")


def main(arguments: list[str]) -> int:
    """The process as the supervisor starts it: `--life` is an inherited file descriptor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--life", type=int, required=True)
    parser.add_argument("work", help="package.module:function")
    chosen = parser.parse_args(arguments)
    logs.configure()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=_end_with_parent, args=(chosen.life, stopping), daemon=True).start()
    with suppress(OSError):
        os.nice(NICENESS)
    try:
        load(chosen.work)(stopping)
    except Exception as error:  # noqa: BLE001 - the supervisor starts it again; what happened stands in the log
        _log.error("%s at %s", type(error).__name__, logs.where_raised(error))
        return 1
    return 0


def load(name: str) -> Work:
    """What `package.module:function` names."""
    module, _, function = name.partition(":")
    work: Work = getattr(importlib.import_module(module), function)
    return work


def _end_with_parent(descriptor: int, stopping: threading.Event) -> None:
    # The supervisor never writes: the read returns when it is gone, however it went.
    os.read(descriptor, 1)
    stopping.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
