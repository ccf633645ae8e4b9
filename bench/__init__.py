"""Measured claims, each one command: `./linewatch bench NAME`."""
