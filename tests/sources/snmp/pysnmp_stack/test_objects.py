from __future__ import annotations

import pytest
from pysnmp.proto import rfc1902, rfc1905

from server.sources.snmp.message import Operation, Request
from server.sources.snmp.pysnmp_stack.objects import asked, given
from server.sources.snmp.wire import Tag, VarBind, encode_oid

OID = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 4294967295)


def test_what_is_asked_needs_no_look_up() -> None:
    one = asked(Request.of(Operation.GET, (encode_oid(OID),)))[0]
    assert one.resolve_with_mib(None, ignoreErrors=False) is one
    assert (one[0], one[1].tagSet) == (OID, rfc1902.Null("").tagSet)


def test_what_is_given_is_as_it_was_on_the_wire() -> None:
    name = rfc1902.ObjectName(OID)
    values = [(name, rfc1902.Counter64(2**64 - 1)), (name, rfc1905.noSuchInstance), (name, rfc1902.OctetString(b"\xff"))]
    assert given(values) == (
        VarBind(encode_oid(OID), Tag.COUNTER64, b"\x00" + b"\xff" * 8),
        VarBind(encode_oid(OID), Tag.NO_SUCH_INSTANCE, b""),
        VarBind(encode_oid(OID), Tag.OCTET_STRING, b"\xff"),
    )


def test_a_value_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not a value"):
        given([(rfc1902.ObjectName(OID), rfc1902.Counter64())])
