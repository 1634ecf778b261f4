"""Whose calls count together? What a caller writes about itself is never believed, what the proxies add is."""

from __future__ import annotations

import pytest

from drachm import settings
from drachm.adapters.rest.transport.proxies import FIELDS, Proxies
from drachm.domain.errors import InvalidMessage

HERE = "127.0.0.1"


def address(proxies: Proxies, *lines: str, field: str = "", client: str | None = HERE) -> str:
    name = (field or proxies.field).encode()
    headers = [(b"host", b"pay.example.org"), *[(name, line.encode()) for line in lines]]
    return proxies.address({"client": (client, 4711) if client else None, "headers": headers})


def test_told_of_no_proxy_nothing_is_believed() -> None:
    assert address(Proxies(), "198.51.100.7") == HERE
    assert address(Proxies(), "for=198.51.100.7", field="forwarded") == HERE
    assert address(Proxies(), client=None) == ""


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_the_caller_wrote_before_the_proxies_is_never_believed(number: int) -> None:
    added = ["198.51.100.7", "10.0.0.2", "10.0.0.3"][:number]
    for forged in ([], ["203.0.113.1"], ["203.0.113.1", "127.0.0.1", "::1"]):
        assert address(Proxies(number), ", ".join([*forged, *added])) == "198.51.100.7"
        assert address(Proxies(number), *forged, *added) == "198.51.100.7", "each may write a line of its own"


def test_fewer_entries_than_proxies_are_not_believed_either() -> None:
    assert address(Proxies(2), "198.51.100.7") == HERE
    assert address(Proxies(1)) == HERE


def test_only_the_field_that_the_operator_named_is_read() -> None:
    assert address(Proxies(1), "198.51.100.7", field="forwarded") == HERE
    assert address(Proxies(1, "forwarded"), "198.51.100.7", field="x-forwarded-for") == HERE


@pytest.mark.parametrize(
    ("entry", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:4711", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("unknown", HERE),
        ("_hidden", HERE),
        ("", HERE),
        ("198.51.100.777", HERE),
        ("198.51.100.7 198.51.100.8", HERE),
        ("9" * 5_000, HERE),
    ],
)
def test_an_address_counts_without_port_and_a_network_of_ipv6_as_one(entry: str, counted: str) -> None:
    assert address(Proxies(1), entry) == counted
    quoted = f'for="{entry}"' if ":" in entry else f"for={entry}"
    assert address(Proxies(1, "forwarded"), quoted) == counted
    assert address(Proxies(1, "forwarded"), f"for=203.0.113.1, proto=https;FOR={quoted[4:]};by=10.0.0.1") == counted


def test_the_parts_of_forwarded_cannot_be_mistaken() -> None:
    one = Proxies(1, "forwarded")
    assert address(one, 'host="for=203.0.113.1";for=198.51.100.7') == "198.51.100.7"
    assert address(one, 'host="a;for=203.0.113.1";for=198.51.100.7') == "198.51.100.7"
    assert address(one, 'for="203.0.113.1', "for=198.51.100.7") == "198.51.100.7"
    # A comma in a host name that the caller chose cuts the proxy's element in two: neither half is believed.
    assert address(one, 'for=198.51.100.7;host="a,for=203.0.113.1"') == HERE
    assert address(one, 'for=198.51.100.7;host="a,for=203.0.113.1;b=\\"c"') == HERE
    assert address(one, "for=203.0.113.1;for=198.51.100.7") == HERE
    assert address(one, "xfor=203.0.113.1") == HERE
    assert address(one, "by=203.0.113.1;proto=http") == HERE


def test_settings_say_how_many_and_where() -> None:
    assert settings.PROXY_FIELDS == FIELDS
    assert settings.load({}).proxies == 0
    read = settings.load({"DRACHM_PROXIES": "2", "DRACHM_PROXY_FIELD": "Forwarded"})
    assert (read.proxies, read.proxy_field) == (2, "forwarded")
    for wrong in (
        {"DRACHM_PROXIES": "9"},
        {"DRACHM_PROXIES": "one"},
        {"DRACHM_PROXIES": "1", "DRACHM_PROXY_FIELD": "x-real-ip"},
        {"DRACHM_PROXY_FIELD": "forwarded"},
    ):
        with pytest.raises(InvalidMessage, match=r"."):
            settings.load(wrong)
