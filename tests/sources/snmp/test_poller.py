from __future__ import annotations

import itertools

import numpy as np
import pytest

from server.core.model import DeviceState, Reading
from server.sources.snmp import mib
from server.sources.snmp.poller import Poller
from tests.sources.snmp.conftest import V3, Agent
from tests.sources.snmp.recorder import column, device, polling
from tests.sources.snmp.recording import IF_X, Interface, Recording

FAST = len(mib.FAST_SOURCES)
UP_TIME_TEXT = "1.3.6.1.2.1.1.3.0"
PUBLIC = {"version": "2c", "community": "public"}


def bounds(first: Reading, last: Reading, metric: str, row: int) -> tuple[float, float]:
    """Counts a second between two readings: the least and the most that fit between sending and receiving."""
    begin, end = column(first, metric)[row], column(last, metric)[row]
    assert begin is not None
    assert end is not None
    before, after = (next(chunk for chunk in reading.chunks if row in chunk.rows) for reading in (first, last))
    grown = (end - begin) * 1e9
    return grown / (after.received_ns - before.sent_ns), grown / (after.sent_ns - before.received_ns)


ENGINES = pytest.mark.parametrize("engine", ["auto", "pysnmp"])


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks begin at once. How devices are spread over the interval is `test_source.py`'s."""
    monkeypatch.setattr(Poller, "_until_tick_s", lambda _: 0.0)


@pytest.mark.parametrize(
    ("snmp", "engine"),
    [({"version": "2c", "community": "two"}, "auto"), ({"version": "2c", "community": "two"}, "pysnmp"), (V3, "pysnmp")],
)
@pytest.mark.gen_test(timeout=90)
async def test_counters_at_a_known_rate_read_at_that_rate(agent: Agent, snmp: dict[str, object], engine: str) -> None:
    async with polling(device(agent.port, snmp, engine=engine)) as (recorder, _):
        readings = await recorder.more_readings(7)
        least, most = bounds(readings[0], readings[-1], "in_octets", 0)
        while most - least > 0.01 * 125_000:  # answers are late on a busy machine: a longer time bounds the rate closer
            readings += await recorder.more_readings(4)
            least, most = bounds(readings[0], readings[-1], "in_octets", 0)
        assert least <= 125_000 <= most
        assert all(reading.valid.all() for reading in readings)
        status = await recorder.state(DeviceState.UP)
        assert (status.reason, status.engine) == ("", {"auto": "batch", "pysnmp": "pysnmp"}[engine])
    assert not recorder.bad


@pytest.mark.gen_test(timeout=90)
async def test_a_slow_tick_adds_all_columns_and_the_others_only_octets(agent: Agent) -> None:
    async with polling(device(agent.port, slow_interval_s=1.0)) as (recorder, _):
        readings = await recorder.more_readings(10)
        while max(np.diff([reading.wall_s for reading in readings[-9:]])) > 0.4:  # a tick was late, or left out
            readings += await recorder.more_readings(1)
    lengths = [len(reading.columns) for reading in readings]
    assert set(lengths) == {len(mib.METRICS), FAST}
    assert lengths[0] > FAST
    slow = [place for place, length in enumerate(lengths[-9:]) if length > FAST]
    assert {after - before for before, after in itertools.pairwise(slow)} == {4}, "a grid, begun at any point of it"
    first = readings[0]
    assert column(first, "oper_status") == [1, 1]
    assert column(first, "in_errors") == [101, 102]
    assert column(first, "in_unicast_packets") == [10**12 + 1, 10**12 + 2]
    assert first.discontinuity is not None
    covered = np.zeros(first.valid.shape, np.bool_)
    for chunk in first.chunks:
        covered[np.ix_(list(chunk.columns), chunk.rows)] = True
        assert chunk.device_ticks is not None
        assert chunk.device_ticks >= 100_000
        assert chunk.received_ns > chunk.sent_ns
    assert covered.all()


@pytest.mark.parametrize(
    ("snmp", "engine"),
    [
        ({"version": "1", "community": "narrow"}, "auto"),
        ({"version": "2c", "community": "narrow"}, "auto"),
        ({"version": "2c", "community": "mixed"}, "auto"),
        (V3 | {"context": "many"}, "auto"),
        ({"version": "1", "community": "narrow"}, "pysnmp"),
        ({"version": "2c", "community": "many"}, "pysnmp"),
        (V3 | {"context": "many"}, "pysnmp"),
    ],
)
@pytest.mark.gen_test(timeout=90)
async def test_every_cell_that_a_device_has_is_read(agent: Agent, snmp: dict[str, object], engine: str) -> None:
    def whole() -> bool:
        if not recorder.given:
            return False
        expected = recorder.given[-1].table.counter_bits > 0
        expected[2:4] = True
        return np.array_equal(recorder.given[-1].valid, expected)

    interval_s = 2.0 if "many" in snmp.values() else 0.5
    polled = device(agent.port, snmp, interval_s=interval_s, slow_interval_s=0.25, timeout_s=1.0, engine=engine)
    async with polling(polled) as (recorder, _):
        await recorder.until(whole)
    assert not recorder.bad


@ENGINES
@pytest.mark.usefixtures("soon_down")
@pytest.mark.gen_test(timeout=90)
async def test_a_silent_agent_gives_gaps_then_is_down_and_comes_back_by_itself(
    own_agent: Agent, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with polling(device(own_agent.port, engine=engine)) as (recorder, _):
        await recorder.more_readings(2)
        own_agent.pause()
        await recorder.more_readings(1)
        gaps = await recorder.more_readings(4)
        assert not any(reading.valid.any() or reading.chunks for reading in gaps)
        status = await recorder.state(DeviceState.DOWN)
        assert status.reason == "no answer for 1 s: the device is down, or a filter or a wrong community stops it"
        own_agent.resume()
        await recorder.state(DeviceState.UP)
        await recorder.until(recorder.given[-1].valid.all)
    kinds = [event.kind for event in recorder.events]
    assert kinds[0] == "device_late"
    assert "device_down" in kinds
    assert kinds[-1] == "device_up"
    texts = [event.text for event in recorder.events]
    assert texts[0].startswith("late: 2 of the last ")
    assert texts[-1] == "up"
    assert {f"r1: {text}" for text in texts} <= {record.getMessage() for record in caplog.records}
    assert len({id(reading.table) for reading in recorder.given}) == 1


@pytest.mark.parametrize(("snmp", "engine"), [({"version": "2c", "community": "two"}, "auto"), (V3, "pysnmp")])
@pytest.mark.gen_test(timeout=90)
async def test_a_reboot_that_renumbers_interfaces_never_shows_one_as_another(
    own_agent: Agent, snmp: dict[str, object], engine: str
) -> None:
    before = Recording([Interface(1, "a", columns={f"{IF_X}.6": 111}), Interface(2, "b", columns={f"{IF_X}.6": 222})])
    after = Recording(
        [Interface(1, "b", columns={f"{IF_X}.6": 222}), Interface(2, "a", columns={f"{IF_X}.6": 111})],
        extra={UP_TIME_TEXT: "67:numeric|rate=100,initial=500"},
    )
    own_agent.serve({"two": before})
    async with polling(device(own_agent.port, snmp, engine=engine)) as (recorder, _):
        await recorder.more_readings(2)
        own_agent.serve({"two": after})
        await recorder.until(lambda: recorder.given[-1].table.rows[0].index == 1 and recorder.given[-1].table.version == 2)
        await recorder.until(recorder.given[-1].valid.any)
    for reading in recorder.given:
        for row, value in zip(reading.table.rows, column(reading, "in_octets"), strict=True):
            assert value in (None, {"a": 111, "b": 222}[row.name])
    assert {row.name: row.index for row in recorder.given[-1].table.rows} == {"b": 1, "a": 2}
    assert any(reading.chunks and not reading.valid.any() for reading in recorder.given), "the reboot was seen"


@pytest.mark.gen_test(timeout=90)
async def test_wrong_credentials_are_a_state_with_words_and_no_readings(agent: Agent) -> None:
    snmp = {"version": "3", "user": "auth-SHA", "auth": {"protocol": "SHA", "key": "canary-wrong"}}
    async with polling(device(agent.port, snmp)) as (recorder, _):
        status = await recorder.state(DeviceState.AUTH_FAILED)
        assert "check snmp.auth" in status.reason
        assert recorder.failed["auth_failed"] >= 1
    assert [event.kind for event in recorder.events] == ["auth_failed"]
    assert recorder.events[0].text == f"refuses the credentials: {status.reason}"
    assert not recorder.given
    assert "canary" not in repr((recorder.statuses, recorder.events))


@pytest.mark.usefixtures("soon_down")
@pytest.mark.gen_test(timeout=90)
async def test_a_wrong_community_is_down_and_says_that_it_may_be_that(agent: Agent) -> None:
    async with polling(device(agent.port, {"version": "2c", "community": "canary"})) as (recorder, _):
        status = await recorder.state(DeviceState.DOWN)
    assert "a wrong community" in status.reason
    assert "canary" not in repr(recorder.statuses)


@ENGINES
@pytest.mark.gen_test(timeout=90)
async def test_an_unknown_host_is_down_and_named(io_loop: object, engine: str) -> None:
    async with polling(device(161, address="fra1-pe9.invalid", engine=engine)) as (recorder, _):
        status = await recorder.state(DeviceState.DOWN)
        assert status.reason == "host name fra1-pe9.invalid is not known to DNS"
        assert recorder.failed == {"unknown_host": 1}


@pytest.mark.gen_test(timeout=90)
async def test_a_device_without_interfaces_is_up_and_says_so(agent: Agent) -> None:
    async with polling(device(agent.port, {"version": "2c", "community": "none"})) as (recorder, _):
        await recorder.more_readings(2)
        assert (
            await recorder.state(DeviceState.UP)
        ).reason == "the device lists no interfaces, or does not let these credentials see them"
        assert recorder.given[-1].values.shape == (FAST, 0)


@pytest.mark.gen_test(timeout=90)
async def test_a_filter_that_passes_nothing_is_told(agent: Agent) -> None:
    async with polling(device(agent.port, interfaces={"include": [{"name": "xe-"}]})) as (recorder, _):
        await recorder.more_readings(1)
        assert (await recorder.state(DeviceState.UP)).reason == "none of its 2 interfaces passes the filter"
