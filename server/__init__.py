"""Linewatch: what every line carries, this second."""

__version__ = "0.1.0"
