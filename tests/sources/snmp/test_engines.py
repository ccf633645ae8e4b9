"""What every engine keeps: our sockets with pysnmp's message models, and pysnmp's own polling."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.core.clock import boot_ns
from server.core.errors import AuthFailed, BadReply, NoAnswer, SourceError
from server.sources.snmp import mib
from server.sources.snmp.batch.engine import BatchEngine
from server.sources.snmp.engine import PollEngine, Session, Wait
from server.sources.snmp.message import ErrorStatus, Operation, Request
from server.sources.snmp.mib import SYS_UP_TIME
from server.sources.snmp.pysnmp_stack.polling import PysnmpEngine
from server.sources.snmp.pysnmp_stack.stack import Stack
from server.sources.snmp.settings import SnmpV1V2, SnmpV3
from server.sources.snmp.walk import Limits, Walker
from server.sources.snmp.wire import Tag, VarBind, encode_oid
from tests.sources.snmp.catalogue import RECORDINGS
from tests.sources.snmp.conftest import AUTH_KEY, PRIVACY_KEY, Agent, v3_users
from tests.sources.snmp.recorder import Recorder
from tests.sources.snmp.tables import IF_X, UP_TIME, table
from tests.support.hostile_agent import GET, Heard, HostileAgent, Mischief, Oid, Value, hostile_agent, number, text

ASK = Request.of(Operation.GET, (SYS_UP_TIME,))
NAMES: Oid = (*IF_X, 1)
FORGED = [(UP_TIME, number(0x43, 666))]
PUBLIC = SnmpV1V2.model_validate({"version": "2c", "community": "public"})


@pytest.fixture(params=["batch", "pysnmp"])
def engine(request: pytest.FixtureRequest) -> PollEngine:
    recorder = Recorder()
    made: PollEngine = BatchEngine(recorder, recorder) if request.param == "batch" else PysnmpEngine()
    return made


def v3(user: str, auth: str | None, privacy: str | None, **more: Any) -> SnmpV3:
    keys: dict[str, Any] = {"auth_key": AUTH_KEY, "privacy_key": PRIVACY_KEY, "context": "two", **more}
    return SnmpV3.model_validate(
        {
            "version": "3",
            "user": user,
            "context": keys["context"],
            "auth": {"protocol": auth, "key": keys["auth_key"]} if auth else None,
            "privacy": {"protocol": privacy, "key": keys["privacy_key"]} if privacy else None,
        }
    )


def v2c(community: str, version: str = "2c") -> SnmpV1V2:
    return SnmpV1V2.model_validate({"version": version, "community": community})


@asynccontextmanager
async def asking(
    engine: PollEngine, port: int, credentials: SnmpV1V2 | SnmpV3 = PUBLIC, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[Session, Counter[str]]]:
    """A session, and after it nothing that it left behind."""
    bad: Counter[str] = Counter()
    before = asyncio.all_tasks()
    session = await engine.open((host, port), credentials, lambda check: bad.update([check]))
    try:
        yield session, bad
    finally:
        await session.close()
        assert asyncio.all_tasks() <= before


@asynccontextmanager
async def hostile(
    engine: PollEngine, mischief: Mischief | None = None, things: dict[Oid, Value] | None = None, version: str = "2c"
) -> AsyncIterator[tuple[HostileAgent, Session, Counter[str]]]:
    async with (
        hostile_agent(table() if things is None else things) as agent,
        asking(engine, agent.port, v2c("public", version)) as (session, bad),
    ):
        agent.mischief = mischief
        yield agent, session, bad


def within(seconds: float, tries: int = 1) -> Wait:
    return Wait(tries, seconds / tries, asyncio.get_running_loop().time() + seconds)


async def ticks(session: Session, wait: Wait) -> int | None:
    return (await session.ask(ASK, wait)).varbinds[0].number(Tag.TIME_TICKS)


@pytest.mark.gen_test
async def test_an_honest_answer_is_taken_with_its_times(engine: PollEngine) -> None:
    async with hostile(engine) as (_, session, bad):
        before_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        answer = await session.ask(ASK, within(5))
        assert answer.varbinds == (VarBind(SYS_UP_TIME, Tag.TIME_TICKS, b"\x07\xa1\x20"),)
        assert before_ns <= answer.sent_ns < answer.received_ns <= time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        assert (answer.error_status, answer.error_index, bad) == (0, 0, {})


@pytest.mark.gen_test
async def test_a_port_where_nothing_listens_is_told_when_the_time_is_up(engine: PollEngine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    async with asking(engine, port) as (session, _):
        begin_s = time.monotonic()
        with pytest.raises(NoAnswer, match=f"no answer: nothing listens on UDP port {port} there"):
            await ticks(session, within(0.3, tries=2))
        assert time.monotonic() - begin_s >= 0.29, "an ICMP may be forged: it ends no wait"


@pytest.mark.gen_test
async def test_every_type_of_value_arrives_as_it_was_sent(engine: PollEngine) -> None:
    values: list[Value] = [
        number(0x02, -5),
        text("Zürich \x00 …"),
        (0x06, bytes.fromhex("2b06010401")),
        number(0x41, 2**32 - 1),
        number(0x42, 2**31),
        number(0x43, 0),
        number(0x46, 2**64 - 1),
        (0x40, b"\x7f\x00\x00\x01"),
        (0x80, b""),
        (0x81, b""),
        (0x82, b""),
        (0x05, b""),
    ]
    things = {(*NAMES, index): value for index, value in enumerate(values, 2**31)}
    request = Request.of(Operation.GET, tuple(encode_oid(oid) for oid in things))
    async with hostile(engine, things=things) as (agent, session, _):
        answer = await session.ask(request, within(5))
        assert [(varbind.oid, varbind.tag, varbind.content) for varbind in answer.varbinds] == [
            (encode_oid(oid), *value) for oid, value in things.items()
        ]
        assert agent.heard[0].oids == list(things)


@pytest.mark.parametrize("operation", [Operation.GET_BULK, Operation.GET_NEXT])
@pytest.mark.gen_test
async def test_a_column_is_walked_to_its_end_and_no_further(engine: PollEngine, operation: Operation) -> None:
    async with hostile(engine, things=table(60)) as (agent, session, bad):
        limits = Limits(operation, 100, asyncio.get_running_loop().time() + 5, 1, 1.0)
        walked = await Walker(session, limits, lambda check: bad.update([check])).column(mib.IF_NAME)
        assert [bytes(value.content) for value in walked.values.values()] == [b"eth%d" % n for n in range(1, 61)]
        assert (walked.cut, bad) == (None, {})
        assert len(agent.heard) == (3 if operation is Operation.GET_BULK else 61)


@pytest.mark.gen_test
async def test_version_1_reads_walks_and_tells_which_object_is_missing(engine: PollEngine) -> None:
    def version_1(heard: Heard) -> list[bytes]:
        missing = [at for at, (_, value) in enumerate(heard.honest, 1) if value[0] in (0x80, 0x81, 0x82)]
        asked: list[tuple[Oid, Value]] = [(oid, (0x05, b"")) for oid in heard.oids]
        return [heard.reply(asked, error=2, index=missing[0]) if missing else heard.reply()]

    async with hostile(engine, version_1, {UP_TIME: number(0x43, 7), (*NAMES, 1): text("a")}, "1") as (agent, session, bad):
        assert await ticks(session, within(5)) == 7
        request = Request.of(Operation.GET, (SYS_UP_TIME, encode_oid((*NAMES, 1)), encode_oid((*NAMES, 2))))
        answer = await session.ask(request, within(5))
        assert (answer.error_status, answer.error_index) == (ErrorStatus.NO_SUCH_NAME, 3)
        limits = Limits(Operation.GET_NEXT, 100, asyncio.get_running_loop().time() + 5, 1, 1.0)
        walked = await Walker(session, limits, lambda check: bad.update([check])).column(mib.IF_NAME)
        assert list(walked.values) == [1]
        assert not bad
        assert {heard.version for heard in agent.heard} == {0}


@pytest.mark.gen_test
async def test_too_big_is_an_answer_with_its_status(engine: PollEngine) -> None:
    async with hostile(engine, lambda heard: [heard.reply([], error=1)]) as (_, session, _bad):
        assert (await session.ask(ASK, within(5))).error_status == ErrorStatus.TOO_BIG


@pytest.mark.parametrize("status", [6, 16])
@pytest.mark.gen_test
async def test_a_refused_access_is_a_matter_of_credentials(engine: PollEngine, status: int) -> None:
    async with hostile(engine, lambda heard: [heard.reply(error=status, index=1)]) as (_, session, _bad):
        with pytest.raises(AuthFailed, match="check there what they may read"):
            await session.ask(ASK, within(5))


@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.gen_test
async def test_an_error_index_out_of_range_does_not_hang(engine: PollEngine, operation: Operation) -> None:
    async with hostile(engine, lambda heard: [heard.reply(error=5, index=9999)]) as (_, session, _bad):
        answer = await session.ask(Request.of(operation, (SYS_UP_TIME,), 5), within(5))
        assert answer.error_status == 5


@pytest.mark.parametrize(
    "wrong",
    [
        lambda heard: [b"", b"\x30", b"\xff" * 1400],
        lambda heard: [heard.reply()[:-5]],
        lambda heard: [heard.reply()[:6] + b"\x07" + heard.reply()[7:]],
        lambda heard: [heard.reply(FORGED) + b"\x00\x00"],
        lambda heard: [b"\x30\x80" * 2000],
        lambda heard: [b"x" * 4097],
        lambda heard: [heard.reply(FORGED, version=0)],
        lambda heard: [heard.reply(FORGED, version=3)],
        lambda heard: [heard.reply(FORGED, community=b"hacker")],
        lambda heard: [heard.reply(FORGED, operation=GET)],
        lambda heard: [heard.reply(FORGED, operation=0xA7)],
        lambda heard: [heard.reply(FORGED, operation=0xA8)],
        lambda heard: [heard.reply(FORGED, request_id=(heard.request_id + 1) % 2**31)],
    ],
)
@pytest.mark.gen_test
async def test_a_wrong_answer_is_counted_and_the_right_one_still_taken(
    engine: PollEngine, wrong: Mischief, caplog: pytest.LogCaptureFixture
) -> None:
    async with hostile(engine, lambda heard: [*wrong(heard), heard.reply()]) as (_, session, bad):
        with caplog.at_level(logging.WARNING):
            assert await ticks(session, within(5)) == 500_000
        assert sum(bad.values()) >= 1
        assert not caplog.records, "a device must not fill the log"


@pytest.mark.gen_test
async def test_nothing_but_unreadable_answers_is_a_bad_reply_and_not_silence(engine: PollEngine) -> None:
    async with hostile(engine, lambda heard: [heard.reply()[:-5]]) as (_, session, _bad):
        with pytest.raises(BadReply, match="none of them can be read"):
            await session.ask(ASK, within(0.1))


@pytest.mark.gen_test
async def test_a_silent_device_is_asked_as_often_as_allowed_within_the_deadline(engine: PollEngine) -> None:
    async with hostile(engine, lambda heard: []) as (agent, session, _):
        begin = time.monotonic()
        with pytest.raises(NoAnswer, match="no answer"):
            await session.ask(ASK, within(0.6, tries=3))
        assert 0.59 < time.monotonic() - begin < 3
        assert len(agent.heard) == 3
        with pytest.raises(NoAnswer):
            await session.ask(ASK, within(-1))
        await asyncio.sleep(0.4)
        assert len(agent.heard) == 3, "nothing is sent after the deadline"


@pytest.mark.gen_test
async def test_an_answer_to_the_first_try_is_taken_during_the_second(engine: PollEngine) -> None:
    async with hostile(engine, lambda heard: []) as (agent, session, bad):
        heard_ns: list[int] = []

        def first_only(heard: Heard) -> list[bytes]:
            heard_ns.append(boot_ns())
            return [agent.heard[0].reply()] if len(agent.heard) == 2 else []

        agent.mischief = first_only
        answer = await session.ask(ASK, within(2, tries=2))
        assert answer.varbinds[0].number(Tag.TIME_TICKS) == 500_000
        first_ns, second_ns = heard_ns
        assert answer.sent_ns < first_ns < second_ns < answer.received_ns
        assert not bad


@pytest.mark.gen_test
async def test_a_second_try_repairs_a_lost_datagram(engine: PollEngine) -> None:
    async with hostile(engine) as (agent, session, _):
        agent.mischief = lambda heard: [] if len(agent.heard) == 1 else [heard.reply()]
        assert await ticks(session, within(2, tries=2)) == 500_000


@pytest.mark.gen_test
async def test_a_duplicate_answer_changes_nothing(engine: PollEngine) -> None:
    async with hostile(engine, lambda heard: [heard.reply(), heard.reply(FORGED)]) as (_, session, bad):
        assert [await ticks(session, within(5)) for _ in range(3)] == [500_000] * 3
        assert set(bad) <= {"unpaired"}


@pytest.mark.gen_test
async def test_a_late_answer_is_not_taken_for_another_but_its_age_is_known(engine: PollEngine) -> None:
    heard_ns: list[int] = []

    def silence(_heard: Heard) -> list[bytes]:
        heard_ns.append(boot_ns())
        return []

    async with hostile(engine, silence) as (agent, session, bad):
        begin_ns = boot_ns()
        with pytest.raises(NoAnswer):
            await session.ask(ASK, within(0.1))
        late, ended_ns = agent.heard[0].reply(FORGED), boot_ns()
        agent.mischief = lambda heard: [late, heard.reply()]
        assert await ticks(session, within(5)) == 500_000
        assert session.late_reply_s is not None
        assert (ended_ns - heard_ns[0]) / 1e9 < session.late_reply_s < (boot_ns() - begin_ns) / 1e9
        assert not bad


@pytest.mark.gen_test
async def test_an_answer_from_another_port_is_not_seen(engine: PollEngine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as spoofer:
        async with hostile(engine) as (agent, session, bad):

            def spoof(heard: Heard) -> list[bytes]:
                assert agent._asker is not None
                spoofer.sendto(heard.reply(FORGED), agent._asker)
                return [heard.reply()]

            agent.mischief = spoof
            for _ in range(20):
                assert await ticks(session, within(5)) == 500_000
            assert not bad


@pytest.mark.gen_test
async def test_a_port_where_nothing_listens_is_silence(engine: PollEngine) -> None:
    async with hostile_agent({}) as agent:
        port = agent.port
    async with asking(engine, port) as (session, _):
        with pytest.raises(NoAnswer, match="no answer"):
            await session.ask(ASK, within(0.2, tries=2))


@pytest.mark.gen_test
async def test_an_address_without_a_way_is_told(engine: PollEngine) -> None:
    with pytest.raises(NoAnswer, match=r"cannot send to 255.255.255.255: Permission denied"):
        await engine.open(("255.255.255.255", 161), PUBLIC, lambda check: None)


@pytest.mark.gen_test
async def test_a_device_is_reached_by_ipv6(engine: PollEngine) -> None:
    loop = asyncio.get_running_loop()
    transport, agent = await loop.create_datagram_endpoint(lambda: HostileAgent(table()), local_addr=("::1", 0))
    async with asking(engine, agent.port, host="::1") as (session, bad):
        assert await ticks(session, within(5)) == 500_000
        assert not bad
    transport.close()


@pytest.mark.gen_test
async def test_a_closed_session_sends_nothing_and_ends_what_waits(engine: PollEngine) -> None:
    async with hostile(engine, lambda heard: []) as (agent, session, _):
        waiting = asyncio.ensure_future(session.ask(ASK, within(0.5)))
        while not (agent.heard or waiting.done()):
            await asyncio.sleep(0.01)
        await session.close()
        with pytest.raises(NoAnswer):
            await waiting
        with pytest.raises(NoAnswer):
            await session.ask(ASK, within(0.1))
        assert len(agent.heard) == 1


@pytest.mark.gen_test
async def test_a_flood_is_dropped(engine: PollEngine) -> None:
    async with hostile(engine, lambda heard: [heard.reply(), *[b"\x30\x00"] * 200]) as (agent, session, bad):
        await ticks(session, within(5))
        failures: list[type[SourceError]] = []
        while bad["flood"] <= 50:
            try:
                await session.ask(ASK, within(0.2))
            except SourceError as error:
                failures.append(type(error))
        assert BadReply in failures
        assert sum(bad.values()) - bad["flood"] <= 16 + 2 * len(agent.heard)


# Against a real agent


@pytest.mark.parametrize("credentials", [v2c("two"), v2c("narrow", "1"), v3("priv-AES", "SHA256", "AES")])
@pytest.mark.gen_test(timeout=90)
async def test_a_real_agent_is_read_by_several_requests_at_once(
    engine: PollEngine, agent: Agent, credentials: SnmpV1V2 | SnmpV3
) -> None:
    async with asking(engine, agent.port, credentials) as (session, bad):
        answers = await asyncio.gather(*(ticks(session, within(3)) for _ in range(8)))
        assert all(answer is not None and answer >= 100_000 for answer in answers)
        assert not bad


@pytest.mark.parametrize(("user", "auth", "privacy"), v3_users())
@pytest.mark.gen_test(timeout=90)
async def test_version_3_speaks_each_protocol(
    engine: PollEngine, agent: Agent, user: str, auth: str | None, privacy: str | None
) -> None:
    async with asking(engine, agent.port, v3(user, auth, privacy)) as (session, bad):
        first = await ticks(session, within(5))
        assert first is not None
        both = await asyncio.gather(ticks(session, within(5)), ticks(session, within(5)))
        assert all(later is not None and later >= first >= 100_000 for later in both)
        assert not bad


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (v3("nobody", "SHA256", "AES"), "does not know the user: check snmp.user"),
        (v3("auth-SHA", "SHA", None, auth_key="a wrong key"), "refuses the signature: check snmp.auth"),
        (v3("auth-SHA", "SHA512", None), "refuses the signature: check snmp.auth"),
        (v3("priv-AES", "SHA256", "AES", privacy_key="a wrong key"), "snmp.privacy"),
        (v3("priv-AES", "SHA256", None), "security level: check whether snmp.auth and snmp.privacy"),
        (v3("auth-SHA", "SHA", "AES"), "snmp.privacy (protocol, key, and whether the device wants it)"),
        (v3("plain", None, None, context="unknown"), "answers engine ID discovery but not requests: "),
    ],
)
@pytest.mark.gen_test(timeout=90)
async def test_wrong_credentials_say_what_to_check(
    engine: PollEngine, agent: Agent, credentials: SnmpV3, words: str
) -> None:
    async with asking(engine, agent.port, credentials) as (session, _):
        with pytest.raises(AuthFailed) as caught:
            await ticks(session, within(1.5))
    assert words in str(caught.value)
    assert "wrong key" not in str(caught.value)


@pytest.mark.gen_test(timeout=90)
async def test_an_unknown_community_is_met_with_silence(engine: PollEngine, agent: Agent) -> None:
    async with asking(engine, agent.port, v2c("unknown")) as (session, _):
        with pytest.raises(NoAnswer):
            await ticks(session, within(0.3))


@pytest.mark.gen_test(timeout=90)
async def test_two_devices_with_one_user_name_and_different_keys_do_not_mix(engine: PollEngine, agent: Agent) -> None:
    right, wrong = v3("auth-MD5", "MD5", None), v3("auth-MD5", "MD5", None, auth_key="another-key")
    async with asking(engine, agent.port, right) as (first, _), asking(engine, agent.port, wrong) as (second, _):
        for _ in range(2):
            assert await ticks(first, within(2)) is not None
            with pytest.raises(AuthFailed):
                await ticks(second, within(2))


@pytest.mark.gen_test(timeout=90)
async def test_a_device_that_was_replaced_by_another_snmp_engine_is_learnt_anew(
    engine: PollEngine, own_agent: Agent
) -> None:
    async with asking(engine, own_agent.port, v3("priv-AES", "SHA256", "AES")) as (session, _):
        assert await ticks(session, within(2)) is not None
        own_agent.serve({"two": RECORDINGS["two"]})
        for _ in range(5):
            with contextlib.suppress(NoAnswer, BadReply):
                assert await ticks(session, within(0.5)) is not None
                break
        else:
            pytest.fail("the new SNMP engine was not learnt")


@pytest.mark.gen_test(timeout=90)
async def test_a_stack_that_takes_longer_to_make_than_a_tick_is_made_all_the_same(
    own_agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Stack.open
    calls = []

    async def slowly(*what: Any) -> Stack:
        calls.append(what)
        await asyncio.sleep(0.4)  # a fault: a machine whose threads wait
        return await made(*what)

    async with asking(PysnmpEngine(), own_agent.port, v3("priv-AES", "SHA256", "AES")) as (session, _):
        assert await ticks(session, within(2)) is not None
        monkeypatch.setattr(Stack, "open", slowly)
        own_agent.serve({"two": RECORDINGS["two"]})
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(NoAnswer, BadReply):
                    assert await ticks(session, within(0.2)) is not None
                    break
    assert len(calls) == 1
