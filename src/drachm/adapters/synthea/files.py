"""Which documents lie under these paths?

Files are told apart by content (gzip, zstd, tar) and name (.ndjson); a folder is walked in order of names. Nothing is
ever held but one document at a time, and none above `jsonsafe.MAX_BYTES`.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, cast

import zstandard

from drachm.adapters import jsonsafe
from drachm.adapters.jsonplace import fault
from drachm.adapters.synthea.payors import MAPPING_FILE
from drachm.domain.errors import InvalidMessage

Document = tuple[str, bytes | InvalidMessage]
"""Place, and the bytes of one JSON document or why there are none."""

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ARCHIVES: Final = (".tar", ".tgz")
_LINES: Final = (".ndjson", ".jsonl")
_SUFFIXES: Final = (".json", *_LINES, *_ARCHIVES)
# Archives made with a long window need that much memory to unpack; 128 MiB is what `zstd --long=27` asks for.
_MAX_WINDOW: Final = 128 * 1024 * 1024


def short_name(name: str) -> str:
    """The file's name without the patient's name that Synthea puts before the id (messages carry no names)."""
    base = name.rsplit("/", 1)[-1]
    match = _UUID.search(base)
    return base[match.start() :] if match else base


def json_files(folder: Path) -> list[Path]:
    """The files of a folder and its subfolders that may hold FHIR, in order of names."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and _plain_name(path.name).endswith(_SUFFIXES) and path.name != MAPPING_FILE
    )


def documents(path: Path) -> Iterator[Document]:
    """The JSON documents of one file: one for .json, one a line for .ndjson, one a member for an archive."""
    where = short_name(path.name)
    try:
        with jsonsafe.opened(path, where) as stream:
            yield from _of_stream(stream, path.name, where)
    except InvalidMessage as problem:
        yield where, problem


def _of_stream(stream: IO[bytes], name: str, where: str) -> Iterator[Document]:
    plain = _plain_name(name)
    start: bytes = stream.peek(512)[:512]  # type: ignore[attr-defined]  # every stream made here is buffered
    if start[:2] == b"\x1f\x8b":
        yield from _of_stream(cast(IO[bytes], gzip.GzipFile(fileobj=stream)), name, where)
    elif start[:4] == _ZSTD_MAGIC:
        yield from _unpacked(stream, name, where)
    elif start[257:262] == b"ustar" or plain.endswith(_ARCHIVES):
        yield from _members(stream, where)
    elif plain.endswith(_LINES):
        yield from jsonsafe.lines(stream, where)
    else:
        yield where, jsonsafe.read_whole(stream, where)


def _unpacked(stream: IO[bytes], name: str, where: str) -> Iterator[Document]:
    reader = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).stream_reader(stream, read_across_frames=True)
    try:
        yield from _of_stream(cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, reader))), name, where)
    except zstandard.ZstdError:
        raise fault("unreadable_file", "the file is not complete zstd", where) from None


def _members(stream: IO[bytes], where: str) -> Iterator[Document]:
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if member.isfile() and _plain_name(member.name).endswith((".json", *_LINES)):
                    yield from _member(archive, member, f"{where}!{short_name(member.name)}")
    except tarfile.TarError:
        raise fault("unreadable_file", "the archive is not a complete tar file", where) from None


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo, place: str) -> Iterator[Document]:
    content = archive.extractfile(member)
    if content is None:
        return
    try:
        yield from _of_stream(content, member.name, place)
    except InvalidMessage as problem:
        yield place, problem


def _plain_name(name: str) -> str:
    """The name without the suffix of its packing."""
    return name.lower().removesuffix(".gz").removesuffix(".zst")
