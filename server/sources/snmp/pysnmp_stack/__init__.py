"""The one door to pysnmp and pyasn1: its message models for our own sockets (`codec.py`), its own polling (`polling.py`)."""
