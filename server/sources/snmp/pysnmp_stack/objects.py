"""Our requests as pysnmp's objects, and its objects as our varbinds, so that all checks of cells stay in one place."""

from __future__ import annotations

from typing import Any

from pyasn1.codec.ber import encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.smi.rfc1902 import ObjectType

from server.sources.snmp.message import Request
from server.sources.snmp.wire import VarBind, decode_oid, encode_oid, parse_value, parse_varbind

_NULL = univ.Null("")


class _Asked(ObjectType):  # type: ignore[misc]  # pysnmp has no types
    """An object by its number alone.

    pysnmp resolves what is asked even with `lookupMib=False`; the first time that loads a compiler of MIBs (200 ms).
    """

    def __init__(self, oid: tuple[int, ...]) -> None:
        self._pair = (oid, _NULL)

    def __getitem__(self, position: int) -> Any:
        return self._pair[position]

    def resolve_with_mib(self, *_: object, **__: object) -> _Asked:
        return self


def asked(request: Request) -> list[_Asked]:
    """The objects of a request."""
    return [_Asked(decode_oid(parse_varbind(raw).oid)) for raw in request.varbinds]


def given(varbinds: Any) -> tuple[VarBind, ...]:
    """The varbinds of an answer, encoded again: pysnmp keeps no octets. Raises ValueError for what cannot be."""
    try:
        return tuple(VarBind(encode_oid(tuple(name)), *parse_value(encoder.encode(value))) for name, value in varbinds)
    except PyAsn1Error:
        raise ValueError("not a value") from None
