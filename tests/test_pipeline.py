"""What a source emits becomes what the hub publishes."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from server.core.blocks import Frames, Readings
from server.core.model import Event, Frame, Reading
from server.hub import Hub, Item, Removed
from server.pipeline import Pipeline
from tests.rates.build import G, reading, table
from tests.support.frames import event, status

OF = table(1)


class Taken:
    """All that was published, in order."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def offer(self, item: Item) -> None:
        self.items.append(item)

    def frames(self) -> list[Frame]:
        return [frame for item in self.items if isinstance(item, Frames) for frame in item]


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def pipeline(taken: Taken) -> Pipeline:
    hub = Hub()
    hub.subscribe(taken)
    return Pipeline(hub)


def tick(number: int, ticks: int | None = None) -> Reading:
    """1 Gb/s in and out; `ticks` is the device's own clock."""
    return reading(OF, float(number), [[number * G // 8], [number * G // 8]], ticks=ticks)


def block(number: int, ticks: int | None = None) -> Readings:
    return Readings.of([tick(number, ticks)])


def test_readings_become_frames_with_the_true_rate_and_rising_seqs(pipeline: Pipeline, taken: Taken) -> None:
    for number in range(8):
        pipeline.readings(block(number))
    frames = taken.frames()
    assert [frame.seq for frame in frames] == list(range(8))
    assert frames[-1].column("in_bps") == pytest.approx([G], rel=0.005)


def test_states_and_events_of_a_source_pass_as_they_are(pipeline: Pipeline, taken: Taken) -> None:
    up, happened = status(), event()
    pipeline.status(up)
    pipeline.event(happened)
    assert taken.items == [up, happened]


def test_a_restart_is_an_event_and_a_line_in_the_log(
    pipeline: Pipeline, taken: Taken, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(6):
        pipeline.readings(block(number, ticks=100_000 + 100 * number))
    with caplog.at_level(logging.WARNING, "linewatch.pipeline"):
        pipeline.readings(block(6, ticks=50))
    assert [item.kind for item in taken.items if isinstance(item, Event)] == ["restarted"]
    assert "restarted" in caplog.text


def test_a_device_that_is_removed_and_comes_back_begins_anew_but_never_uses_a_seq_twice(
    pipeline: Pipeline, taken: Taken
) -> None:
    for number in range(6):
        pipeline.readings(block(number))
    pipeline.removed("sw1")
    pipeline.readings(block(6))
    frames = taken.frames()
    assert taken.items[-2] == Removed("sw1")
    assert frames[-1].seq > frames[-2].seq
    assert np.isnan(frames[-1].values).all()


def test_a_reading_that_makes_no_sense_costs_that_tick_and_is_logged_once(
    pipeline: Pipeline, taken: Taken, caplog: pytest.LogCaptureFixture
) -> None:
    nonsense = replace(tick(0), columns=(7, 8))
    for _ in range(3):
        pipeline.readings(Readings.of([nonsense]))
    assert caplog.text.count("no rates from a reading of sw1") == 1
    pipeline.readings(block(1))
    assert len(taken.frames()) == 1
