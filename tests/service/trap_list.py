"""Traps of Python, JSON and HTTP, each as the bytes of one request. What is refused must not be repeated: `CANARY`."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

CANARY = "Zofia-Canary-1941"
EVENTS = "/v1/service-events"
EVENT: dict[str, Any] = {
    "source": "ehr", "event_id": "trap", "kind": "charge", "member": "ana",
    "code": {"system": "local", "value": "visit"}, "currency": "USD", "started_at": "2026-01-31T14:02:00Z",
    "billed": {"micros": 1_000_000, "currency": "USD"}, "billing_party": "clinic", "display": CANARY,
}  # fmt: skip
PARTY: dict[str, Any] = {"roles": ["provider"], "name": CANARY}
COVERAGE: dict[str, Any] = {"member": "ana", "plan": "town-plan", "starts_on": "2027-01-01", "rank": 9}
KEY: dict[str, Any] = {"name": CANARY, "roles": ["clerk"], "scopes": ["events:read"], "parties": ["clinic"]}


@dataclass(frozen=True)
class Trap:
    """One request that must be refused."""

    name: str
    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    """The whole request, where no client would write it so."""


def every_trap() -> list[Trap]:
    """All of them."""
    makers = (texts, events, shapes, times, paths, queries, headers, bodies, wires)
    return [trap for maker in makers for trap in maker()]


def post(name: str, path: str, body: bytes, **more: str) -> Trap:
    given = {"content-type": "application/json", **{key.replace("_", "-"): value for key, value in more.items()}}
    return Trap(name, "POST", path, body, given)


def texts() -> Iterator[Trap]:
    """What is not JSON, or could be read in two ways."""
    said = f'"{CANARY}"'.encode()
    bad: dict[str, bytes] = {
        "empty": b"",
        "blank": b" \n\t ",
        "byte order mark alone": b"\xef\xbb\xbf",
        "two marks": b"\xef\xbb\xbf\xef\xbb\xbf{}",
        "utf-16 with mark": f'{{"member": "{CANARY}"}}'.encode("utf-16"),
        "utf-16 without mark": f'{{"member": "{CANARY}"}}'.encode("utf-16-le"),
        "utf-32": f'{{"member": "{CANARY}"}}'.encode("utf-32"),
        "latin-1": '{"member": "Jos\xe9"}'.encode("latin-1"),
        "overlong slash": b'{"member": "\xc0\xaf"}',
        "overlong nul": b'{"member": "\xc0\x80"}',
        "overlong three bytes": b'{"member": "\xe0\x80\xaf"}',
        "surrogate in utf-8": b'{"member": "\xed\xa0\x80"}',
        "beyond unicode": b'{"member": "\xf4\x90\x80\x80"}',
        "cut character": b'{"member": "\xe2\x82"}',
        "lone continuation": b'{"member": "\x80"}',
        "nul byte": b'{"member": "a\x00b"}',
        "nul escape": b'{"member": "a\\u0000b"}',
        "lone high surrogate": b'{"member": "\\ud800"}',
        "lone low surrogate": b'{"member": "\\udc00"}',
        "surrogates the wrong way round": b'{"member": "\\udc00\\ud800"}',
        "surrogate in a key": b'{"\\ud800": 1}',
        "raw line feed": b'{"member": "a\nb"}',
        "raw tab": b'{"member": "a\tb"}',
        "bad escape": b'{"member": "\\x41"}',
        "short escape": b'{"member": "\\u12"}',
        "escape at the end": b'{"member": "a\\',
        "open text": b'{"member": "' + CANARY.encode(),
        "open object": b'{"member": ' + said,
        "open array": b"[1, 2",
        "comma at the end": b'{"member": ' + said + b",}",
        "comma in an array": b"[1,]",
        "comment": b'{"member": 1} // ' + CANARY.encode(),
        "single quotes": b"{'member': 'ana'}",
        "no quotes": b"{member: 1}",
        "two documents": b'{"member": 1} {"member": 2}',
        "rest": b'{"member": 1}' + CANARY.encode(),
        "leading zero": b'{"tax_ppm": 01}',
        "plus": b'{"tax_ppm": +1}',
        "no whole part": b'{"tax_ppm": .5}',
        "no fraction": b'{"tax_ppm": 1.}',
        "hexadecimal": b'{"tax_ppm": 0x10}',
        "underscore": b'{"tax_ppm": 1_000}',
        "other digits": '{"tax_ppm": ١٢}'.encode(),
        "python true": b'{"emergency": True}',
        "python none": b'{"site": None}',
        "undefined": b'{"site": undefined}',
        "NaN": b'{"tax_ppm": NaN}',
        "Infinity": b'{"tax_ppm": Infinity}',
        "minus Infinity": b'{"tax_ppm": -Infinity}',
        "5000 digits": b'{"tax_ppm": ' + b"9" * 5000 + b"}",
        "5000 decimals": b'{"tax_ppm": 0.' + b"9" * 5000 + b"}",
        "1e400": b'{"tax_ppm": 1e400}',
        "1e999999999": b'{"tax_ppm": 1e999999999}',
        "1e-999999999": b'{"tax_ppm": 1e-999999999}',
        "a key twice": b'{"member": "ana", "member": ' + said + b"}",
        "a key twice by escape": b'{"member": "ana", "\\u006dember": ' + said + b"}",
        "arrays 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
        "objects 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        "open arrays 100,000 deep": b"[" * 100_000,
        "65 deep": b"[" * 65 + b"]" * 65,
    }
    for name, body in bad.items():
        # Of an array of events each is judged by itself, also beside a fault in the text.
        if not body.startswith(b"["):
            yield post(f"event text: {name}", EVENTS, body)
        yield post(f"party text: {name}", "/v1/parties", body)


def events() -> Iterator[Trap]:
    """Fields of an event that Python or a careless reader would take."""
    ids = {
        "empty": "", "blank": " ", "blank inside": "a b", "line feed at the end": "ana\n", "tab": "a\tb",
        "right to left": "ana\u202egnp", "isolate": "\u2066ana", "zero width": "a\u200bna", "mark": "\ufeffana",
        "soft hyphen": "a\u00adna", "combining": "ana\u0301", "cyrillic a": "\u0430na", "full width": "\uff41na",
        "emoji": "😀", "dot dot": "../ana", "201 characters": "a" * 201, "line separator": "a\u2028b",
    }  # fmt: skip
    for name, value in ids.items():
        for place in ("event_id", "member"):
            yield event(f"{place}: {name}", **{place: value})
    for name, value in {
        "a flag": True, "a decimal": 1.0, "a text": "1", "minus one": -1, "beyond": 1_000_001, "null": None,
        "an array": [1], "minus zero decimal": -0.0,
    }.items():  # fmt: skip
        yield event(f"tax_ppm: {name}", tax_ppm=value)
    for name, value in {
        "2^53": 2**53, "minus": -1, "a decimal": 1.5, "a whole decimal": 1.0, "a text": "100", "a flag": True,
        "null": None, "2^63": 2**63, "2^64": 2**64,
    }.items():  # fmt: skip
        yield event(f"billed: {name}", billed={"micros": value, "currency": "USD"})
    for name, value in {
        "lower case": "usd", "unknown": "QQQ", "short": "US", "long": "USDD", "blank": " USD", "sign": "$", "empty": "",
        "number": 840, "other than the event's": "EUR", "line feed": "USD\n", "cyrillic": "US\u0414", "null": None,
    }.items():  # fmt: skip
        yield event(f"billed currency: {name}", billed={"micros": 1, "currency": value})
        if name != "other than the event's":
            yield event(f"currency: {name}", currency=value)
    for name, value in {
        "a number": 1, "a decimal": 1.5, "zero": "0", "minus zero": "-0", "minus": "-1", "exponent": "1e3",
        "seven decimals": "1.0000001", "too many": "1000001", "other digits": "١", "blank": " 1", "NaN": "NaN",
        "Infinity": "Infinity", "comma": "1,5", "empty": "", "underscore": "1_0",
    }.items():  # fmt: skip
        yield event(f"quantity: {name}", quantity=value)
    yield event("a flag as a number", emergency=1)
    yield event("a flag as a text", emergency="false")
    yield event("51 diagnoses", diagnoses=["J06.9"] * 51)
    yield event("a pointer that is a flag", diagnoses=["J06.9"], diagnosis_pointers=[True])
    yield event("a pointer behind the end", diagnoses=["J06.9"], diagnosis_pointers=[2])
    yield event("101 facts", facts={f"f{index}": 1 for index in range(101)})
    yield event("a fact's name", facts={"Patient": CANARY})
    yield event("a fact's dunder name", facts={"__class__": CANARY})
    yield event("a fact that is a decimal", facts={"a": 0.1})
    yield event("a fact that is an object", facts={"a": {"b": CANARY}})
    yield event("a fact beyond 2^53", facts={"a": 2**53})
    yield event("a field of nobody", patient_name=CANARY)
    yield event("a field of Python", __proto__={"a": CANARY})
    yield event("a control character in a text", display=f"{CANARY}\u0007")
    yield event("a line separator in a text", display=f"{CANARY}\u2028")
    yield event("a long text", display=CANARY * 100)
    yield event("a kind of nobody", kind="refund")
    yield event("a kind in capitals", kind="Charge")
    yield event("a reversal of nothing named", kind="reversal")
    yield event("a reversal of itself", kind="reversal", replaces="trap")
    yield event("a place with three digits", place_of_service="110")
    yield event("other digits", place_of_service="١١")
    yield event("null where nothing is meant", site=None)
    yield post("a text for an event", EVENTS, json.dumps(CANARY).encode())
    yield post("a number for an event", EVENTS, b"17")
    yield post("null for an event", EVENTS, b"null")
    yield post("1,001 events", EVENTS, json.dumps([EVENT] * 1001).encode())
    yield post("100,000 zeros", EVENTS, json.dumps([0] * 100_000).encode())
    yield post("arrays without an end", EVENTS, b"[" * 100_000)
    lines = b"\n".join([json.dumps(EVENT).encode()] * 1001)
    yield post("1,001 lines", EVENTS, lines, content_type="application/x-ndjson")


def event(name: str, **changes: Any) -> Trap:
    return post(f"event: {name}", EVENTS, json.dumps({**EVENT, **changes}).encode())


def shapes() -> Iterator[Trap]:
    """Bodies that other calls must refuse."""
    for name, changes in {
        "no roles": {"roles": []}, "a role of nobody": {"roles": [CANARY]}, "roles as a text": {"roles": "provider"},
        "a name of nothing": {"name": ""}, "a name of 201": {"name": "a" * 201}, "a name as a number": {"name": 1},
        "a zone of nobody": {"zone": CANARY}, "a path as a zone": {"zone": "../../etc/passwd"},
        "an absolute zone": {"zone": "/etc/localtime"}, "an id with a blank": {"id": "a b"},
        "an id with a line feed": {"id": "abc\n"}, "an id with a bidi mark": {"id": "abc\u202e"},
        "an id of 65": {"id": "a" * 65}, "an npi that does not check": {"npi": "1234567890"},
        "a field of nobody": {"owner": CANARY}, "null for a name": {"name": None}, "facts as an array": {"facts": []},
        "a fact beyond 64 bits": {"facts": {"a": 2**64}}, "a fact that is a decimal": {"facts": {"a": 1.5}},
        "a control character": {"name": "a\u0001b"}, "roles twice nested": {"roles": [["provider"]]},
    }.items():  # fmt: skip
        yield post(f"party: {name}", "/v1/parties", json.dumps({**PARTY, **changes}).encode())
    yield post("an array for a party", "/v1/parties", json.dumps([PARTY]).encode())
    for name, changes in {
        "a role of people": {"roles": ["patient"]}, "a scope of nobody": {"scopes": ["everything"]},
        "a party with a line feed": {"parties": ["clinic\n"]}, "201 parties": {"parties": ["clinic"] * 201},
    }.items():  # fmt: skip
        yield post(f"api key: {name}", "/v1/api-keys", json.dumps({**KEY, **changes}).encode())


def times() -> Iterator[Trap]:
    """Days and moments that do not exist, or that nobody can tell."""
    for name, value in {
        "29 February": "2026-02-29T00:00:00Z", "31 April": "2026-04-31T00:00:00Z", "month 13": "2026-13-01T00:00:00Z",
        "day 0": "2026-01-00T00:00:00Z", "24 o'clock": "2026-01-01T24:00:00Z", "leap second": "2016-12-31T23:59:60Z",
        "no offset": "2026-01-01T00:00:00", "no seconds": "2026-01-01T00:00Z", "a day": "2026-01-01",
        "year 0": "0000-01-01T00:00:00Z", "year 10000": "10000-01-01T00:00:00Z", "a number": 1767225600,
        "offset of 24 hours": "2026-01-01T00:00:00+24:00", "offset without colon": "2026-01-01T00:00:00+0100",
        "seven decimals": "2026-01-01T00:00:00.1234567Z", "week date": "2026-W01-1T00:00:00Z",
        "blank inside": "2026-01-01 00:00:00Z", "other digits": "٢٠٢٦-01-01T00:00:00Z", "words": "yesterday",
        "line feed": "2026-01-01T00:00:00Z\n", "zone name": "2026-01-01T00:00:00[UTC]", "empty": "",
        "before 1900": "1899-12-31T23:59:59Z", "after 2199": "2200-01-01T00:00:00Z",
    }.items():  # fmt: skip
        yield event(f"started_at: {name}", started_at=value)
        if name not in ("before 1900", "after 2199"):
            body = json.dumps({**KEY, "expires_at": value}).encode()
            yield post(f"expires_at: {name}", "/v1/api-keys", body)
    body = json.dumps({**KEY, "expires_at": "2027-01-01T00:00:00-00:00"}).encode()
    yield post("expires_at: offset -00:00", "/v1/api-keys", body)
    for name, value in {
        "29 February": "2027-02-29", "month 13": "2027-13-01", "day 0": "2027-01-00", "short": "2027-1-1",
        "compact": "20270101", "week": "2027-W01-1", "other digits": "٢٠٢٧-٠١-٠١", "line feed": "2027-01-01\n",
        "year 0": "0000-01-01", "a moment": "2027-01-01T00:00:00Z", "a number": 20270101, "empty": "",
        "ordinal": "2027-001",
    }.items():  # fmt: skip
        yield post(f"starts_on: {name}", "/v1/coverages", json.dumps({**COVERAGE, "starts_on": value}).encode())


def paths() -> Iterator[Trap]:
    """Addresses that a careless router would follow."""
    for path in (
        "/v1/parties/%00", "/v1/parties/a%00b", "/v1/parties/clinic%0a", "/v1/parties/..%2f..%2fetc%2fpasswd",
        "/v1/parties/%2e%2e", "/v1/parties/%2e%2e/me", "/v1/parties/clinic%2fsites", "/v1/parties/clinic%5csites",
        "/v1/parties/%c0%ae%c0%ae", "/v1/parties/%ff", "/v1/parties/%ed%a0%80", "/v1/parties/%", "/v1/parties/%zz",
        "/v1/parties/%e2%80%aeclinic", "/v1/parties/clinic/", "/v1/parties//clinic", "//v1/parties/clinic",
        "/v1//parties", "/V1/parties", "/v1/Parties", "/v1/parties/clinic;a=b", "/v1/parties/CLINIC%20",
        "/v1/parties/" + "a" * 2000, "/v1/../v1/nothing", "/v2/parties", "/v1", "/", "/v1/receipts/rcp_",
        "/v1/receipts/rcp_zzzzzzzzzzzzzzzzzzzzzzzzzz", "/v1/receipts/RCP_00000000000060000000000000",
        "/v1/receipts/rcp_00000000000060000000000000", "/v1/receipts/evt_00000000000060000000000000",
        "/v1/service-events/evt_7zzzzzzzzzzzzzzzzzzzzzzzzz", "/v1/service-events/1", "/v1/charges/chg_ilou",
        f"/v1/members/{CANARY}", "/v1/visits/vis_%27%20or%201=1", "/problems/..%2fnothing", "/problems/%00",
        "/r/nothing", "/r/%2e%2e%2f", "/v1/operations/by-key/%22", "/openapi.json/", "/.well-known/jwks.json/x",
        "/static/../../etc/passwd", "/v1/members/{member_id}",
    ):  # fmt: skip
        yield Trap(f"path: {path[:60]}", "GET", path)
    for method in ("DELETE", "PUT", "PATCH", "TRACE", "OPTIONS", "GETT", "get", "BREW"):
        yield Trap(f"method: {method}", method, "/v1/parties")


def queries() -> Iterator[Trap]:
    """Query strings that nobody declared, and cursors that nobody gave."""
    forged = "AAAAAAAAAAAAAAAAAAAAAFsxNzk5OTk5OTk5LCJhIl0"
    for query in (
        "limit=0", "limit=101", "limit=-1", "limit=1.0", "limit=1e1", "limit=%D9%A1", "limit=", "limit=%201",
        "limit=NaN", "limit=true", "limit=99999999999999999999", "limit=1&limit=2", "offset=1", "expand=everything",
        f"cursor={forged}", "cursor=", "cursor=a", "cursor=%00", "cursor=" + "A" * 600, "cursor=%F0%9F%98%80",
        "cursor=..%2f", "cursor=AAAA====", f"cursor={forged}&cursor={forged}", f"name={CANARY}", "role=%00",
        f"role={CANARY}", "__class__=1", "limit=1;limit=2", "limit=0x10", "limit=1_0",
    ):  # fmt: skip
        yield Trap(f"query: {query[:70]}", "GET", f"/v1/parties?{query}")
    yield post("query on a posting", f"{EVENTS}?dry_run=true", json.dumps(EVENT).encode())


def headers() -> Iterator[Trap]:
    """Fields that are missing, forged or of another kind."""
    said = json.dumps(EVENT).encode()
    for media in (
        "", "text/plain", "application/xml", "application/json; charset=utf-16", "application/json; charset=latin-1",
        "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "application/jsonp", "json", "*/*",
        "application/problem+json", "application/octet-stream",
    ):  # fmt: skip
        yield post(f"content-type: {media or 'none'}", EVENTS, said, content_type=media)
    for accept in ("text/html", "application/xml", "application/json;q=0", "image/*", "application/json;v=2;q=0.0"):
        yield Trap(f"accept: {accept}", "GET", "/v1/parties", None, {"accept": accept})
    for credential in (
        "Basic YTpi", "Bearer", "Bearer ", "bearer", "Bearer a b", "Bearer \u00e9", f"Bearer {CANARY}", "Bearer a.b.c",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "Bearer drk_sandbox_", "Bearer drk_live_x", "Digest a",
        "Bearer " + "a" * 8000, "Bearer drk_sandbox_%00", "null", "Bearer null",
    ):  # fmt: skip
        yield Trap(f"authorization: {credential[:40]}", "GET", "/v1/parties", None, {"authorization": credential})
    for tag in ("", '"forged"', "forged", 'W/"forged"', '"a" "b"', '"' + "a" * 2000 + '"', '"\u00ff', "*,*", '"a",'):
        change = {"content-type": "application/json"} | ({"if-match": tag} if tag else {})
        yield Trap(f"if-match: {tag[:30] or 'none'}", "PATCH", "/v1/parties/clinic", b'{"name": "Other"}', change)
    top_up = {"amount": {"micros": 1, "currency": "USD"}}
    for key in ("", " ", "a" * 256, "a b", '"', '"a', "\u00e9", "a\tb"):
        given = {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
        body = json.dumps(top_up).encode()
        yield Trap(f"idempotency-key: {key[:30] or 'none'}", "POST", "/v1/wallets/ana-cash/top-ups", body, given)


def bodies() -> Iterator[Trap]:
    """Bodies that are packed badly, or are larger than they say."""
    said = json.dumps(EVENT).encode()
    packed = gzip.compress(said)
    for name, encoding, body in (
        ("gzip that is none", "gzip", said),
        ("gzip cut off", "gzip", packed[:-4]),
        ("gzip with a wrong sum", "gzip", packed[:-8] + b"\0\0\0\0" + packed[-4:]),
        ("gzip with a rest", "gzip", packed + CANARY.encode()),
        ("two gzip members", "gzip", packed + packed),
        ("gzip of nothing", "gzip", gzip.compress(b"")),
        ("a bomb", "gzip", gzip.compress(b" " * 50_000_000)),
        ("a bomb in a bomb", "gzip", gzip.compress(gzip.compress(b" " * 50_000_000))),
        ("zlib for gzip", "gzip", zlib.compress(said)),
        ("deflate", "deflate", zlib.compress(said)),
        ("brotli", "br", said),
        ("gzip twice", "gzip, gzip", gzip.compress(packed)),
        ("packed but not said", "", packed),
    ):
        more = {"content_encoding": encoding} if encoding else {}
        yield post(f"body: {name}", EVENTS, body, **more)
    large = json.dumps({**PARTY, "name": "a" * 2_000_000}).encode()
    yield post("body: 2 MB for a party", "/v1/parties", large)
    yield post("body: 9 MB of events", EVENTS, b"[" + b" " * 9_500_000 + b"]")


def wires() -> Iterator[Trap]:
    """Requests that no client would write."""
    host = b"host: service.example\r\n"
    for name, raw in {
        "no host": b"GET /v1/parties HTTP/1.1\r\n\r\n",
        "no version": b"GET /v1/parties\r\n\r\n",
        "version 3": b"GET /v1/parties HTTP/3.0\r\n" + host + b"\r\n",
        "field without colon": b"GET /v1/parties HTTP/1.1\r\n" + host + b"nonsense\r\n\r\n",
        "blank before the colon": b"GET /v1/parties HTTP/1.1\r\n" + host + b"a : b\r\n\r\n",
        "folded field": b"GET /v1/parties HTTP/1.1\r\n" + host + b"a: b\r\n c\r\n\r\n",
        "nul in a field": b"GET /v1/parties HTTP/1.1\r\n" + host + b"a: \x00\r\n\r\n",
        "65 fields": b"GET /v1/parties HTTP/1.1\r\n" + host + b"".join(b"a%d: b\r\n" % n for n in range(65)) + b"\r\n",
        "20 KB of header": b"GET /v1/parties HTTP/1.1\r\n" + host + b"a: " + b"b" * 20_000 + b"\r\n\r\n",
        "length and chunks": b"POST /v1/parties HTTP/1.1\r\n" + host
        + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "two lengths": b"POST /v1/parties HTTP/1.1\r\n" + host + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        "length below zero": b"POST /v1/parties HTTP/1.1\r\n" + host + b"content-length: -1\r\n\r\n",
        "length with a plus": b"POST /v1/parties HTTP/1.1\r\n" + host + b"content-length: +2\r\n\r\n{}",
        "length in hexadecimal": b"POST /v1/parties HTTP/1.1\r\n" + host + b"content-length: 0x2\r\n\r\n{}",
        "bad chunk": b"POST /v1/parties HTTP/1.1\r\n" + host + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + CANARY.encode() + b"\r\n\r\n",
        "200 MB announced": b"POST /v1/parties HTTP/1.1\r\n" + host + b"content-length: 209715200\r\n\r\n",
        "a blank in the path": b"GET /v1/parties /x HTTP/1.1\r\n" + host + b"\r\n",
        "a control character in the path": b"GET /v1/\x01 HTTP/1.1\r\n" + host + b"\r\n",
    }.items():  # fmt: skip
        yield Trap(f"wire: {name}", "", "", raw=raw)
