"""Which rails has the operator connected? A JSON file (DRACHM_RAILS_FILE), by tenant:

    {"1": {"stripe": {"key": "sk_...", "signing_secret": "whsec_..."},
           "alipay": {"app_id": "...", "private_key": "-----BEGIN ...", "public_key": "-----BEGIN ...", "face": "wap"},
           "wechat": {"app_id": "...", "merchant": "...", "private_key": "...", "serial": "...", "public_key": "...",
                      "public_key_id": "PUB_KEY_ID_...", "secret": "32 characters", "face": "native"},
           "bank": {"account": "IBAN"}}}

Each may have a `tariff` of its own: `{"currency": "USD", "ppm": 29000, "fixed": 300000, "most": null}` in micros. The
file holds secrets: readable by its owner only.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from drachm.adapters import jsonsafe, rsa
from drachm.adapters.alipay.rail import Alipay, AlipayAccount
from drachm.adapters.stripe.rail import Stripe, client_for
from drachm.adapters.wechat.rail import Wechat, WechatAccount
from drachm.application.bank import BankAccount
from drachm.application.cards import card_of
from drachm.application.collection import Policy
from drachm.application.rails import Rail
from drachm.application.records import Records
from drachm.domain.errors import InvalidMessage
from drachm.domain.payments.tariff import Tariff
from drachm.storage.memory_records import MemoryRecords

Key = TypeVar("Key")

SECRET_BYTES = 32


class _Form(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Part of the file."""


class StripeForm(_Form):
    key: str
    signing_secret: str
    address: str = ""
    """Another address than Stripe's, for tests."""
    tariff: Tariff | None = None


class AlipayForm(_Form):
    app_id: str
    private_key: str
    public_key: str
    face: Literal["page", "wap"] = "wap"
    gateway: str = ""
    tariff: Tariff | None = None


class WechatForm(_Form):
    app_id: str
    merchant: str
    private_key: str
    serial: str
    public_key: str
    public_key_id: str
    secret: str
    face: Literal["native"] = "native"
    address: str = ""
    tariff: Tariff | None = None


class BankForm(_Form):
    account: str
    tariff: Tariff | None = None


class RailsForm(_Form):
    """The rails of one tenant."""

    stripe: StripeForm | None = None
    alipay: AlipayForm | None = None
    wechat: WechatForm | None = None
    bank: BankForm | None = None
    collecting: dict[str, Policy] = {}
    """By currency, when and by which of these rails what patients owe is collected."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The rails of one tenant, ready to be asked."""

    rails: Mapping[str, Rail] = field(default_factory=dict)
    tariffs: Mapping[str, Tariff] = field(default_factory=dict)
    collecting: Mapping[str, Policy] = field(default_factory=dict)


def read_rails(path: Path | None) -> dict[str, RailsForm]:
    """The file, by tenant; nothing when there is none. Raises `InvalidMessage`, and never repeats what stands in it."""
    if path is None:
        return {}
    try:
        if path.stat().st_mode & 0o077:
            raise _unusable("other users can read it: close it with chmod 600", "")
        value = jsonsafe.loads(path.read_bytes(), str(path.name))
        return msgspec.convert(value, dict[str, RailsForm], strict=True)
    except OSError as error:
        raise _unusable(f"it cannot be read: {error.strerror}", "") from None
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        raise _unusable(words.replace("`", ""), place.strip("`")) from None


def ensure_connectable(path: Path | None, base_url: str, now: Callable[[], datetime]) -> dict[str, list[str]]:
    """The names of the rails that the file connects, by tenant. No rail is asked. Raises `InvalidMessage`."""
    found = {}
    for tenant, form in read_rails(path).items():
        connected = connect(form, tenant, base_url, MemoryRecords(), now)
        found[tenant] = sorted(connected.rails)
    return found


def connect(form: RailsForm, tenant: str, base_url: str, records: Records, now: Callable[[], datetime]) -> Connected:
    """The rails of one tenant. Raises `InvalidMessage` for keys that cannot be used."""
    rails: list[Rail] = []

    def told_at(rail: str) -> str:
        return f"{base_url}/v1/callbacks/{tenant}/{rail}"

    if form.stripe:
        client = client_for(form.stripe.key, address=form.stripe.address)
        rails.append(
            Stripe(
                client,
                signing_secret=form.stripe.signing_secret,
                return_url=base_url,
                now=now,
                card_of=lambda member: card_of(Stripe.name, member, records),
            )
        )
    if form.alipay:
        keys = (
            _key(rsa.private_key, form.alipay.private_key, f"{tenant}.alipay.private_key"),
            _key(rsa.public_key, form.alipay.public_key, f"{tenant}.alipay.public_key"),
        )
        gateway: dict[str, Any] = {"gateway": form.alipay.gateway} if form.alipay.gateway else {}
        account = AlipayAccount(form.alipay.app_id, *keys, told_at("alipay"), base_url, **gateway)
        rails.append(Alipay(account, now=now, face=form.alipay.face))
    if form.wechat:
        rails.append(
            Wechat(_wechat(form.wechat, tenant, told_at("wechat")), now=now, nonce=lambda: secrets.token_hex(16))
        )
    if form.bank:
        rails.append(BankAccount(form.bank.account))
    tariffs = {rail.name: found for rail in rails if (found := getattr(form, rail.name).tariff) is not None}
    for currency, policy in form.collecting.items():
        if policy.rail not in {rail.name for rail in rails}:
            raise _unusable(f"dues in {currency} are collected by a rail that is not connected", f"{tenant}.collecting")
    return Connected({rail.name: rail for rail in rails}, tariffs, form.collecting)


def _key(read: Callable[[str], Key], text: str, place: str) -> Key:
    try:
        return read(text)
    except InvalidMessage as error:
        raise InvalidMessage(
            error.message, where=f"DRACHM_RAILS_FILE {place}", next_step=error.next_step, code=error.code
        ) from None


def _wechat(form: WechatForm, tenant: str, notify_url: str) -> WechatAccount:
    secret = form.secret.encode()
    if len(secret) != SECRET_BYTES:
        raise _unusable(f"wechat's secret has {SECRET_BYTES} characters", f"{tenant}.wechat.secret")
    more: dict[str, Any] = {"address": form.address} if form.address else {}
    return WechatAccount(
        form.app_id,
        form.merchant,
        _key(rsa.private_key, form.private_key, f"{tenant}.wechat.private_key"),
        form.serial,
        _key(rsa.public_key, form.public_key, f"{tenant}.wechat.public_key"),
        form.public_key_id,
        secret,
        notify_url,
        **more,
    )


def _unusable(what: str, place: str) -> InvalidMessage:
    return InvalidMessage(
        what,
        where=f"DRACHM_RAILS_FILE {place}".strip(),
        next_step="docs/how-to/connect-rails.md shows the form of the file.",
        code="rail_refused",
    )
