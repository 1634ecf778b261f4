"""A call that was made once is made once, whichever process hears of it again; its answer can be asked for later."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from drachm.adapters.rest.service.kept_keys import KeptKeys
from drachm.adapters.rest.transport.idempotency import REPLAYED, name_of, once, slot_of
from drachm.adapters.rest.transport.problems import Answer, Problem
from drachm.application.operations_log import CLAIM_SECONDS, KEEP_DAYS
from drachm.domain.errors import Conflict, InvalidMessage, Unavailable
from drachm.storage.postgres import open_books

MASTER_KEY = bytes(range(32))
JSON = (b"content-type", b"application/json")
DONE = Answer(201, (JSON,), b'{"finding":"hypertension"}')


class Random:
    """Bytes that never repeat."""

    def __init__(self) -> None:
        self._count = 0

    def random_bytes(self, length: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{id(self)} {self._count}".encode()).digest(length)


@pytest.fixture
def new_process(database: str) -> Iterator[Callable[..., KeptKeys]]:
    """Keys of tenant 1 as another process holds them."""
    opened: list[Any] = []

    def open_one(tenant: int = 1, claim_seconds: float = CLAIM_SECONDS) -> KeptKeys:
        books = open_books(database, tenant, master_key=MASTER_KEY, ids=Random())
        opened.append(books)
        log = books.operations(Random(), claim_seconds=claim_seconds)
        return KeptKeys(lambda: log)

    yield open_one
    for books in opened:
        books.close()


class Work:
    """Does something once in a while, and counts it."""

    def __init__(self, answer: Answer | BaseException = DONE, seconds: float = 0) -> None:
        self.answer, self.seconds, self.done = answer, seconds, 0

    async def __call__(self) -> Answer:
        self.done += 1
        await asyncio.sleep(self.seconds)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def call(keys: KeptKeys, work: Work, *, key: str = "k1", caller: str = "me", body: bytes = b'{"a":1}') -> Any:
    """The answer, or the code of the refusal."""
    try:
        return asyncio.run(once(keys, key=key, caller=caller, route="pay", body=body, act=work))
    except (Problem, Unavailable, ConnectionError) as error:
        return getattr(error, "code", "broken")


def test_another_process_gives_the_first_answer_again(new_process: Any) -> None:
    work = Work()
    assert call(new_process(), work) == DONE
    again = call(new_process(), work, body=b'{ "a": 1 }')
    assert again == Answer(201, (JSON, REPLAYED), DONE.body)
    assert work.done == 1


def test_other_content_another_caller_another_tenant(new_process: Any) -> None:
    keys, work = new_process(), Work()
    call(keys, work)
    assert call(keys, work, body=b'{"a":2}') == "idempotency_key_reused"
    assert work.done == 1
    assert call(keys, work, caller="you") == DONE
    assert call(keys, work, key="k2") == DONE
    assert call(new_process(tenant=2), work) == DONE
    assert work.done == 4


def test_of_many_at_the_same_moment_one_works(new_process: Any) -> None:
    work = Work(seconds=0.5)
    processes = [new_process() for _ in range(2)]
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda n: call(processes[n % 2], work), range(6)))
    assert work.done == 1
    assert told.count("idempotency_in_flight") + told.count(Answer(201, (JSON, REPLAYED), DONE.body)) == 5
    assert DONE in told


def test_the_claim_of_a_dead_process_is_taken_over_after_a_while(new_process: Any) -> None:
    dead, living = new_process(), new_process(claim_seconds=0.6)
    slot, content = slot_of("me", "pay", "k1"), hashlib.sha256(b"x").digest()
    assert asyncio.run(dead.begin(slot, content)).state == "new"
    assert asyncio.run(living.begin(slot, content)).state == "working"
    assert asyncio.run(new_process().begin(slot, content)).state == "working"
    time.sleep(0.7)
    assert asyncio.run(living.begin(slot, hashlib.sha256(b"y").digest())).state == "other"
    assert asyncio.run(living.begin(slot, content)).state == "new"
    assert asyncio.run(living.begin(slot, content)).state == "working", "it is claimed anew"
    # The one that was thought dead comes back: it frees nothing that is not its own any more.
    asyncio.run(dead.release(slot))
    assert asyncio.run(living.begin(slot, content)).state == "working"
    asyncio.run(living.finish(slot, DONE))
    asyncio.run(dead.finish(slot, Answer(500, (), b"")))
    assert asyncio.run(dead.begin(slot, content)).answer == DONE, "the first answer stays"


@pytest.mark.parametrize("failure", [Unavailable("later"), ConnectionError("gone")])
def test_what_was_not_decided_frees_the_key(new_process: Any, failure: BaseException) -> None:
    keys, work = new_process(), Work(failure)
    call(keys, work)
    work.answer = DONE
    assert call(new_process(), work) == DONE
    assert work.done == 2


@pytest.mark.parametrize("failure", [InvalidMessage("no"), Conflict("no")])
def test_a_final_no_is_an_answer_too(new_process: Any, failure: BaseException) -> None:
    work = Work(failure)
    first = call(new_process(), work)
    second = call(new_process(), work)
    assert first.status in (400, 409)
    assert (second.status, second.body) == (first.status, first.body)
    assert work.done == 1


def test_answers_are_sealed_and_keys_are_not_written_down(new_process: Any, database: str) -> None:
    call(new_process(), Work(), key="visit-of-ana", caller="idp|ana")
    with psycopg.connect(database) as conn:
        (text,) = conn.execute("SELECT o::text FROM operation AS o").fetchone()  # type: ignore[misc]
        (answer,) = conn.execute("SELECT answer FROM operation").fetchone()  # type: ignore[misc]
    for word in ("hypertension", "visit-of-ana", "idp|ana"):
        assert word not in text
        assert word.encode().hex() not in text
        assert word.encode() not in answer


def test_answers_are_kept_for_ninety_days_and_no_longer(new_process: Any, database: str) -> None:
    keys, work = new_process(), Work()
    for key in ("young", "old"):
        call(keys, work, key=key)
    age = "UPDATE operation SET done_at = done_at - make_interval(days => %s) "
    with psycopg.connect(database) as conn:
        conn.execute(age + "WHERE name = %s", [KEEP_DAYS - 1, name_of("me", "young")])
        conn.execute(age + "WHERE name = %s", [KEEP_DAYS + 1, name_of("me", "old")])
    call(keys, work, key="new")
    assert work.done == 3
    assert call(keys, work, key="young").headers[-1] == REPLAYED
    assert call(keys, work, key="old") == DONE
    assert work.done == 4


# What became of a call


def begin(town: Any, caller: Any, key: str, content: bytes = b"x", route: str = "top_up") -> tuple[Any, bytes]:
    keys = KeptKeys(lambda: town.market.operations)
    slot = slot_of(caller.subject, route, key)
    asyncio.run(keys.begin(slot, hashlib.sha256(content).digest()))
    return keys, slot


def test_a_lost_answer_is_read_by_its_key(town: Any, ask: Any) -> None:
    caller = town.finance()
    assert ask("get_operation_by_key", caller, {"key": "k1"}).status == 404
    keys, slot = begin(town, caller, "k1")
    working = ask("get_operation_by_key", caller, {"key": "k1"})
    assert (working.status, working.body["state"], working.body["status"]) == (200, "in_progress", None)
    asyncio.run(keys.finish(slot, DONE))
    done = ask("get_operation_by_key", caller, {"key": "k1"}).body
    assert (done["state"], done["status"], done["body"]) == ("done", 201, {"finding": "hypertension"})
    assert done["done_at"] >= done["begun_at"]
    keys, slot = begin(town, caller, "k1", route="pay")
    asyncio.run(keys.finish(slot, Answer(204, (), b"")))
    newest = ask("get_operation_by_key", caller, {"key": "k1"}).body
    assert (newest["state"], newest["status"], newest["body"]) == ("done", 204, None)


def test_nobody_reads_the_answers_of_somebody_else(town: Any, other_town: Any, ask: Any) -> None:
    caller = town.finance()
    keys, slot = begin(town, caller, "k1")
    asyncio.run(keys.finish(slot, DONE))
    for other in (town.operator(), town.clerk(), town.patient(), other_town.finance(), town.finance("hospital")):
        assert ask("get_operation_by_key", other, {"key": "k1"}).status == 404
    assert ask("get_operation_by_key", town.nobody(), {"key": "k1"}).status == 401
    assert ask("get_operation_by_key", town.auditor(), {"key": "k1"}).status == 403


@pytest.mark.parametrize("key", ["é", "a b", "x" * 256, '"', "\0"])
def test_what_is_no_key_is_not_found(town: Any, ask: Any, key: str) -> None:
    assert ask("get_operation_by_key", town.finance(), {"key": key}).status == 404
