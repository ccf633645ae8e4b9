"""Names of the interface types (IANAifType-MIB) that networks have today."""

from __future__ import annotations

IF_TYPES: dict[str, int] = {
    "other": 1,
    "ethernetCsmacd": 6,
    "iso88025TokenRing": 9,
    "fddi": 15,
    "ds1": 18,
    "e1": 19,
    "propPointToPointSerial": 22,
    "ppp": 23,
    "softwareLoopback": 24,
    "slip": 28,
    "ds3": 30,
    "frameRelay": 32,
    "atm": 37,
    "sonet": 39,
    "frameRelayService": 44,
    "sonetPath": 50,
    "propVirtual": 53,
    "propMultiplexor": 54,
    "fibreChannel": 56,
    "fastEther": 62,
    "ieee80211": 71,
    "adsl": 94,
    "vdsl": 97,
    "ieee8023adLag": 161,
    "atmSubInterface": 134,
    "l2vlan": 135,
    "l3ipvlan": 136,
    "tunnel": 131,
    "gigabitEthernet": 117,
    "hdlc": 118,
    "mplsTunnel": 150,
    "mpls": 166,
    "pos": 171,
    "bridge": 209,
    "opticalTransport": 196,
    "opticalChannel": 195,
    "ifVfiType": 229,
    "pip": 249,
    "vmwareVirtualNic": 258,
}
IF_TYPE_NAMES: dict[int, str] = {number: name for name, number in IF_TYPES.items()}


def type_name(number: int | None) -> str:
    """The IANAifType-MIB name of an ifType, its number where the name is not known here, or nothing."""
    return "" if number is None else IF_TYPE_NAMES.get(number, str(number))
