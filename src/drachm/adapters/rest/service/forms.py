"""What does a browser send that machines do not? Cookies, forms, and from where they were sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

PAGE: Final = "text/html; charset=utf-8"
FORM_BYTES: Final = 4_096
_FORM: Final = b"application/x-www-form-urlencoded"
BY_ITSELF: Final = "drachm-by-itself"
"""A field of requests that a page makes without its person's doing: they do not keep a session awake."""
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{20,64}", re.ASCII)
_FIELDS: Final = ("cookie", "sec-fetch-site", "origin", "accept-language", "accept-encoding", BY_ITSELF)


def browser_fields(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    """The header fields that a page looks at."""
    return {name: fields[name.encode()].decode("latin-1") for name in _FIELDS if name.encode() in fields}


async def read_form(request: Request, fields: Mapping[bytes, bytes], most: int = FORM_BYTES) -> dict[str, str]:
    """The form of a request, of a repeated field the last; empty when it is none, or larger than a form of ours."""
    kind = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
    body = await request.body()
    if kind != _FORM or len(body) > most:
        return {}
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            max_num_fields=20 if most == FORM_BYTES else 200,
            errors="strict",
        )
    except ValueError:
        return {}
    return dict(pairs)


def cookie(fields: Mapping[str, str], name: str) -> str:
    """The value of one cookie; empty when it is not there."""
    try:
        found = SimpleCookie(fields.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def one_line(text: str) -> str:
    """What somebody wrote into a box of a page, without line breaks and what nobody can see."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable())


def from_elsewhere(fields: Mapping[str, str], own: str) -> bool:
    """Whether a form was sent by a page that is not ours.

    Browsers say so themselves (Sec-Fetch-Site, on https and on this machine); where they do not, the origin counts.
    It is `null` for our own pages too, because they send no referrer.
    """
    site = fields.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    return fields.get("origin", own) not in (own, "null")


def key_of(form: Mapping[str, str]) -> str:
    """The key that a page put into its form, which makes one that is sent twice one deed; empty for what is none."""
    key = form.get("key", "")
    return key if _KEY.fullmatch(key) else ""
