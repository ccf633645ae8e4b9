"""Blocks that are checked, and parts of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from server.core.blocks import NOT_CARRIED, Chunks, Readings


class Unfit(ValueError):
    """The arrays of a block do not fit each other: no value can be told whose it is."""


def check(readings: Readings) -> None:
    """Raises Unfit where the arrays do not fit the tables, or each other."""
    chunks, devices = readings.chunks, (len(readings.tables),)
    rows = sum([len(table.rows) for table in readings.tables])
    shape = (len(readings.columns), rows)
    if not readings.values.shape == readings.valid.shape == chunks.carried.shape == shape:
        raise Unfit("values, valid and carried are (columns, rows of the tables)")
    if readings.discontinuity.shape != (rows,):
        raise Unfit("discontinuity is (rows,)")
    if not readings.wall_s.shape == readings.interval_s.shape == readings.stamped.shape == devices:
        raise Unfit("wall_s, interval_s and stamped are (devices,)")
    if not chunks.device.shape == chunks.sent_ns.shape == chunks.received_ns.shape == chunks.device_ticks.shape:
        raise Unfit("the arrays of chunks are (chunks,)")


def part(readings: Readings, devices: Sequence[int]) -> Readings:
    """The block of some of its devices, which are given by their positions."""
    own, chunks = np.array(devices, dtype=np.intp), readings.chunks
    widths = np.diff(readings.starts)[own]
    starts = np.cumsum([0, *widths], dtype=np.intp)
    rows = np.repeat(readings.starts[own] - starts[:-1], widths) + np.arange(starts[-1])
    place = np.full(len(readings), len(own))
    place[own] = np.arange(len(own))
    owner = place[chunks.device]
    answers = np.argsort(owner, kind="stable")[: np.count_nonzero(owner < len(own))]
    numbers = np.full(len(owner) + 1, NOT_CARRIED, dtype=np.int32)  # the last for what was not carried
    numbers[answers] = np.arange(len(answers))
    return Readings(
        tables=tuple(readings.tables[device] for device in devices),
        starts=starts,
        columns=readings.columns,
        wall_s=readings.wall_s[own],
        interval_s=readings.interval_s[own],
        values=readings.values[:, rows],
        valid=readings.valid[:, rows],
        chunks=Chunks(
            device=owner[answers],
            sent_ns=chunks.sent_ns[answers],
            received_ns=chunks.received_ns[answers],
            device_ticks=chunks.device_ticks[answers],
            carried=numbers[chunks.carried[:, rows]],
        ),
        discontinuity=readings.discontinuity[rows],
        stamped=readings.stamped[own],
        burst=readings.burst,
    )
