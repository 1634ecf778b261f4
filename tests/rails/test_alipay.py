"""Money in through Alipay: signed both ways, told late or twice or by somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

import alipay_fake
import pytest
from alipay_fake import APP, FakeAlipay
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from rail_helpers import Clock, payment, yuan_left

from drachm.adapters import rsa
from drachm.adapters.alipay.rail import Alipay, AlipayAccount
from drachm.application.desk import Desk
from drachm.application.payments import begin, carry_out, find, hear, work_through
from drachm.application.records import Records
from drachm.application.refunds import begin_refund, carry_out_refund
from drachm.domain.errors import DrachmError, Forbidden, IntegrityError, InvalidMessage
from drachm.domain.money import MICROS
from drachm.domain.payments.refund import Refund

ALIPAY = {"rail": "alipay", "pot": "ana-yuan", "currency": "CNY"}


@pytest.fixture(scope="module")
def keys() -> tuple[RSAPrivateKey, RSAPrivateKey]:
    return generate_private_key(65_537, 2_048), generate_private_key(65_537, 2_048)


@pytest.fixture
def fake(keys: tuple[RSAPrivateKey, RSAPrivateKey]) -> Iterator[FakeAlipay]:
    ours, theirs = keys
    fake = FakeAlipay(theirs, ours.public_key())
    end = alipay_fake.serve(fake)
    yield fake
    end()


@pytest.fixture
def account(fake: FakeAlipay, keys: tuple[RSAPrivateKey, RSAPrivateKey]) -> AlipayAccount:
    ours, theirs = keys
    return AlipayAccount(
        APP, ours, theirs.public_key(), "https://drachm.example/callbacks/alipay", "https://drachm.example/", fake.url
    )


@pytest.fixture
def rail(account: AlipayAccount, clock: Clock) -> Alipay:
    return Alipay(account, now=clock.now)


def test_a_payer_pays_on_the_phone_and_the_pot_has_it_once(
    yuan: Desk, records: Records, rail: Alipay, fake: FakeAlipay, clock: Clock
) -> None:
    begin(payment(clock, **ALIPAY), records, author="ana")
    waiting = carry_out("pay_1", {"alipay": rail}, yuan, records)
    assert waiting.state == "waiting"
    name = fake.open_page(waiting.link)
    assert fake.trades[name]["total_amount"] == "25.00"
    body = fake.pay(name, at=clock.now())
    for _ in range(3):
        for news in rail.read_callback({}, body, clock.now()):
            hear(news, "alipay", yuan, records)
    assert yuan_left(yuan) == 25 * MICROS
    assert find("pay_1", records).state == "captured"


def test_the_same_payment_has_the_same_address(records: Records, rail: Alipay, clock: Clock) -> None:
    asked = payment(clock, **ALIPAY)
    first = rail.ask(asked).link
    clock.sleep(minutes=3)
    assert rail.ask(asked).link == first
    assert "care" not in first


def test_in_a_mini_program_the_trade_is_made_first(
    yuan: Desk, records: Records, account: AlipayAccount, fake: FakeAlipay, clock: Clock
) -> None:
    mini = Alipay(account, now=clock.now, face="mini", buyer_of={"ana": "openid-7"}.__getitem__)
    begin(payment(clock, **ALIPAY), records, author="ana")
    fake.lose_next = 1
    assert carry_out("pay_1", {"alipay": mini}, yuan, records).state == "unknown"
    [waiting] = work_through({"alipay": mini}, yuan, records)
    assert waiting.link == fake.trades["pay_1"]["trade_no"]
    assert len(fake.trades) == 1


def test_a_lost_notification_is_made_up_for_and_a_page_nobody_opened_expires(
    yuan: Desk, records: Records, rail: Alipay, fake: FakeAlipay, clock: Clock
) -> None:
    for name in ("pay_1", "pay_2"):
        begin(payment(clock, name, **ALIPAY), records, author="ana")
        carry_out(name, {"alipay": rail}, yuan, records)
    fake.pay(fake.open_page(find("pay_1", records).link), at=clock.now())
    clock.sleep(minutes=11)
    assert {one.id: one.state for one in work_through({"alipay": rail}, yuan, records)} == {
        "pay_1": "captured",
        "pay_2": "waiting",
    }
    clock.sleep(days=1)
    assert [one.state for one in work_through({"alipay": rail}, yuan, records)] == ["expired"]
    assert yuan_left(yuan) == 25 * MICROS


def test_what_alipay_did_not_sign_is_refused(
    yuan: Desk, records: Records, rail: Alipay, fake: FakeAlipay, clock: Clock
) -> None:
    begin(payment(clock, **ALIPAY), records, author="ana")
    name = fake.open_page(carry_out("pay_1", {"alipay": rail}, yuan, records).link)
    good = fake.pay(name, at=clock.now())
    form = dict(parse_qsl(good.decode()))
    for body in (
        b"",
        b"\xff",
        b"nonsense",
        good.replace(b"25.00", b"95.00"),
        good + b"&total_amount=95.00",
        urlencode({**form, "trade_no": "1"}).encode(),
        urlencode({name: value for name, value in form.items() if name != "sign"}).encode(),
        fake.pay(name, at=clock.now(), app_id="2021000000000002"),
    ):
        with pytest.raises(Forbidden) as caught:
            rail.read_callback({}, body, clock.now())
        assert caught.value.code == "callback_forged"
    clock.sleep(hours=27)
    with pytest.raises(Forbidden) as caught:
        rail.read_callback({}, good, clock.now())
    assert caught.value.code == "callback_stale"
    for signed_nonsense in ({"total_amount": "1e999999"}, {"trade_status": "WHO_KNOWS"}, {"notify_time": "yesterday"}):
        with pytest.raises(InvalidMessage):
            rail.read_callback({}, fake.pay(name, at=clock.now(), **signed_nonsense), clock.now())
    [dear] = rail.read_callback({}, fake.pay(name, at=clock.now(), total_amount="95.00"), clock.now())
    with pytest.raises(IntegrityError):
        hear(dear, "alipay", yuan, records)
    assert yuan_left(yuan) == 0


def test_a_forged_or_missing_answer_is_no_answer(
    yuan: Desk, records: Records, rail: Alipay, fake: FakeAlipay, clock: Clock
) -> None:
    begin(payment(clock, **ALIPAY), records, author="ana")
    waiting = carry_out("pay_1", {"alipay": rail}, yuan, records)
    fake.open_page(waiting.link)
    for spoil in ("forge_next", "lose_next", "busy_next"):
        setattr(fake, spoil, 1)
        with pytest.raises(DrachmError) as caught:
            rail.look(waiting)
        assert caught.value.retryable
        assert carry_out("pay_1", {"alipay": rail}, yuan, records).state == "waiting"


def test_only_yuan_and_only_good_keys(rail: Alipay, clock: Clock) -> None:
    with pytest.raises(InvalidMessage):
        rail.ask(payment(clock, rail="alipay"))
    small = generate_private_key(65_537, 1_024)
    text = small.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = small.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for read, pem in ((rsa.private_key, text), (rsa.private_key, "x"), (rsa.public_key, public),
                      (rsa.public_key, "x")):  # fmt: skip
        with pytest.raises(InvalidMessage) as caught:
            read(pem)
        assert pem not in str(caught.value) or pem == "x"


def test_a_refund_goes_back_once_also_when_the_answer_is_lost(
    yuan: Desk, records: Records, rail: Alipay, fake: FakeAlipay, clock: Clock
) -> None:
    begin(payment(clock, **ALIPAY), records, author="ana")
    name = fake.open_page(carry_out("pay_1", {"alipay": rail}, yuan, records).link)
    for news in rail.read_callback({}, fake.pay(name, at=clock.now()), clock.now()):
        hear(news, "alipay", yuan, records)
    for number, lost in (("1", 0), ("2", 1)):
        refund = Refund(f"rfd_{number}", "pay_1", "alipay", "ana-yuan", "ana", 10 * MICROS, "CNY", clock.now())
        begin_refund(refund, records, author="fay")
        fake.lose_next = lost
        states = [carry_out_refund(refund.id, {"alipay": rail}, yuan, records).state for _ in range(2)]
        assert states == ["unknown" if lost else "done", "done"]
    assert {one["refund_amount"] for one in fake.refunds.values()} == {"10.00"}
    assert (len(fake.refunds), yuan_left(yuan)) == (2, 5 * MICROS)
    fake.trades["pay_1"]["trade_status"] = "TRADE_FINISHED"
    late = Refund("rfd_3", "pay_1", "alipay", "ana-yuan", "ana", MICROS, "CNY", clock.now())
    begin_refund(late, records, author="fay")
    assert carry_out_refund("rfd_3", {"alipay": rail}, yuan, records).reason == "trade_finished"
    assert rail.look_at_refund(late, find("pay_1", records)).state == "waiting"
    assert yuan_left(yuan) == 5 * MICROS
