"""How does a thread beside the workers do one thing for as long as the service lives?

What breaks is said and tried again, whatever it was: nobody starts such a thread a second time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from drachm.domain.errors import DrachmError


def over_and_over(
    look: Callable[[], float],
    stopping: threading.Event,
    log: logging.Logger,
    trouble: str,
    *,
    broken: float,
    first: float = 0.0,
) -> None:
    """Look again and again until `stopping` is set; each look says for how many seconds to rest.

    `first` is the rest before the first look, `broken` that behind one that failed: then `trouble` is said.
    """
    wait = first
    while not stopping.wait(wait):
        try:
            wait = look()
        except Exception as error:  # noqa: BLE001 - a thread that ends here is missed by nobody for days
            # Never the message of an error that is not ours: it may name a person.
            log.error("%s: %s", trouble, error.code if isinstance(error, DrachmError) else type(error).__name__)
            wait = broken
