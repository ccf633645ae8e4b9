"""The objects that are asked for (RFC 3418 SNMPv2-MIB, RFC 2863 IF-MIB), and the metrics that they become."""

from __future__ import annotations

from dataclasses import dataclass

from server.core.model import Metric, MetricKind
from server.sources.snmp.wire import Oid, Tag, encode_oid

_SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
_IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
_IF_X_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)

SYS_UP_TIME = encode_oid((*_SYSTEM, 3, 0))
SYSTEM_FACTS: tuple[tuple[str, bytes], ...] = (
    ("sysName", encode_oid((*_SYSTEM, 5, 0))),
    ("sysDescr", encode_oid((*_SYSTEM, 1, 0))),
    ("sysLocation", encode_oid((*_SYSTEM, 6, 0))),
)
IF_TABLE_LAST_CHANGE = encode_oid((1, 3, 6, 1, 2, 1, 31, 1, 5, 0))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ifTable or ifXTable: its encoded OID without the index, and the type that its values must have."""

    oid: bytes
    tag: Tag

    def at(self, index: bytes) -> bytes:
        """The encoded OID of this column's object in the row with this encoded ifIndex."""
        return self.oid + index

    @property
    def counter_bits(self) -> int:
        return {Tag.COUNTER64: 64, Tag.COUNTER32: 32}.get(self.tag, 0)


def _if(number: int, tag: Tag) -> Column:
    return Column(encode_oid((*_IF_ENTRY, number)), tag)


def _if_x(number: int, tag: Tag) -> Column:
    return Column(encode_oid((*_IF_X_ENTRY, number)), tag)


IF_DESCR = _if(2, Tag.OCTET_STRING)
IF_TYPE = _if(3, Tag.INTEGER)
IF_SPEED = _if(5, Tag.GAUGE32)
IF_ADMIN_STATUS = _if(7, Tag.INTEGER)
IF_OPER_STATUS = _if(8, Tag.INTEGER)
IF_NAME = _if_x(1, Tag.OCTET_STRING)
IF_HIGH_SPEED = _if_x(15, Tag.GAUGE32)
IF_ALIAS = _if_x(18, Tag.OCTET_STRING)
IF_COUNTER_DISCONTINUITY_TIME = _if_x(19, Tag.TIME_TICKS)
IF_SPEED_UNKNOWN = 2**32 - 1  # ifSpeed of a line faster than it can state


@dataclass(frozen=True, slots=True)
class Source:
    """A metric and the columns that give it: 64 bits where the row has it, else 32. A state has only `narrow`."""

    metric: Metric
    wide: Column | None
    narrow: Column

    def column(self, counter_bits: int) -> Column | None:
        """The column to ask in a row whose counter has this many bits; 0 is none, or a state."""
        if self.metric.kind is MetricKind.STATE:
            return self.narrow
        return {64: self.wide, 32: self.narrow}.get(counter_bits)


def _octets(way: str, wide: int, narrow: int) -> Source:
    metric = Metric(f"{way}_octets", f"{way}_bps", MetricKind.COUNTER, scale=8.0, line_bits=8)
    return Source(metric, _if_x(wide, Tag.COUNTER64), _if(narrow, Tag.COUNTER32))


def _packets(name: str, wide: int, narrow: Column) -> Source:
    # 512 bits is the least Ethernet frame: a line cannot carry more packets than its speed divided by that.
    metric = Metric(f"{name}_packets", f"{name}_pps", MetricKind.COUNTER, line_bits=512)
    return Source(metric, _if_x(wide, Tag.COUNTER64), narrow)


def _faults(name: str, number: int) -> Source:
    metric = Metric(name, f"{name}_per_s", MetricKind.COUNTER, line_bits=512)
    return Source(metric, None, _if(number, Tag.COUNTER32))


_ADMIN = ((1, "up"), (2, "down"), (3, "testing"))
_OPER = (*_ADMIN, (4, "unknown"), (5, "dormant"), (6, "notPresent"), (7, "lowerLayerDown"))
UP = 1

FAST_SOURCES: tuple[Source, ...] = (_octets("in", 6, 10), _octets("out", 10, 16))
SLOW_SOURCES: tuple[Source, ...] = (
    Source(Metric("oper_status", "oper_status", MetricKind.STATE, states=_OPER), None, IF_OPER_STATUS),
    Source(Metric("admin_status", "admin_status", MetricKind.STATE, states=_ADMIN), None, IF_ADMIN_STATUS),
    _faults("in_errors", 14),
    _faults("out_errors", 20),
    _faults("in_discards", 13),
    _faults("out_discards", 19),
    _packets("in_unicast", 7, _if(11, Tag.COUNTER32)),
    _packets("out_unicast", 11, _if(17, Tag.COUNTER32)),
    _packets("in_multicast", 8, _if_x(2, Tag.COUNTER32)),
    _packets("out_multicast", 12, _if_x(4, Tag.COUNTER32)),
    _packets("in_broadcast", 9, _if_x(3, Tag.COUNTER32)),
    _packets("out_broadcast", 13, _if_x(5, Tag.COUNTER32)),
)
SOURCES = FAST_SOURCES + SLOW_SOURCES
METRICS: tuple[Metric, ...] = tuple(source.metric for source in SOURCES)
OPER_STATUS = METRICS.index(SLOW_SOURCES[0].metric)
