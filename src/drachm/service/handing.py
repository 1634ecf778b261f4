"""How does what a worker has just written reach the process beside it that follows the journal?

By a datagram of the machine itself, in a folder that only this service may enter. The rows lie in memory that has no
name and travels with the datagram: any size fits, nothing of it is ever on a disk, and it is gone when both have closed
it. Nobody waits: what the other cannot take yet is kept for the next time, up to a bound, and then forgotten. The
journal says the same.
"""

from __future__ import annotations

import os
import socket
import threading
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from drachm.application.first_answers import Outcome
from drachm.application.handed import Handed, handed_of, pack, unpack

MOST: Final = 4_000
"""Rows that wait to be handed on."""
MESSAGE_MAX: Final = 16 * 1_048_576
_NAME: Final = "written"
_LOOK_SECONDS: Final = 0.5
_WITHOUT_NAME: Final = hasattr(os, "memfd_create")
"""Memory without a name is Linux's; elsewhere the journal is read."""


class Handing:
    """Hands on what one tenant's pump writes (`Market.hand_on`); for that pump's thread alone."""

    def __init__(self, folder: Path, tenant: int) -> None:
        self._path, self._tenant = str(folder / _NAME), b"%d" % tenant
        self._waiting: deque[Handed] = deque(maxlen=MOST)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def __call__(self, written: Sequence[Outcome]) -> None:
        """Hand on; what cannot be taken now waits for the next time."""
        if not _WITHOUT_NAME:
            return
        self._waiting.extend(handed_of(written))
        if not self._waiting:
            return
        memory = os.memfd_create("drachm-written")
        try:
            os.write(memory, pack(self._waiting))
            passing = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [memory]))]
            self._socket.sendmsg([self._tenant], passing, 0, self._path)
            self._waiting.clear()
        except BlockingIOError:
            return  # The other has not read the last ones yet.
        except OSError:
            self._waiting.clear()  # It is not there: when it comes, it reads the journal.
        finally:
            os.close(memory)


def listen(folder: Path, hear: Callable[[int, list[Handed]], None], stopping: threading.Event) -> threading.Thread:
    """Give `hear` what workers hand on, with its tenant, in a thread until `stopping` is set."""
    path = folder / _NAME
    with suppress(FileNotFoundError):
        path.unlink()  # Of the one before this.
    own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    own.settimeout(_LOOK_SECONDS)
    own.bind(str(path))
    thread = threading.Thread(target=_listen, args=(own, hear, stopping), name="drachm-handed", daemon=True)
    thread.start()
    return thread


def _listen(own: socket.socket, hear: Callable[[int, list[Handed]], None], stopping: threading.Event) -> None:
    with own:
        while not stopping.is_set():
            try:
                tenant, descriptors, _, _ = socket.recv_fds(own, 32, 1)
            except TimeoutError:
                continue
            except OSError:
                return
            for descriptor in descriptors:
                # Whatever came that is not ours to read: the journal says the same.
                with suppress(OSError, ValueError, msgspec.MsgspecError):
                    hear(int(tenant), unpack(_whole(descriptor)))
                os.close(descriptor)


def _whole(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > MESSAGE_MAX:
        raise ValueError("more than anybody hands on")
    return os.pread(descriptor, size, 0)
