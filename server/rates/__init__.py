"""Rates: turns devices' raw Readings into Frames. Pure arithmetic: no I/O and no clock of its own."""

from __future__ import annotations

from server.rates.meters import Meters

__all__ = ["Meters"]
