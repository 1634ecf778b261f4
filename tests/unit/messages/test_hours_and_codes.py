"""Messages sleep at night, and codes survive being read out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.messages.codes import ALPHABET, code_of, read_code, spaced
from drachm.domain.messages.hours import not_before

ZONES = ["America/New_York", "Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata", "UTC"]
moments = st.integers(1_577_836_800, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(moments, st.sampled_from(ZONES))
def test_nothing_comes_at_night_nothing_comes_early_and_nothing_waits_longer_than_a_night(
    moment: datetime, zone: str
) -> None:
    sent = not_before(moment, ZoneInfo(zone))
    assert 8 <= sent.astimezone(ZoneInfo(zone)).hour < 21
    assert timedelta(0) <= sent - moment <= timedelta(hours=12)


@pytest.mark.parametrize(("hour", "wanted"), [(7, "08:00"), (8, "08:30"), (20, "20:30"), (21, "08:00"), (0, "08:00")])
def test_the_borders_of_the_night(hour: int, wanted: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    sent = not_before(datetime(2026, 11, 21, hour, 30, tzinfo=berlin), berlin).astimezone(berlin)
    assert f"{sent:%H:%M}" == wanted
    assert sent.day == (22 if hour == 21 else 21)


@given(st.binary(min_size=8, max_size=8))
def test_a_code_comes_back_however_it_is_typed(random: bytes) -> None:
    code = code_of(random)
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in code)
    for typed in (code, code.lower(), spaced(code), f" {code[:4]} {code[4:]} ", wide, code.replace("0", "O"),
                  code.replace("1", "l"), code.replace("V", "u")):  # fmt: skip
        assert read_code(typed) == code


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_code_or_nothing(text: str) -> None:
    found = read_code(text)
    assert found == "" or (len(found) == 8 and set(found) <= set(ALPHABET))


def test_every_letter_is_equally_likely() -> None:
    assert 256 % len(ALPHABET) == 0
    assert not set("ILOU") & set(ALPHABET)
