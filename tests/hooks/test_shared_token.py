from __future__ import annotations

import asyncio
import itertools
import json
import os
import threading
from collections.abc import Callable

import pytest
from tests.support.airflow.memory_texts import MemoryTexts

from canvas_exports.core.canvas.auth.oauth import AccessToken, RefreshGrant
from canvas_exports.errors import CanvasUnavailableError, CredentialError
from canvas_exports.hooks.lease import LeaseTiming
from canvas_exports.hooks.shared_token import SharedToken, shared_token

GRANT = RefreshGrant("31", "hush", "7~refresh")
HOST = "https://canvas.example.edu"
QUICK = LeaseTiming(settle=0.0, duration=30.0, poll_interval=0.01)


class Canvas:
    """Issues tokens, of which only the last is good."""

    def __init__(self, *, lifetime: float | None = 3600.0) -> None:
        self.lifetime = lifetime
        self.issued: list[str] = []
        self.now = 1_000_000.0
        self.texts = MemoryTexts()
        self.error: Exception | None = None

    def refresh(self) -> AccessToken:
        if self.error is not None:
            raise self.error
        self.issued.append(f"7~token-{len(self.issued)}")
        return AccessToken(self.issued[-1], self.lifetime)

    def process(
        self,
        *,
        refresh: Callable[[], AccessToken] | None = None,
        ahead: float = 0.0,
        timing: LeaseTiming = QUICK,
    ) -> SharedToken:
        """What one process has."""
        return SharedToken(
            GRANT,
            HOST,
            texts=self.texts,
            refresh=refresh or self.refresh,
            timing=timing,
            clock=lambda: self.now + ahead,
        )


@pytest.fixture
def canvas() -> Canvas:
    return Canvas()


def fetch(process: SharedToken, rejected: str | None = None) -> str | None:
    process.renew(rejected)
    return process.current()


def test_before_anybody_asked_there_is_none(canvas: Canvas) -> None:
    assert canvas.process().current() is None


def test_one_process_refreshes_and_the_others_take_what_it_got(canvas: Canvas) -> None:
    assert [fetch(canvas.process()) for _ in range(4)] == ["7~token-0"] * 4
    assert canvas.issued == ["7~token-0"]


def test_a_token_that_was_rejected_is_replaced_once_for_all(canvas: Canvas) -> None:
    processes = [canvas.process() for _ in range(4)]
    for process in processes:
        fetch(process)
    assert [fetch(process, "7~token-0") for process in processes] == ["7~token-1"] * 4
    assert len(canvas.issued) == 2


def test_a_rejected_token_that_is_the_current_one_no_longer_changes_nothing(canvas: Canvas) -> None:
    process = canvas.process()
    fetch(process)
    fetch(process, "7~token-0")
    assert fetch(process, "7~token-0") == "7~token-1"
    assert len(canvas.issued) == 2


@pytest.mark.parametrize(("lifetime", "until"), [(3600.0, 3540.0), (60.0, 54.0), (2.0, 1.8)])
def test_it_is_renewed_a_minute_or_a_tenth_of_its_life_before_its_end(lifetime: float, until: float) -> None:
    canvas = Canvas(lifetime=lifetime)
    process = canvas.process()
    fetch(process)
    canvas.now += until - 0.1
    assert process.current() == "7~token-0"
    canvas.now += 0.2
    assert process.current() is None
    assert fetch(process) == "7~token-1"


def test_the_time_that_a_refresh_took_is_time_that_the_token_has_lived(canvas: Canvas) -> None:
    def slowly() -> AccessToken:
        canvas.now += 20
        return canvas.refresh()

    process = canvas.process(refresh=slowly)
    fetch(process)
    canvas.now += 3521
    assert process.current() is None


def test_a_token_without_an_end_is_kept_until_it_is_rejected() -> None:
    canvas = Canvas(lifetime=None)
    process = canvas.process()
    fetch(process)
    canvas.now += 1e9
    assert process.current() == "7~token-0"
    assert fetch(canvas.process()) == "7~token-0"


def test_a_clock_that_is_hours_ahead_causes_no_storm(canvas: Canvas) -> None:
    """Each process renews when its own clock says so, which the others take up when Canvas rejects theirs."""
    right, fast = canvas.process(), canvas.process(ahead=7_200)
    for _ in range(20):
        for process in (right, fast):
            if [token := process.current()] != canvas.issued[-1:]:
                fetch(process, token)
        canvas.now += 360
    assert len(canvas.issued) <= 6  # in two hours


def test_an_entry_that_nobody_wrote_is_written_over(canvas: Canvas) -> None:
    for text in (
        "",
        "no JSON",
        "[]",
        '{"access_token": 7, "renew_at": null}',
        '{"access_token": "a b", "renew_at": 1}',
    ):
        process = canvas.process()
        canvas.texts.texts = {name: text for name in canvas.texts.texts if not name.endswith("_lease")}
        assert fetch(process) == canvas.issued[-1]


def test_two_that_refresh_at_once_agree_after_one_more(canvas: Canvas) -> None:
    """The lease failed: the second to refresh is the first to write, so a dead token ends up on the shelf."""
    second = canvas.process()

    def overtaken() -> AccessToken:
        first = canvas.refresh()
        canvas.texts.texts.clear()  # the lease
        fetch(second)
        return first

    first = canvas.process(refresh=overtaken)
    assert (fetch(first), second.current()) == ("7~token-0", "7~token-1")
    good = canvas.process()
    assert fetch(good) == "7~token-0"
    assert fetch(good, "7~token-0") == fetch(second, "7~token-1") == "7~token-2"
    assert len(canvas.issued) == 3


def test_a_process_that_dies_between_refresh_and_shelf_costs_one_more_refresh(canvas: Canvas) -> None:
    fetch(canvas.process())
    canvas.refresh()  # and died
    other = canvas.process()
    assert fetch(other) == "7~token-0"
    assert fetch(other, "7~token-0") == "7~token-2"


@pytest.mark.parametrize("error", [CredentialError("dead"), CanvasUnavailableError("away")])
def test_what_goes_wrong_is_reported_and_the_lease_given_back(canvas: Canvas, error: Exception) -> None:
    process = canvas.process()
    canvas.error = error
    with pytest.raises(type(error)):
        process.renew(None)
    assert canvas.texts.texts == {}
    canvas.error = None
    assert fetch(process) == "7~token-0"


def test_who_waits_for_a_lease_takes_what_its_holder_puts_there(canvas: Canvas) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def held_up() -> AccessToken:
        begun.set()
        assert go_on.wait(20)
        return canvas.refresh()

    slow = threading.Thread(target=fetch, args=(canvas.process(refresh=held_up),))
    slow.start()
    assert begun.wait(20)
    waiting = canvas.process()
    thread = threading.Thread(target=fetch, args=(waiting,))
    thread.start()
    go_on.set()
    slow.join()
    thread.join()
    assert waiting.current() == "7~token-0"
    assert len(canvas.issued) == 1


def test_waiting_for_others_ends(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    others = (json.dumps({"holder": number, "until": canvas.now + 1}) for number in itertools.count())
    monkeypatch.setattr(canvas.texts, "read", lambda name: next(others) if name.endswith("_lease") else None)
    process = canvas.process(timing=LeaseTiming(settle=0.0, duration=0.05, poll_interval=0.01))
    with pytest.raises(CanvasUnavailableError, match="too long"):
        process.renew(None)
    assert canvas.issued == []


def test_threads_of_a_process_refresh_once_between_them(canvas: Canvas) -> None:
    process = canvas.process()
    threads = [threading.Thread(target=process.renew, args=(None,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert canvas.issued == ["7~token-0"]
    assert canvas.texts.written.count(process._name) == 1


async def test_a_loop_goes_on_while_a_thousand_of_its_tasks_wait_for_one_refresh(canvas: Canvas) -> None:
    gate = threading.Event()

    def held_up() -> AccessToken:
        assert gate.wait(20)
        return canvas.refresh()

    process = canvas.process(refresh=held_up)
    waiting = [asyncio.create_task(process.arenew(None)) for _ in range(1000)]
    before = threading.active_count()
    await asyncio.sleep(0)
    assert threading.active_count() <= before + 1
    gate.set()  # reached only because the loop is not held up
    await asyncio.gather(*waiting)
    assert canvas.issued == ["7~token-0"]


def test_nothing_that_is_shown_holds_a_secret(canvas: Canvas) -> None:
    process = canvas.process()
    token = fetch(process)
    assert token is not None
    shown = [repr(process), repr(process._token), *canvas.texts.texts, repr(GRANT)]
    assert not any(secret in text for text in shown for secret in (token, "7~refresh", "hush"))


def test_another_refresh_token_key_or_canvas_has_a_token_of_its_own(canvas: Canvas) -> None:
    others = [
        SharedToken(grant, host, texts=canvas.texts, refresh=canvas.refresh, timing=QUICK)
        for grant, host in (
            (GRANT, HOST),
            (RefreshGrant("32", "hush", "7~refresh"), HOST),
            (RefreshGrant("31", "hush", "7~another"), HOST),
            (GRANT, "https://other.example.edu"),
        )
    ]
    assert len({fetch(other) for other in others}) == 4
    rotated = SharedToken(
        RefreshGrant("31", "new secret", "7~refresh"), HOST, texts=canvas.texts, refresh=canvas.refresh
    )
    assert fetch(rotated) == fetch(others[0])


def test_a_process_has_one_for_each_key_and_a_forked_child_its_own(canvas: Canvas) -> None:
    one = shared_token("key", canvas.process)
    assert shared_token("key", canvas.process) is one
    assert shared_token("other", canvas.process) is not one
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover -- the child is not measured
        try:
            os.write(writer, str(shared_token("key", canvas.process) is one).encode())
        finally:
            os._exit(0)
    os.close(writer)
    assert os.read(reader, 100) == b"False"
    os.waitpid(child, 0)
    os.close(reader)
