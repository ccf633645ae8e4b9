"""Polls many devices in batches: many request slots, two sockets, answers decoded together."""
