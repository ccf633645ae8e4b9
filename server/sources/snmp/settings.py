"""What an operator can set for SNMP devices. All models are frozen and refuse unknown keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from server.core.secrets import Secret
from server.sources.snmp.iftypes import IF_TYPES
from server.sources.snmp.pattern import searcher

AuthProtocol = Literal["MD5", "SHA", "SHA224", "SHA256", "SHA384", "SHA512"]
PrivacyProtocol = Literal["DES", "3DES", "AES", "AES192", "AES256", "AES192-BLUMENTHAL", "AES256-BLUMENTHAL"]
Engine = Literal["auto", "batch", "pysnmp"]
LEAST_KEY = 8  # RFC 3414 11.2: keys made from shorter pass phrases are refused


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _number_as_text(given: Any) -> Any:
    """YAML reads `version: 3` as a number."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _long_enough(key: Secret) -> Secret:
    if len(key.get_secret_value()) < LEAST_KEY:
        raise ValueError(f"an SNMPv3 key has at least {LEAST_KEY} characters")
    return key


def _without_port(address: str) -> str:
    if address.count(":") == 1:
        raise ValueError("an address has no port: that goes into `port`")
    return address


Key = Annotated[Secret, AfterValidator(_long_enough)]


class SnmpV1V2(Part):
    """SNMP version 1 or 2c: a community, sent in clear text."""

    version: Annotated[Literal["1", "2c"], BeforeValidator(_number_as_text)] = Field(description="The protocol version.")
    community: Secret = Field(description="What the device calls its read community.")


class Auth(Part):
    """How messages are signed (RFC 3414, RFC 7860). SHA is SHA-1."""

    protocol: AuthProtocol = Field(description="SHA is SHA-1.")
    key: Key = Field(description="The pass phrase, 8 characters or more.")


class Privacy(Part):
    """How messages are encrypted. AES192 and AES256 are as Cisco and most vendors do it; -BLUMENTHAL is the old draft."""

    protocol: PrivacyProtocol = Field(description="AES is AES-128.")
    key: Key = Field(description="The pass phrase, 8 characters or more.")


class SnmpV3(Part):
    """SNMP version 3 with the user-based security model (RFC 3414)."""

    version: Annotated[Literal["3"], BeforeValidator(_number_as_text)] = Field(description="The protocol version.")
    user: str = Field(min_length=1, max_length=32, description="The user that the device knows.")
    auth: Auth | None = Field(None, description="Left out: messages are not signed (noAuthNoPriv).")
    privacy: Privacy | None = Field(None, description="Left out: messages are not encrypted.")
    context: str = Field("", max_length=255, description="The SNMPv3 context name; most devices have none.")

    @model_validator(mode="after")
    def _privacy_needs_auth(self) -> SnmpV3:
        if self.privacy is not None and self.auth is None:
            raise ValueError("privacy needs auth: SNMPv3 does not encrypt what it does not sign")
        return self


def _version(given: Any) -> str | None:
    version = _number_as_text(given.get("version") if isinstance(given, dict) else getattr(given, "version", None))
    return {"1": "<community>", "2c": "<community>", "3": "<user>"}.get(version) if isinstance(version, str) else None


Snmp = Annotated[
    Annotated[SnmpV1V2, Tag("<community>")] | Annotated[SnmpV3, Tag("<user>")],
    Discriminator(
        _version,
        custom_error_type="snmp_version",
        custom_error_message='snmp needs a version that Linewatch speaks: "1", "2c" or "3"',
    ),
]


def _pattern(given: str) -> str:
    searcher(given)
    return given


Pattern = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_pattern)]


def _if_type(given: Any) -> Any:
    """The number of an ifType, given as its IANAifType-MIB name or as a number."""
    if isinstance(given, str):
        if given in IF_TYPES:
            return IF_TYPES[given]
        if not given.isdecimal():
            raise ValueError(f"{given[:40]!r} is not an interface type known here; give its IANAifType number")
        return int(given)
    return given


IfType = Annotated[int, BeforeValidator(_if_type), Field(ge=1, le=2**31 - 1)]


def _fits(pattern: str | None) -> Callable[[str], bool]:
    return searcher(pattern) if pattern is not None else lambda _: True


class Rule(Part):
    """Matches interfaces: all that is given must match. Expressions are searched for, not anchored."""

    name: Pattern | None = Field(
        None, description="Regular expression, searched for in ifName (no look-around, no back-references)."
    )
    alias: Pattern | None = Field(None, description="Regular expression, searched for in ifAlias (the same).")
    type: IfType | None = Field(None, description="ifType: an IANAifType-MIB name such as `ethernetCsmacd`, or its number.")
    status: Literal["up", "down", "admin_up", "admin_down"] | None = Field(
        None, description="By ifOperStatus, or by ifAdminStatus."
    )

    @model_validator(mode="after")
    def _not_empty(self) -> Rule:
        if not self.model_fields_set:
            raise ValueError("a rule needs at least one of name, alias, type, status")
        return self

    # Compiled once for all devices that share the rule; two rules are equal whether or not they were.

    @cached_property
    def name_fits(self) -> Callable[[str], bool]:
        return _fits(self.name)

    @cached_property
    def alias_fits(self) -> Callable[[str], bool]:
        return _fits(self.alias)


class InterfaceFilter(Part):
    """Which interfaces are polled: those that an include rule matches (all, when there is none) and no exclude rule does."""

    include: tuple[Rule, ...] = Field((), description="Empty: all.")
    exclude: tuple[Rule, ...] = Field((), description="Wins over `include`.")


class PollingDefaults(Part):
    """How devices are polled unless they say otherwise.

    `timeout_s` is how long one request may wait for its answer and `retries` how often it is sent again. Within a tick all
    tries together get at most 90 % of `interval_s`, so that a lost datagram never delays the next tick. Only when a device
    is seen to answer later than that, a tick waits the whole `timeout_s` x (`retries` + 1); ticks in between are left out.
    """

    interval_s: float = Field(1.0, ge=0.25, le=300, description="Seconds between two polls of the octet counters.")
    slow_interval_s: float = Field(
        10.0, ge=0.25, le=3600, description="Seconds between two polls of status, errors, discards and packets."
    )
    timeout_s: float = Field(1.5, ge=0.05, le=60, description="How long one request may wait for its answer.")
    retries: int = Field(1, ge=0, le=10, description="How often a request is sent again.")
    rediscover_s: float = Field(
        300.0, ge=10, le=86400, description="How often interfaces are looked for anew, besides after each reboot."
    )
    max_rows: int = Field(4096, ge=1, le=65536, description="The most interfaces of one device.")
    interfaces: InterfaceFilter = Field(InterfaceFilter(), description="Which interfaces are polled.")
    requests_per_s: float = Field(
        200.0,
        ge=1,
        le=10_000,
        description="The most requests a second that a device is sent; one that needs more is polled less often.",
    )
    requests_at_once: int = Field(4, ge=1, le=64, description="The most requests to a device that wait for an answer.")
    engine: Engine = Field(
        "auto",
        description="What polls: `batch` is Linewatch's own engine, `pysnmp` is pysnmp's own polling; "
        "`auto` is `batch`, and `pysnmp` for a device that it cannot serve.",
    )


class DeviceSettings(Part):
    """One device. What is left out is taken from `polling`."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=64, description="What pages, links and history call it.")
    address: Annotated[str, AfterValidator(_without_port)] = Field(
        min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:%_-]+$", description="Host name, IPv4 or IPv6 address."
    )
    port: int = Field(161, ge=1, le=65535, description="UDP port of its agent.")
    snmp: Snmp = Field(description="How it may be read.")
    interval_s: float | None = Field(None, ge=0.25, le=300, description="As in `polling`, for this device.")
    slow_interval_s: float | None = Field(None, ge=0.25, le=3600, description="As in `polling`, for this device.")
    timeout_s: float | None = Field(None, ge=0.05, le=60, description="As in `polling`, for this device.")
    retries: int | None = Field(None, ge=0, le=10, description="As in `polling`, for this device.")
    rediscover_s: float | None = Field(None, ge=10, le=86400, description="As in `polling`, for this device.")
    max_rows: int | None = Field(None, ge=1, le=65536, description="As in `polling`, for this device.")
    interfaces: InterfaceFilter | None = Field(None, description="As in `polling`, for this device.")
    requests_per_s: float | None = Field(None, ge=1, le=10_000, description="As in `polling`, for this device.")
    requests_at_once: int | None = Field(None, ge=1, le=64, description="As in `polling`, for this device.")
    engine: Engine | None = Field(None, description="As in `polling`, for this device.")

    def polling(self, defaults: PollingDefaults) -> PollingDefaults:
        """How this device is polled: its own settings over the defaults."""
        own = {name: value for name in PollingDefaults.model_fields if (value := getattr(self, name)) is not None}
        return defaults.model_copy(update=own)
