"""The recordings that the shared agent serves, by community."""

from __future__ import annotations

from tests.sources.snmp.recording import IF, IF_X, LAST_CHANGE, Interface, Recording

ALIAS = "Core: waw1-cr1 et-0/0/1 [100G] {C-1042}"

RECORDINGS: dict[str, Recording] = {
    "two": Recording([Interface(1, "eth0", rate=125_000), Interface(2, "eth1")]),
    "facts": Recording([Interface(517, "et-0/0/2", ALIAS, speed=100_000)], extra={LAST_CHANGE: "67|5"}),
    "mixed": Recording(
        [
            Interface(1, "a", columns={f"{IF_X}.6": 0, f"{IF_X}.10": 0}),
            Interface(2, "b", columns={f"{IF_X}.6": None, f"{IF_X}.8": None}),
            Interface(3, "c", columns={f"{IF_X}.6": None, f"{IF}.10": None, f"{IF_X}.19": None}),
        ]
    ),
    "narrow": Recording(
        [Interface(1, "ignored", speed=1000, rate=125_000), Interface(2, "x", speed=10_000)], with_if_x=False
    ),
    "names": Recording(
        [
            Interface(1, "", columns={f"{IF}.2": "Descr"}),
            Interface(2, "", columns={f"{IF}.2": None}),
            Interface(3, "twin"),
            Interface(4, "twin"),
            Interface(5, "twin#3"),
        ]
    ),
    "filter": Recording(
        [
            Interface(1, "et-0/0/1", "Core: x"),
            Interface(2, "lo0", if_type=24),
            Interface(3, "et-0/0/2", oper=2),
        ]
    ),
    "many": Recording([Interface(index, f"p{index}", rate=1000 * index) for index in range(1, 41)]),
    "none": Recording([]),
}
