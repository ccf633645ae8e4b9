"""Rates: turns a device's raw Readings into Frames. Pure arithmetic: no I/O and no clock of its own."""

from __future__ import annotations

from server.rates.meter import RateMeter

__all__ = ["RateMeter"]
