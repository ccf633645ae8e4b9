"""Sums over rows that neither dip when an answer is missed nor hold what is old.

A row counts with its newest sample while that is not late. Between late and "no data" nobody knows what it carries, so a sum
with it is a gap. After that the row is counted no more, and the number of counted rows says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from server.core.model import Floats, Mask
from server.sinks.live.columns import DeviceColumns, RowColumns

LATE_INTERVALS = 2.5
NO_DATA_INTERVALS = 10.0
SMOOTHING = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """`device_bps` is (2, numbers), in and out, NaN where unknown. `counted` rows are in them; `late`: a row is late, so the
    sum of all is a gap: `in_bps` and `out_bps`, None for unknown."""

    device_bps: Floats
    counted: int
    late: bool

    @property
    def in_bps(self) -> float | None:
        return self._total(0)

    @property
    def out_bps(self) -> float | None:
        return self._total(1)

    def _total(self, direction: int) -> float | None:
        known = self.device_bps[direction][~np.isnan(self.device_bps[direction])]
        return float(known.sum()) if len(known) and not self.late else None


def sums(rows: RowColumns, devices: DeviceColumns, used: int, now_s: float) -> Sums:
    """The sums of the first `used` rows at this moment. A sample that the wall clock puts into the future is not counted."""
    owner, count = rows.owner[:used], len(devices.rows)
    step_s = np.maximum(devices.interval_s, devices.pace_s)
    late_s = (LATE_INTERVALS * step_s)[owner]
    found = np.full((2, count), np.nan)
    counted, any_late = np.zeros(used, dtype=np.bool_), False
    for direction in range(2):
        age_s = now_s - rows.sample_s[direction, :used]
        known = np.abs(age_s) <= late_s
        counted |= known
        values_bps = rows.sample_bps[direction, :used]
        late: Mask = np.zeros(count, dtype=np.bool_)
        whose = owner
        if not known.all():
            others = np.flatnonzero(~known)
            held_back = (age_s[others] > 0) & (age_s[others] <= NO_DATA_INTERVALS * step_s[owner[others]])
            late[owner[others[held_back]]] = True
            whose, values_bps = owner[known], values_bps[known]
        total_bps = np.bincount(whose, weights=values_bps, minlength=count)
        some = np.bincount(whose, minlength=count) > 0
        found[direction] = np.where(some & ~late, total_bps, np.nan)
        any_late = any_late or bool(late.any())
    return Sums(found, int(np.count_nonzero(counted)), any_late)
