"""What changed most within a minute."""

from __future__ import annotations

import numpy as np

from server.sinks.live.board import Survey
from server.sinks.live.messages import Mover
from server.sinks.live.order import page
from server.sinks.live.roster import NOBODY
from server.sinks.live.sparks import Means

MOST_MOVERS = 7


def movers(found: Survey, was_bps: Means) -> list[Mover]:
    """The biggest changes of a row in one direction, biggest first. `was_bps` is (2, rows)."""
    owner, now_bps = found.rows.owner, np.stack([found.rows.in_bps, found.rows.out_bps])
    change_bps = np.abs(now_bps - was_bps)
    change_bps[:, owner == NOBODY] = np.nan
    flat = np.flatnonzero(change_bps > 0)
    biggest = flat[page([-change_bps.ravel()[flat], flat], 0, MOST_MOVERS)]
    by_number = {member.number: member for member in found.members}
    moved = []
    for direction, row in (divmod(place, len(owner)) for place in biggest.tolist()):
        member = by_number[int(owner[row])]
        if member.table is not None:
            name = member.table.rows[int(found.rows.place[row])].name
            values_bps = float(was_bps[direction, row]), float(now_bps[direction, row])
            moved.append(Mover(member.status.device, name, ("in", "out")[direction], *values_bps))
    return moved
