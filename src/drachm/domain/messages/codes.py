"""Which codes can be read out, typed on a worn keyboard and still be told apart?

Digits and capitals without I, L, O and U (Crockford's base 32): what is heard or seen as one of these is taken for what
it looks like. Eight signs are 40 bits: enough beside a second answer, and never alone.
"""

from __future__ import annotations

import unicodedata
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS: Final = 8
_HALF: Final = 4
_ALIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


def code_of(random: bytes, letters: int = LETTERS) -> str:
    """A code from random bytes, one for each letter; every letter is equally likely."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in random[:letters])


def read_code(text: str, letters: int = LETTERS) -> str:
    """What somebody typed, as the code it is; empty when it is none.

    >>> read_code("7k4m-2qxd"), read_code("ok4m 2qxd"), read_code("７Ｋ４Ｍ２ＱＸＤ"), read_code("7K4M")
    ('7K4M2QXD', '0K4M2QXD', '7K4M2QXD', '')
    """
    plain = unicodedata.normalize("NFKC", text[: 4 * letters]).upper()
    kept = "".join(sign for sign in plain if sign.isalnum()).translate(_ALIKE)
    return kept if len(kept) == letters and all(sign in ALPHABET for sign in kept) else ""


def spaced(code: str) -> str:
    """A code as it is printed: two halves.

    >>> spaced("7K4M2QXD")
    '7K4M-2QXD'
    """
    return f"{code[:_HALF]}-{code[_HALF:]}"
