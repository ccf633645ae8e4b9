"""Pollers that are compared: each a process of its own that polls, and writes one line of JSON."""
