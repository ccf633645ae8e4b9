"""Recordings of simulated agents (snmpsim's .snmprec), built row by row."""

from __future__ import annotations

from dataclasses import dataclass, field

IF = "1.3.6.1.2.1.2.2.1"
IF_X = "1.3.6.1.2.1.31.1.1.1"
UP_TIME = "1.3.6.1.2.1.1.3.0"
LAST_CHANGE = "1.3.6.1.2.1.31.1.5.0"

Value = int | str
COUNTERS_32 = {f"{IF}.{n}" for n in (10, 11, 13, 14, 16, 17, 19, 20)} | {f"{IF_X}.{n}" for n in (2, 3, 4, 5)}
COUNTERS_64 = {f"{IF_X}.{n}" for n in range(6, 14)}


def _tag(column: str) -> str:
    if column in COUNTERS_64:
        return "70"
    if column in COUNTERS_32:
        return "65"
    if column in (f"{IF}.2", f"{IF_X}.1", f"{IF_X}.18"):
        return "4"
    if column in (f"{IF}.5", f"{IF_X}.15"):
        return "66"
    return "67" if column == f"{IF_X}.19" else "2"


@dataclass
class Interface:
    """One row. `rate` makes the octet counters grow by that many a second, exactly; `columns` overrides or adds objects
    (None removes one)."""

    index: int
    name: str
    alias: str = ""
    if_type: int = 6
    speed: int = 10_000
    admin: int = 1
    oper: int = 1
    rate: int | None = None
    columns: dict[str, Value | None] = field(default_factory=dict)

    def lines(self, with_if_x: bool = True) -> dict[str, str]:
        values: dict[str, Value | None] = {
            f"{IF}.1": self.index,
            f"{IF}.2": f"Port {self.name}",
            f"{IF}.3": self.if_type,
            f"{IF}.5": min(self.speed * 1_000_000, 2**32 - 1),
            f"{IF}.7": self.admin,
            f"{IF}.8": self.oper,
            **{column: 100 + self.index for column in sorted(COUNTERS_32) if column.startswith(IF + ".")},
        }
        if with_if_x:
            values |= {column: 1000 + self.index for column in sorted(COUNTERS_32) if column.startswith(IF_X)}
            values |= dict.fromkeys(sorted(COUNTERS_64), 10**12 + self.index)
            values |= {f"{IF_X}.1": self.name, f"{IF_X}.15": self.speed, f"{IF_X}.18": self.alias, f"{IF_X}.19": 0}
        values |= self.columns
        out: dict[str, str] = {}
        for column, value in values.items():
            if value is None:
                continue
            tag = _tag(column)
            growing = self.rate is not None and column in (f"{IF_X}.6", f"{IF_X}.10", f"{IF}.10", f"{IF}.16")
            text = f"{tag}:numeric|rate={self.rate},initial={value},wrap=1" if growing else f"{tag}|{value}"
            out[f"{column}.{self.index}"] = text
        return out


@dataclass
class Recording:
    """A whole agent. `up_time` None lets it run; `extra` are whole lines by OID."""

    interfaces: list[Interface]
    with_if_x: bool = True
    up_time: int | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        lines = {
            "1.3.6.1.2.1.1.1.0": "4|A simulated router",
            UP_TIME: "67:numeric|rate=100,initial=100000" if self.up_time is None else f"67|{self.up_time}",
            "1.3.6.1.2.1.1.5.0": "4|router.example",
            "1.3.6.1.2.1.1.6.0": "4|Rack 7",
        }
        for interface in self.interfaces:
            lines |= interface.lines(self.with_if_x)
        lines |= self.extra
        ordered = sorted(lines.items(), key=lambda line: [int(number) for number in line[0].split(".")])
        return "".join(f"{oid}|{value}\n" for oid, value in ordered)
