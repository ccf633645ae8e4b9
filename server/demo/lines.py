"""The lines of the simulated network: what is plugged in where, and how busy it is. Customers and circuits are made up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """A core link. `load` is the mean share of the line, from a to b and from b to a; `calm` traffic changes little."""

    a: str
    a_port: str
    b: str
    b_port: str
    speed_g: int
    circuit: str
    load: tuple[float, float]
    calm: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Any other port. `load` is the mean share of the line, in and out; `trait` is one of

    `off` (admin down), `down` (oper down), `empty` (nothing plugged in), `flaps` (down now and then), `errors`, `discards`,
    `bursts`, `calm`, `wraps` (its 64-bit counter passes 2⁶⁴ within a minute), `clears` (its counters are cleared every few
    minutes), `lag` (a bundle: type ieee8023adLag), `loopback`.
    """

    port: str
    speed_g: int
    load: tuple[float, float]
    alias: str = ""
    trait: str = ""


LINKS = (
    Link("fra1-pe1", "et-0/0/2", "waw1-cr1", "et-0/0/1", 100, "C-1042", (0.42, 0.31)),
    Link("fra1-pe1", "et-0/0/0", "zrh1-cr1", "et-0/0/0", 100, "C-1017", (0.23, 0.37)),
    Link("fra1-pe1", "et-0/0/1", "ams2-pe1", "et-0/0/1", 100, "C-1021", (0.38, 0.44)),
    Link("fra1-pe1", "et-0/0/3", "par2-pe1", "et-0/0/0", 100, "C-1024", (0.84, 0.29), calm=True),
    Link("ams2-pe1", "et-0/0/0", "waw1-cr1", "et-0/0/0", 100, "C-1033", (0.19, 0.27)),
    Link("zrh1-cr1", "et-0/0/1", "par2-pe1", "et-0/0/1", 100, "C-1039", (0.26, 0.33)),
    Link("zrh1-cr1", "et-0/0/2", "waw1-cr1", "et-0/0/2", 100, "C-1046", (0.12, 0.16)),
    Link("ams2-pe1", "ge-2/0/0", "lon1-sw1", "Ethernet1/1", 1, "C-1058", (0.34, 0.21)),
    Link("par2-pe1", "ge-2/0/0", "lon1-sw1", "Ethernet1/2", 1, "C-1061", (0.28, 0.17)),
)

LINES: dict[str, tuple[Line, ...]] = {
    "fra1-pe1": (
        Line("et-0/1/0", 40, (0.46, 0.21), "Peering: DE-CIX port A [40G] (LAN MTU 1500)", "wraps"),
        Line("et-0/1/1", 40, (0.39, 0.18), "Peering: DE-CIX port B [40G] (LAN MTU 1500)"),
        Line("et-0/1/2", 100, (0.34, 0.15), "Transit: Northwind Backbone [100G] (commit 40G) {NB-77120}"),
        Line("et-0/1/3", 100, (0.0, 0.0), "Core: reserved for waw1-cr1 [100G] {C-1043}", "off"),
        Line("xe-1/0/0", 10, (0.31, 0.12), "Cust: Harbour Freight [10G] {40017}"),
        Line("xe-1/0/1", 10, (0.22, 0.41), "Cust: Tessel Hosting [10G] (dual-homed ams2) {40018}", "bursts"),
        Line("xe-1/0/2", 10, (0.08, 0.05), "Cust: Municipal Net [10G] {40021}"),
        Line("xe-1/0/3", 10, (0.17, 0.52), "Cust: Kestrel Broadcast [10G] {40023}", "bursts"),
        Line("xe-1/0/4", 10, (0.06, 0.04), "Cust: Aldgate Legal [10G] {40026}", "flaps"),
        Line("xe-1/0/5", 10, (0.86, 0.32), "Cust: Sable Games [10G] {40030}", "calm"),
        Line("xe-1/0/6", 10, (0.0, 0.0), "Cust: Castell Press [10G] (ceased) {40031}", "off"),
        Line("xe-1/0/7", 10, (0.0, 0.0), "", "empty"),
        Line("ge-2/0/0", 1, (0.24, 0.35), "Cust: Polder Energy [1G] {40102}"),
        Line("ge-2/0/1", 1, (0.11, 0.07), "Cust: Union Library [1G] {40105}"),
        Line("ge-2/0/2", 1, (0.05, 0.02), "Cust: Delta Water [1G] {40108}", "errors"),
        Line("ge-2/0/7", 1, (0.37, 0.16), "Cust: Lumen Clinics [1G] {40113}"),
        Line("ge-2/0/8", 1, (0.0, 0.0), "", "empty"),
        Line("fxp0", 1, (0.0004, 0.0007), "Mgmt: out of band"),
        Line("lo0", 0, (0.0, 0.0), "", "loopback"),
    ),
    "waw1-cr1": (
        Line("et-0/1/0", 100, (0.29, 0.22), "Peering: PLIX port A [100G]"),
        Line("et-0/1/1", 100, (0.18, 0.31), "Transit: Amber Carrier [100G] {AC-2209}"),
        Line("ae0", 20, (0.33, 0.21), "Cust: Meridian Bank [20G] (2 x 10G LACP) {40204}", "lag"),
        Line("xe-1/0/0", 10, (0.33, 0.21), "Cust: Meridian Bank [10G] (ae0 member) {40204}"),
        Line("xe-1/0/1", 10, (0.33, 0.21), "Cust: Meridian Bank [10G] (ae0 member) {40204}"),
        Line("xe-1/0/2", 10, (0.14, 0.36), "Cust: Quay Studios [10G] {40207}", "bursts"),
        Line("xe-1/0/3", 10, (0.21, 0.09), "Cust: Fjord Seafood [10G] {40209}"),
        Line("xe-1/0/4", 10, (0.41, 0.58), "Cust: Brookfield Rail [10G] {40212}"),
        Line("xe-1/0/5", 10, (0.04, 0.02), "Cust: Orbit Cold Store [10G] {40216}"),
        Line("xe-1/0/6", 10, (0.12, 0.27), "Cust: Vistula Cloud [10G] {40219}", "bursts"),
        Line("xe-1/0/7", 10, (0.0, 0.0), "", "empty"),
        Line("ge-2/0/0", 1, (0.19, 0.28), "Cust: Praga Theatre [1G] {40231}"),
        Line("ge-2/0/1", 1, (0.42, 0.15), "Cust: Copernicus Lab [1G] {40233}", "discards"),
        Line("ge-2/0/2", 1, (0.0, 0.0), "Cust: Old Mill Paper [1G] (suspended) {40236}", "off"),
        Line("fxp0", 1, (0.0003, 0.0006), "Mgmt: out of band"),
        Line("lo0", 0, (0.0, 0.0), "", "loopback"),
    ),
    "ams2-pe1": (
        Line("et-0/1/0", 100, (0.36, 0.28), "Peering: AMS-IX port A [100G]"),
        Line("et-0/1/1", 100, (0.31, 0.24), "Peering: NL-ix port A [100G]"),
        Line("et-0/1/2", 100, (0.22, 0.12), "Transit: Great Circle IP [100G] (commit 20G) {GC-88031}"),
        Line("xe-1/0/0", 10, (0.44, 0.23), "Cust: Tessel Hosting [10G] (dual-homed fra1) {40301}", "bursts"),
        Line("xe-1/0/1", 10, (0.26, 0.33), "Cust: Tulip Exchange [10G] {40303}"),
        Line("xe-1/0/2", 10, (0.09, 0.12), "Cust: Polder Energy [10G] {40305}"),
        Line("xe-1/0/3", 10, (0.32, 0.48), "Cust: Canal Streaming [10G] {40306}", "bursts"),
        Line("xe-1/0/4", 10, (0.18, 0.07), "Cust: Delta Water [10G] {40309}"),
        Line("xe-1/0/5", 10, (0.05, 0.11), "Cust: Noord Robotics [10G] {40311}"),
        Line("xe-1/0/6", 10, (0.0, 0.0), "", "empty"),
        Line("xe-1/0/7", 10, (0.0, 0.0), "Cust: Windmill Press [10G] (not delivered) {40314}", "off"),
        Line("ge-2/0/1", 1, (0.31, 0.18), "Cust: Quay Studios [1G] {40320}"),
        Line("ge-2/0/2", 1, (0.12, 0.22), "Cust: Herring & Sons [1G] {40322}"),
        Line("ge-2/0/3", 1, (0.47, 0.39), "Cust: Bicycle Union [1G] {40325}"),
        Line("ge-2/0/4", 1, (0.03, 0.01), "Cust: Keizer Notaries [1G] {40327}"),
        Line("ge-2/0/5", 1, (0.0, 0.0), "", "empty"),
        Line("em0", 1, (0.0003, 0.0005), "Mgmt: out of band"),
        Line("lo0", 0, (0.0, 0.0), "", "loopback"),
    ),
    "lon1-sw1": (
        Line("Ethernet1/3", 1, (0.21, 0.34), "Cust: Aldgate Legal [1G] {40401}"),
        Line("Ethernet1/4", 1, (0.13, 0.09), "Cust: Castell Press [1G] {40402}"),
        Line("Ethernet1/5", 1, (0.28, 0.46), "Cust: Thames Dry Dock [1G] {40404}", "bursts"),
        Line("Ethernet1/6", 1, (0.06, 0.04), "Cust: Union Library [1G] {40405}"),
        Line("Ethernet1/7", 1, (0.35, 0.52), "Cust: Kestrel Broadcast [1G] {40407}"),
        Line("Ethernet1/8", 1, (0.17, 0.11), "Cust: Spitalfields Records [1G] {40408}"),
        Line("Ethernet1/9", 1, (0.0, 0.0), "", "empty"),
        Line("Ethernet1/10", 1, (0.24, 0.19), "Cust: Lumen Clinics [1G] {40411}"),
        Line("Ethernet1/11", 1, (0.09, 0.15), "Cust: Greenwich Time [1G] {40412}"),
        Line("Ethernet1/12", 1, (0.31, 0.27), "Cust: Brookfield Rail [1G] {40414}", "discards"),
        Line("Ethernet1/13", 1, (0.0, 0.0), "Cust: Fog Lane Cinema [1G] (ceased) {40415}", "off"),
        Line("Ethernet1/14", 1, (0.11, 0.38), "Cust: Orbit Cold Store [1G] {40417}"),
        Line("Ethernet1/15", 1, (0.02, 0.03), "Cust: Tailor & Daughters [1G] {40418}"),
        Line("Ethernet1/16", 1, (0.4, 0.22), "Cust: Sable Games [1G] {40420}"),
        Line("Ethernet1/17", 1, (0.15, 0.08), "Cust: Harbour Freight [1G] {40421}", "errors"),
        Line("Ethernet1/18", 1, (0.0, 0.0), "", "empty"),
        Line("Ethernet1/19", 1, (0.07, 0.29), "Cust: Municipal Net [1G] {40424}"),
        Line("Ethernet1/20", 1, (0.19, 0.13), "Cust: Crown Seeds [1G] {40426}"),
        Line("mgmt0", 1, (0.0005, 0.0004), "Mgmt: out of band"),
        Line("loopback0", 0, (0.0, 0.0), "", "loopback"),
    ),
    "par2-pe1": (
        Line("et-0/1/0", 100, (0.27, 0.19), "Peering: France-IX port A [100G]"),
        Line("et-0/1/1", 40, (0.33, 0.14), "Transit: Northwind Backbone [40G] {NB-77163}"),
        Line("xe-1/0/0", 10, (0.29, 0.43), "Cust: Lantern Films [10G] {40501}", "bursts"),
        Line("xe-1/0/1", 10, (0.16, 0.21), "Cust: Meridian Bank [10G] {40502}"),
        Line("xe-1/0/2", 10, (0.38, 0.11), "Cust: Seine Barges [10G] {40505}"),
        Line("xe-1/0/3", 10, (0.07, 0.18), "Cust: Atelier Nord [10G] {40507}"),
        Line("xe-1/0/4", 10, (0.0, 0.0), "", "empty"),
        Line("xe-1/0/5", 10, (0.25, 0.36), "Cust: Sable Games [10G] {40511}"),
        Line("ge-2/0/1", 1, (0.33, 0.27), "Cust: Union Library [1G] {40520}"),
        Line("ge-2/0/2", 1, (0.14, 0.06), "Cust: Café Réseau [1G] {40522}"),
        Line("ge-2/0/3", 1, (0.22, 0.31), "Cust: Montmartre Clinic [1G] {40523}", "clears"),
        Line("ge-2/0/4", 1, (0.0, 0.0), "Cust: Bouquiniste [1G] (suspended) {40526}", "off"),
        Line("ge-2/0/5", 1, (0.26, 0.12), "Cust: Lantern Films [1G] (studio 2) {40528}"),
        Line("fxp0", 1, (0.0004, 0.0006), "Mgmt: out of band"),
        Line("lo0", 0, (0.0, 0.0), "", "loopback"),
    ),
    "zrh1-cr1": (
        Line("et-0/1/0", 100, (0.21, 0.26), "Peering: SwissIX port A [100G]"),
        Line("et-0/1/1", 40, (0.3, 0.17), "Transit: Amber Carrier [40G] {AC-2231}"),
        Line("xe-1/0/0", 10, (0.23, 0.35), "Cust: Glacier Archive [10G] {40601}"),
        Line("xe-1/0/1", 10, (0.41, 0.2), "Cust: Meridian Bank [10G] {40603}"),
        Line("xe-1/0/2", 10, (0.12, 0.08), "Cust: Cog Railway [10G] {40604}", "bursts"),
        Line("xe-1/0/3", 10, (0.33, 0.24), "Cust: Rhine Biotech [10G] {40606}"),
        Line("xe-1/0/4", 10, (0.0, 0.0), "", "empty"),
        Line("ge-2/0/0", 1, (0.18, 0.26), "Cust: Lake Ferries [1G] {40611}"),
        Line("ge-2/0/1", 1, (0.36, 0.44), "Cust: Alpine Rescue [1G] {40613}"),
        Line("ge-2/0/2", 1, (0.08, 0.13), "Cust: Watchmakers Guild [1G] {40615}"),
        Line("ge-2/0/3", 1, (0.27, 0.19), "Cust: Lumen Clinics [1G] {40618}"),
        Line("ge-2/0/4", 1, (0.0, 0.0), "Cust: Old Tram Depot [1G] {40620}", "down"),
        Line("fxp0", 1, (0.0003, 0.0004), "Mgmt: out of band"),
        Line("lo0", 0, (0.0, 0.0), "", "loopback"),
    ),
}
