"""How does a short body become shorter? By a codebook: the words that a tenant's patients share.

A codebook is a zstd dictionary. Bodies are erasable and codebooks are not, so nothing of anybody may come into one:
`scrub.py` takes it out of the bodies before the training, and looks again afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import zstandard

from drachm.domain.errors import IntegrityError, ensure
from drachm.storage.scrub import Bodies, Sample

WORDS_BYTES: Final = 16_384
"""Half as many bring 1.5 % less, twice as many no more."""
GAIN_PERCENT: Final = 10
"""By so much a new codebook makes bodies shorter than what there is, or it is not worth keeping."""

CHANCE: Final = 29
"""So many bytes at the beginning of a body are when it came in, and its salt: nothing makes them shorter, and among the
words of the rest they make those longer. They are left out of what is compressed."""

_PARTS: Final = 1_000_000
_TRIED_EACH: Final = 10
_SEGMENT, _STEP = 400, 8
"""How the training looks for words; trying several values takes three times as long for the same."""
_SHORT: Final = zstandard.ZstdCompressionParameters.from_level(
    4,
    source_size=400,
    dict_size=WORDS_BYTES,
    format=zstandard.FORMAT_ZSTD1_MAGICLESS,
    write_content_size=True,
    write_checksum=False,
    write_dict_id=False,
)
"""Level 2 takes 0.5 us less and leaves 2 % more, level 5 takes 1.3 us more and leaves 2 % less. Told what is usual, it
looks in tables of 192 kB instead of 768, which leave more room for the people of the next events. Four bytes that say
"this is zstd" are worth nothing here."""
_PLAIN: Final = zstandard.ZstdCompressionParameters.from_level(1)


class Press(threading.local):
    """Compressors are costly to make and serve one thread at a time."""

    def __init__(self, words: zstandard.ZstdCompressionDict | None = None) -> None:
        form = zstandard.FORMAT_ZSTD1 if words is None else zstandard.FORMAT_ZSTD1_MAGICLESS
        parameters = _PLAIN if words is None else _SHORT
        self.compress = zstandard.ZstdCompressor(dict_data=words, compression_params=parameters).compress
        self.decompress = zstandard.ZstdDecompressor(dict_data=words, format=form).decompress


class Trained(NamedTuple):
    """The words of a new codebook."""

    words: bytes
    ppm: int
    """To how many millionths of their length they brought the bodies."""


class Codebook:
    """Immutable, known by its number. Raises IntegrityError for words that are none."""

    def __init__(self, number: int, words: bytes, *, since: int = 0, ppm: int = _PARTS) -> None:
        self.number = number
        self.since = since
        """The journal's position when it was trained."""
        self.ppm = ppm
        """To how many millionths of their length it brought the bodies then."""
        try:
            dictionary = zstandard.ZstdCompressionDict(words, dict_type=zstandard.DICT_TYPE_FULLDICT)
            dictionary.precompute_compress(compression_params=_SHORT)
            self.press = Press(dictionary)
            ensure(self.press.decompress(self.press.compress(words)) == words, "it does not return what was put in")
        except (zstandard.ZstdError, ValueError) as error:
            raise IntegrityError(f"the codebook cannot be used: {error}", where=f"codebook {number}") from None

    def size(self, bodies: Sequence[bytes]) -> int:
        """How many bytes these bodies take; as they are where compression would not make them shorter."""
        compress = self.press.compress
        return sum(min(len(body), CHANCE + len(compress(body[CHANCE:]))) for body in bodies)


def tried(samples: Sequence[Sample]) -> list[bytes]:
    """The bodies by which codebooks are compared."""
    return [body for _, body in samples[::_TRIED_EACH]]


def train(samples: Sequence[Sample], random_bytes: Callable[[int], bytes], present: Codebook | None) -> Trained | None:
    """The words of a new codebook; None when `present` does nearly as well or the samples are too few to learn from."""
    bodies = Bodies(samples)
    scrubbed: list[bytes | bytearray | memoryview] = [body[CHANCE:] for body in bodies.scrubbed(random_bytes)]
    try:
        words = zstandard.train_dictionary(WORDS_BYTES, scrubbed, k=_SEGMENT, d=_STEP).as_bytes()
    except zstandard.ZstdError:
        return None
    words = bodies.swept(words)
    compared = tried(samples)
    plain = sum(map(len, compared))
    size = Codebook(0, words).size(compared)
    if size * 100 > (100 - GAIN_PERCENT) * (plain if present is None else present.size(compared)):
        return None
    return Trained(words, size * _PARTS // plain)
