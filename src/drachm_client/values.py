"""What do calls give beside plain values: versions, and items of a stream?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Versioned(Generic[T]):
    """A thing with its version: hand `etag` to the call that changes it, so that you change what you have read."""

    value: T
    etag: str


@dataclass(frozen=True, slots=True)
class StreamItem(Generic[T]):
    """One item of a stream. `id` is where to go on: hand it to the stream as `after`."""

    id: str
    value: T
