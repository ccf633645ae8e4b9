"""What a browser may get wrong, and how much it may ask for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.sinks.live.session import MOST_BAD_MESSAGES, POLICY_VIOLATION
from tests.sinks.live.world import EPOCH, NewPage, seqs
from tests.support.frames import block, table

OF = table("a", "b")


BAD = [
    ("", None),
    ("not json", None),
    ("[]", None),
    ("null", None),
    ("{}", None),
    ('{"type": "subscribe"}', None),
    ('{"type": "subscribe", "id": "1"}', None),
    ('{"type": "subscribe", "id": 1.5}', None),
    ('{"type": "no such", "id": 4}', 4),
    ('{"type": 7, "id": 4}', 4),
    ('{"id": 4}', 4),
    ('{"type": "subscribe", "id": 4, "device": 7}', 4),
    ('{"type": "subscribe", "id": 4, "interfaces": "a"}', 4),
    ('{"type": "subscribe", "id": 4, "interfaces": [1]}', 4),
    ('{"type": "subscribe", "id": 4, "metrics": null}', 4),
    ('{"type": "subscribe", "id": 4, "history_s": NaN}', None),
    ('{"type": "subscribe", "id": 4, "history_s": 1e999}', 4),
    ('{"type": "subscribe", "id": 4, "no_such_field": 1}', 4),
    ('{"type": "subscribe", "id": 4, "device": "\\ud800"}', None),
    ('{"type": "unsubscribe", "id": 4, "device": "r1"}', 4),
    ('{"type": "subscribe", "id": ' + "9" * 5000 + "}", None),
    ('{"x": ' + "[" * 30_000 + "]" * 30_000 + ', "type": "subscribe", "id": 4}', None),
    ('{"type": "subscribe", "id": 4, "x": ' + "[" * 30_000 + "]" * 30_000 + "}", None),
    (b"\xff\xfe\x00", None),
    (b'{"type": "subscribe", "id": 4, "device": "\xff"}', 4),
]


@pytest.mark.gen_test
@pytest.mark.parametrize(("text", "identity"), BAD)
async def test_what_cannot_be_understood_is_answered_with_a_code_and_harms_nothing(
    page: NewPage, text: str | bytes, identity: int | None
) -> None:
    one = page()
    await one.ask(id=1, device="r1")
    one.session.receive(text)
    (error,) = await one.settle()
    assert (error["type"], error["id"], error["code"]) == ("error", identity, "malformed")
    assert error["message"]
    one.world.publish(block(OF, 1))
    assert seqs(await one.settle()) == [("samples", 1)]
    assert one.paper.closed is None


@pytest.mark.gen_test
@pytest.mark.parametrize("identity", [0, -1, 2**53, 2**63, 10**30])
async def test_any_whole_number_is_an_id(page: NewPage, identity: int) -> None:
    one = page()
    assert (await one.ask(id=identity, device="r1"))[0]["id"] == identity


@pytest.mark.gen_test
@pytest.mark.parametrize("number", [10**30, -(10**30)])
async def test_numbers_beyond_all_measure_do_no_harm(page: NewPage, number: int) -> None:
    one = page()
    assert seqs(await one.ask(id=1, device="r1", epoch=EPOCH, since_seq=number)) == [("snapshot", 0)]
    assert [each["type"] for each in await one.ask(id=2, summary=True, offset=number, limit=number)] == ["summary"]


@pytest.mark.gen_test
async def test_a_message_in_bytes_is_as_good_as_one_in_text(page: NewPage) -> None:
    one = page()
    one.session.receive(b'{"type": "subscribe", "id": 1, "device": "r1"}')
    assert seqs(await one.settle()) == [("snapshot", 0)]


@pytest.mark.gen_test
async def test_five_bad_messages_close_the_socket_and_four_do_not(page: NewPage) -> None:
    one = page()
    for _ in range(MOST_BAD_MESSAGES - 1):
        one.session.receive("{")
    assert one.paper.closed is None
    one.session.receive("{")
    assert one.paper.closed is not None
    assert one.paper.closed[0] == POLICY_VIOLATION
    assert MOST_BAD_MESSAGES == 5


@pytest.mark.gen_test
@pytest.mark.parametrize("letter", ["é", "😀", "\u202e"])
async def test_the_reason_of_a_close_fits_its_frame_whatever_the_browser_wrote(page: NewPage, letter: str) -> None:
    one = page()
    for _ in range(MOST_BAD_MESSAGES):
        one.say("subscribe", id=1, **{letter * 200: 1})
    assert one.paper.closed is not None
    assert 0 < len(one.paper.closed[1].encode()) <= 123


@pytest.mark.gen_test
async def test_a_page_may_hold_so_many_subscriptions_and_no_more(page: NewPage) -> None:
    one = page(messages_per_s=1000)
    for identity in range(501):
        one.say("subscribe", id=identity, device="r1", interfaces=["a"])
    messages = await one.settle()
    assert len([each for each in messages if each["type"] == "snapshot"]) == 500
    (error,) = [each for each in messages if each["type"] == "error"]
    assert (error["id"], error["code"]) == (500, "too_many_subscriptions")
    assert "500" in error["message"]


@pytest.mark.gen_test
async def test_a_page_that_comes_back_may_ask_for_all_it_had_at_once(page: NewPage) -> None:
    one = page()
    for identity in range(one.world.settings.max_subscriptions):
        one.say("subscribe", id=identity, device="r1", interfaces=["a"])
    kinds = [each["type"] for each in await one.settle()]
    assert (kinds.count("snapshot"), kinds.count("error")) == (500, 0)


@pytest.mark.gen_test
async def test_the_cap_counts_all_kinds_and_a_place_can_be_used_again(page: NewPage) -> None:
    one = page(max_subscriptions=3)
    every: list[dict[str, Any]] = [{"device": "r1"}, {"summary": True}, {"events": True}]
    for identity, words in enumerate(every):
        assert [each["type"] for each in await one.ask(id=identity, **words)] != ["error"]
    assert [each["code"] for each in await one.ask(id=9, device="r1")] == ["too_many_subscriptions"]
    assert seqs(await one.ask(id=1, device="r1")) == [("snapshot", 0)]
    one.say("unsubscribe", id=2)
    assert seqs(await one.ask(id=9, device="r1"), 9) == [("snapshot", 0)]
    assert one.paper.closed is None


@pytest.mark.gen_test
async def test_more_messages_than_a_page_needs_are_refused_until_time_has_passed(
    page: NewPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = page(max_subscriptions=1, messages_per_s=0.5)  # a burst of 20 s: ten messages
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    async def refused(count: int, after_s: float) -> list[str]:
        with monkeypatch.context() as patch:
            patch.setattr(loop, "time", lambda: began_s + after_s)
            for _ in range(count):
                one.say("unsubscribe", id=1)
        return [each["code"] for each in await one.settle()]

    assert await refused(12, after_s=0) == ["too_many_messages"] * 2
    assert await refused(3, after_s=4) == ["too_many_messages"]
    assert await refused(10, after_s=3600) == []
    assert await refused(1, after_s=3600) == ["too_many_messages"]
    assert one.paper.closed is None


@pytest.mark.gen_test
async def test_a_browser_that_goes_on_all_the_same_is_closed(page: NewPage) -> None:
    one = page(max_subscriptions=1, messages_per_s=0.05)
    for _ in range(1 + MOST_BAD_MESSAGES):
        one.say("unsubscribe", id=1)
    assert one.paper.closed == (POLICY_VIOLATION, "more than 0.05 messages a second")
