"""The Protocols through which the parts meet. A part that needs another asks for one of these, never for its module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from server.core.blocks import Readings
from server.core.model import DeviceStatus, Event, Floats, Frame, Table


class Emit(Protocol):
    """What a source calls. None of these wait, and none of them raise."""

    def readings(self, readings: Readings) -> None: ...

    def status(self, status: DeviceStatus) -> None: ...

    def event(self, event: Event) -> None: ...

    def removed(self, device: str) -> None:
        """The device is configured no more: forget it."""
        ...


class SelfMetrics(Protocol):
    """The program's own health, counted where it happens. None of these wait or raise."""

    def polls_answered(self, devices: Sequence[str], reply_s: Floats, late_s: Floats) -> None:
        """Polls of these devices were answered, after `reply_s` (devices,), and were sent `late_s` (devices,) after they
        were due."""
        ...

    def poll_failed(self, device: str, why: str, count: int = 1) -> None:
        """So many polls gave nothing. `why`: `no_answer`, `auth_failed`, `bad_reply`, `unknown_host`, `skipped`."""
        ...

    def bad_reply(self, device: str, check: str, count: int = 1) -> None:
        """So many answers, or cells of one, failed a check; `check` is a word: `oid`, `type`, `truncated`, ..."""
        ...

    def checks(self, words: Sequence[str]) -> None:
        """The checks that there are: each has a counter, from zero on."""
        ...

    def browsers(self, change: int) -> None:
        """A live session began (+1) or ended (-1)."""
        ...

    def frames_dropped(self, count: int) -> None:
        """Frames that a slow browser lost."""
        ...


class PollControl(Protocol):
    """How others ask a source for more than its ordinary ticks."""

    def burst(self, device: str, rows: frozenset[str], interval_s: float) -> Callable[[], None]:
        """Poll these rows every `interval_s` besides the ordinary ticks, in a stream of blocks with `burst` set, until the
        returned function is called. Several of one device share one stream: all their rows, at the shortest interval.

        Raises ValueError, with words for the operator, when that cannot or may not be.
        """
        ...


class Source(Protocol):
    """Where data comes from. `run` ends only by cancellation."""

    async def run(self) -> None: ...


class Sink(Protocol):
    """Where data goes. `run` ends only by cancellation, and flushes then."""

    async def run(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DeviceView:
    """The newest of everything about one device; `frame` and `table` are None until the first answer."""

    status: DeviceStatus
    table: Table | None
    frame: Frame | None
    newest: dict[str, Floats]  # (rows,) of each shown metric: its newest samples, NaN where the newest was missed
    quality: NDArray[np.uint8] | None
    last_sample_s: float | None  # Unix time of the newest frame that held a sample


class InventoryReader(Protocol):
    """The newest table and health of each device."""

    def devices(self) -> Sequence[DeviceView]:
        """All devices in the order of the config."""
        ...

    def device(self, name: str) -> DeviceView | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of one device's past. `times_s` (n,) ascending, `seqs` (n,), `values` (metrics, rows, n) float32.

    A NaN was a missed sample where `due` (metrics, n) says that the metric was asked for at that time, else nothing at all.
    """

    seqs: NDArray[np.int64]
    times_s: Floats
    values: NDArray[np.float32]
    due: NDArray[np.bool_]


class EventReader(Protocol):
    """The newest events."""

    def recent(self, most: int) -> Sequence[Event]:
        """Up to `most` events, oldest first."""
        ...


class HistoryReader(Protocol):
    """The recent past, for those who show it."""

    def window(self, table: Table, shown: Sequence[str], rows: NDArray[np.intp], since_s: float) -> Window:
        """Samples newer than `since_s` (Unix time) of these rows of `table` and these shown metrics."""
        ...
