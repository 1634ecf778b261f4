"""The Python client against the service itself: what it reads, pages, listens to, and loses."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import drachm_client as sdk
from drachm.service.run import Running, running
from drachm.settings import Settings
from drachm_client import models
from drachm_client.exchange import Lost

sys.path.insert(0, str(Path(__file__).parent))

from service_process import service_process

MASTER_KEY = bytes(range(32))


@pytest.fixture(scope="module")
def service(service_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), master_key=MASTER_KEY, calls_per_minute=100_000)
    with running(settings, service_database) as found:
        yield found


@pytest.fixture
def client(service: Running, town: Any) -> Iterator[sdk.Client]:
    token = service.person_token("olga", ["operator"], tenant=town.tenant)
    with sdk.Client(service.base_url, token) as client:
        yield client


def visit(event_id: str, **changes: Any) -> models.ServiceEvent:
    said = models.ServiceEvent(
        source="ehr",
        event_id=event_id,
        kind="charge",
        member="ana",
        code=models.EventCode(system="local", value="visit"),
        currency="USD",
        started_at="2026-01-31T14:02:00Z",
        billed=models.AskedAmount(micros=40_000_000, currency="USD"),
        billing_party="clinic",
        visit="v-1",
    )
    for name, value in changes.items():
        setattr(said, name, value)
    return said


def test_an_event_its_receipt_and_why(client: sdk.Client) -> None:
    answer = client.post_service_event(visit("e1"))
    assert answer.status == "posted"
    assert answer.receipt is not None
    assert client.post_service_event(visit("e1")).duplicate is True
    receipt = client.get_receipt(answer.receipt)
    assert receipt.id == answer.receipt
    assert client.explain_receipt(answer.receipt) is not None
    with pytest.raises(sdk.Conflict) as caught:
        client.post_service_event(visit("e1", display="other words"))
    assert caught.value.code == "event_conflict"


def test_many_events_one_result_each(client: sdk.Client) -> None:
    answer = client.post_service_events([visit("b1"), visit("b2", currency="EUR"), visit("b3")])
    assert [item.status for item in answer.data] == [201, 400, 201]
    assert answer.data[1].problem is not None
    assert answer.data[1].problem.code == "currency_mismatch"


def test_a_change_names_the_version_it_was_made_from(client: sdk.Client) -> None:
    made = client.create_party(models.NewParty(roles=["provider"], name="Harbour clinic", id="harbour"))
    read = client.get_party("harbour")
    assert read.etag == made.etag != ""
    changed = client.update_party("harbour", models.PartyChange(name="Harbour"), if_match=read.etag)
    assert (changed.value.name, changed.value.version) == ("Harbour", read.value.version + 1)
    with pytest.raises(sdk.Changed):
        client.update_party("harbour", models.PartyChange(name="Port"), if_match=read.etag)


def test_a_list_page_by_page_and_all_at_once(client: sdk.Client) -> None:
    for number in range(4):
        client.create_party(models.NewParty(roles=["employer"], name=f"Works {number}", id=f"works-{number}"))
    pages, cursor = [], None
    while True:
        page = client.list_parties(role="employer", limit=3, cursor=cursor)
        pages.append([party.id for party in page.data])
        cursor = page.next
        if cursor is None:
            break
    assert [len(page) for page in pages] == [3, 1]
    assert [party.id for party in client.every_parties(role="employer")] == [one for page in pages for one in page]
    with pytest.raises(sdk.BadRequest) as caught:
        client.list_parties(role="payer", cursor=client.list_parties(role="employer", limit=1).next)
    assert caught.value.code == "invalid_cursor"


def test_a_refusal_says_where(client: sdk.Client) -> None:
    with pytest.raises(sdk.BadRequest) as caught:
        client.post_service_event(visit("bad", tax_ppm=-1))
    assert (caught.value.code, caught.value.pointers) == ("out_of_range", ("/tax_ppm",))
    assert caught.value.request_id.startswith("req_")


def test_a_credential_that_is_none_is_told_apart(service: Running) -> None:
    with sdk.Client(service.base_url, "drk_sandbox_nonsense") as stranger, pytest.raises(sdk.Unauthenticated):
        stranger.get_me()
    with sdk.Client(service.base_url) as nobody:
        assert nobody.get_health().status == "alive"


def test_what_became_of_a_keyed_call_is_asked_by_its_key(client: sdk.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    order = models.TopUpOrder(amount=models.Money(micros=1_000_000, currency="USD"))
    whole = sdk.Client._attempt

    def losing(self: sdk.Client, outgoing: Any, seconds: float) -> Any:
        answer = whole(self, outgoing, seconds)
        return answer if outgoing.spec.method == "GET" else Lost(True, "ReadError")

    def never(self: sdk.Client, outgoing: Any, seconds: float) -> Any:
        return whole(self, outgoing, seconds) if outgoing.spec.method == "GET" else Lost(True, "ReadError")

    monkeypatch.setattr(sdk.Client, "_attempt", losing)
    with pytest.raises(sdk.Unknown) as caught:
        client.top_up_wallet("ana-cash", order, deadline=0.5)
    monkeypatch.setattr(sdk.Client, "_attempt", never)
    with pytest.raises(sdk.Unknown) as not_sent:
        client.top_up_wallet("ana-cash", order, deadline=0.5)
    found = client.resolve(caught.value)
    assert found is not None
    assert client.resolve(not_sent.value) is None
    monkeypatch.undo()
    again = client.top_up_wallet("ana-cash", order, idempotency_key=caught.value.key)
    assert again == found


def test_a_stream_goes_on_where_it_was_left(client: sdk.Client, service: Running) -> None:
    def later() -> None:
        time.sleep(1.0)
        for number in range(3):
            client.post_service_event(visit(f"s{number}"))

    sender = threading.Thread(target=later)
    sender.start()
    seen = []
    for item in client.stream_party_receipts("clinic"):
        seen.append(item)
        if len(seen) == 2:
            break
    sender.join()
    rest = next(iter(client.stream_party_receipts("clinic", after=seen[-1].id)))
    names = [item.value.id for item in (*seen, rest)]
    assert len(set(names)) == 3
    assert names == sorted(names)
    with pytest.raises(sdk.NotFound):
        next(iter(client.stream_party_receipts("nobody")))


def test_the_async_client_reads_pages_and_streams(service: Running, town: Any) -> None:
    token = service.person_token("olga", ["operator"], tenant=town.tenant)

    async def run() -> None:
        async with sdk.AsyncClient(service.base_url, token) as client:
            answers = await asyncio.gather(*[client.post_service_event(visit(f"a{number}")) for number in range(5)])
            assert {answer.status for answer in answers} == {"posted"}
            found = [party.id async for party in client.every_parties()]
            assert "clinic" in found
            assert (await client.get_party("clinic")).etag

            async def later() -> None:
                await asyncio.sleep(1.0)
                await client.post_service_event(visit("a9"))

            sender = asyncio.create_task(later())
            async for item in client.stream_party_receipts("clinic"):
                assert item.value.id.startswith("rcp_")
                break
            await sender

    asyncio.run(run())


def test_the_example_of_the_reference_page_runs(
    service: Running, town: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {"key": service.person_token("olga", ["operator"], tenant=town.tenant)}
    exec(example.replace("http://127.0.0.1:8000", service.base_url), names)  # noqa: S102 - our own page
    assert names["answer"].status in ("posted", "pended")
    assert "clinic" in capsys.readouterr().out.split()


def test_a_server_killed_in_the_middle_makes_nobody_pay_twice(settled: Any, tmp_path: Path) -> None:
    url, town = settled
    order = models.TopUpOrder(amount=models.Money(micros=1_000_000, currency="USD"))
    with (
        service_process(url, tmp_path, DRACHM_MASTER_KEY=MASTER_KEY.hex()) as served,
        sdk.Client(served.base_url, served.first_key, deadline=60) as client,
    ):
        client.post_service_event(visit("warm"))

        def kill(delay: float) -> None:
            time.sleep(delay)
            for worker in served.workers:
                os.kill(worker, signal.SIGKILL)

        receipts, told = [], 0
        for turn, delay in enumerate((0.0, 0.005, 0.02)):
            killer = threading.Thread(target=kill, args=(delay,))
            killer.start()
            receipts += [client.post_service_event(visit(f"k{turn}-{number}")).receipt for number in range(3)]
            killer.join()
        # The killed process may hold the claim of a key for two minutes: until then nobody may guess.
        for turn, delay in enumerate((0.0, 0.003)):
            killer = threading.Thread(target=kill, args=(delay,))
            killer.start()
            try:
                client.top_up_wallet("ana-cash", order, idempotency_key=f"key-{turn}", deadline=6)
                told += 1
            except sdk.Unknown as unknown:
                told += settles(client, unknown, order)
            killer.join()
        assert None not in receipts
        assert len(set(receipts)) == 9
        topped = [one for one in client.every_wallet_entries("ana-cash") if one.amount.micros.lstrip("-") == "1000000"]
        assert len(topped) <= 2
        assert len(topped) >= told
        assert set(town.desk.books.balances().values()) != {0}
        assert sum(town.desk.books.balances().values()) == 0


def settles(client: sdk.Client, unknown: sdk.Unknown[Any], order: models.TopUpOrder) -> bool:
    """Whether what became of the call can be found out now; made anew with its key where it never arrived."""
    assert unknown.key.startswith("key-")
    try:
        if client.resolve(unknown, deadline=10) is None:
            client.top_up_wallet("ana-cash", order, idempotency_key=unknown.key, deadline=20)
    except sdk.Unknown:
        return False
    return True
