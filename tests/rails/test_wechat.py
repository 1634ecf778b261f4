"""Money in through WeChat Pay: scanned, in a mini-program, told late or twice or by somebody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count

import pytest
import wechat_fake
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from rail_helpers import Clock, payment, yuan_left
from wechat_fake import APP, KEY_ID, MERCHANT, SECRET, SERIAL, FakeWechat

from drachm.adapters.rsa import is_signed
from drachm.adapters.wechat.rail import Wechat, WechatAccount
from drachm.application.desk import Desk
from drachm.application.payments import begin, carry_out, find, hear, work_through
from drachm.application.records import Records
from drachm.application.refunds import begin_refund, carry_out_refund, hear_refund
from drachm.domain.errors import DrachmError, Forbidden, IntegrityError, InvalidMessage
from drachm.domain.money import MICROS
from drachm.domain.payments.model import News
from drachm.domain.payments.refund import Refund, RefundNews

WECHAT = {"rail": "wechat", "pot": "ana-yuan", "currency": "CNY"}
Keys = tuple[RSAPrivateKey, RSAPrivateKey]


@pytest.fixture(scope="module")
def keys() -> Keys:
    return generate_private_key(65_537, 2_048), generate_private_key(65_537, 2_048)


@pytest.fixture
def fake(keys: Keys, clock: Clock) -> Iterator[FakeWechat]:
    ours, theirs = keys
    fake = FakeWechat(theirs, ours.public_key(), now=lambda: clock.now().timestamp())
    end = wechat_fake.serve(fake)
    yield fake
    end()


@pytest.fixture
def account(fake: FakeWechat, keys: Keys) -> WechatAccount:
    ours, theirs = keys
    notify = "https://drachm.example/callbacks/wechat"
    return WechatAccount(APP, MERCHANT, ours, SERIAL, theirs.public_key(), KEY_ID, SECRET, notify, fake.url)


@pytest.fixture
def rail(account: WechatAccount, clock: Clock) -> Wechat:
    words = count()
    return Wechat(account, now=clock.now, nonce=lambda: f"nonce{next(words)}")


def test_a_payer_scans_and_the_pot_has_it_once(
    yuan: Desk, records: Records, rail: Wechat, fake: FakeWechat, clock: Clock
) -> None:
    begin(payment(clock, **WECHAT), records, author="ana")
    fake.lose_next = 1
    assert carry_out("pay_1", {"wechat": rail}, yuan, records).state == "unknown"
    [waiting] = work_through({"wechat": rail}, yuan, records)
    assert waiting.link == "weixin://wxpay/pay_1"
    assert fake.orders["pay_1"]["amount"] == {"total": 2_500, "currency": "CNY"}
    headers, body = fake.pay("pay_1")
    for _ in range(3):
        for news in rail.read_callback(headers, body, clock.now()):
            hear(news, "wechat", yuan, records)
    assert yuan_left(yuan) == 25 * MICROS
    assert find("pay_1", records).state == "captured"


def test_a_mini_program_is_handed_a_signed_opening(
    yuan: Desk, records: Records, account: WechatAccount, keys: Keys, clock: Clock
) -> None:
    mini = Wechat(account, now=clock.now, nonce=lambda: "word", face="mini", payer_of={"ana": "openid-7"}.__getitem__)
    begin(payment(clock, **WECHAT), records, author="ana")
    opening = json.loads(carry_out("pay_1", {"wechat": mini}, yuan, records).link)
    content = f"{APP}\n{opening['timeStamp']}\nword\nprepay_id=wxpay_1\n".encode()
    assert is_signed(content, opening["paySign"], keys[0].public_key())


def test_a_payment_that_was_paid_while_its_answer_was_lost_is_found(
    yuan: Desk, records: Records, rail: Wechat, fake: FakeWechat, clock: Clock
) -> None:
    begin(payment(clock, **WECHAT), records, author="ana")
    fake.lose_next = 1
    carry_out("pay_1", {"wechat": rail}, yuan, records)
    fake.pay("pay_1")
    assert [one.state for one in work_through({"wechat": rail}, yuan, records)] == ["captured"]
    assert yuan_left(yuan) == 25 * MICROS


def test_an_order_that_nobody_paid_expires(
    yuan: Desk, records: Records, rail: Wechat, fake: FakeWechat, clock: Clock
) -> None:
    for name in ("pay_1", "pay_2", "pay_3"):
        begin(payment(clock, name, **WECHAT), records, author="ana")
        carry_out(name, {"wechat": rail}, yuan, records)
    fake.orders["pay_1"]["trade_state"] = "CLOSED"
    fake.orders["pay_2"]["trade_state"] = "PAYERROR"
    del fake.orders["pay_3"]
    clock.sleep(hours=3)
    ends = {one.id: one.state for one in work_through({"wechat": rail}, yuan, records)}
    assert ends == {"pay_1": "expired", "pay_2": "declined", "pay_3": "expired"}
    assert yuan_left(yuan) == 0


def test_what_wechat_did_not_sign_is_refused(
    yuan: Desk, records: Records, rail: Wechat, fake: FakeWechat, clock: Clock
) -> None:
    begin(payment(clock, **WECHAT), records, author="ana")
    carry_out("pay_1", {"wechat": rail}, yuan, records)
    headers, body = fake.pay("pay_1")
    for changed, sent in (
        ({}, b""),
        ({}, body + b" "),
        ({"wechatpay-signature": ""}, body),
        ({"wechatpay-serial": "PUB_KEY_ID_2"}, body),
        ({"wechatpay-timestamp": ""}, body),
        ({"wechatpay-timestamp": "\u00b2"}, body),
        ({"wechatpay-nonce": "other"}, body),
    ):
        with pytest.raises(Forbidden) as caught:
            rail.read_callback({**headers, **changed}, sent, clock.now())
        assert caught.value.code == "callback_forged"
    with pytest.raises(Forbidden):
        rail.read_callback(*fake.pay("pay_1", mchid="1900000002"), clock.now())
    for nonsense in (
        b"[]",
        b"{}",
        b'{"event_type": "TRANSACTION.SUCCESS", "resource": {"nonce": "x", "ciphertext": "AA=="}}',
    ):
        with pytest.raises(InvalidMessage):
            rail.read_callback(fake.headers(nonsense), nonsense, clock.now())
    assert rail.read_callback(*fake.callback({}, kind="PAYSCORE.USER_OPEN_SERVICE"), clock.now()) == []
    [dear] = rail.read_callback(*fake.pay("pay_1", amount={"total": 9_900}), clock.now())
    with pytest.raises(IntegrityError):
        hear(dear, "wechat", yuan, records)
    clock.sleep(minutes=6)
    with pytest.raises(Forbidden) as caught:
        rail.read_callback(headers, body, clock.now())
    assert caught.value.code == "callback_stale"
    assert yuan_left(yuan) == 0


def test_a_forged_or_missing_answer_is_no_answer(
    yuan: Desk, records: Records, rail: Wechat, fake: FakeWechat, clock: Clock
) -> None:
    begin(payment(clock, **WECHAT), records, author="ana")
    waiting = carry_out("pay_1", {"wechat": rail}, yuan, records)
    for spoil in ("forge_next", "lose_next", "busy_next"):
        setattr(fake, spoil, 1)
        with pytest.raises(DrachmError) as caught:
            rail.look(waiting)
        assert caught.value.retryable
        assert find("pay_1", records).state == "waiting"


def test_only_yuan(rail: Wechat, clock: Clock) -> None:
    with pytest.raises(InvalidMessage):
        rail.ask(payment(clock, rail="wechat"))


def test_a_refund_is_asked_once_and_ends_by_a_sealed_callback(
    yuan: Desk, records: Records, rail: Wechat, fake: FakeWechat, clock: Clock
) -> None:
    begin(payment(clock, **WECHAT), records, author="ana")
    carry_out("pay_1", {"wechat": rail}, yuan, records)
    for news in rail.read_callback(*fake.pay("pay_1"), clock.now()):
        assert isinstance(news, News)
        hear(news, "wechat", yuan, records)
    for number in ("1", "2"):
        order = Refund(f"rfd_{number}", "pay_1", "wechat", "ana-yuan", "ana", 10 * MICROS, "CNY", clock.now())
        begin_refund(order, records, author="fay")
        fake.lose_next = 1
        states = [carry_out_refund(order.id, {"wechat": rail}, yuan, records).state for _ in range(3)]
        assert states == ["unknown", "waiting", "waiting"]
    assert yuan.books.pots(["ana-yuan"])["ana-yuan"] == (5 * MICROS, 20 * MICROS)
    ended = [fake.settle_refund("rfd_1", "SUCCESS"), fake.settle_refund("rfd_2", "CLOSED")]
    forged = (ended[0][0], ended[0][1].replace(b"REFUND.SUCCESS", b"REFUND.CLOSED "))
    with pytest.raises(Forbidden):
        rail.read_callback(*forged, clock.now())
    for headers, body in ended * 2:
        for told in rail.read_callback(headers, body, clock.now()):
            assert isinstance(told, RefundNews)
            hear_refund(told, yuan, records, rail="wechat")
    assert yuan.books.pots(["ana-yuan"])["ana-yuan"] == (15 * MICROS, 0)
    more = Refund("rfd_3", "pay_1", "wechat", "ana-yuan", "ana", 15 * MICROS, "CNY", clock.now())
    begin_refund(more, records, author="fay")
    fake.refunds["other"] = {"amount": {"refund": 1_000}, "status": "SUCCESS"}
    assert carry_out_refund("rfd_3", {"wechat": rail}, yuan, records).reason == "not_enough"
