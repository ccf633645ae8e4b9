"""The `server` part of config.yaml."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

_PREFIX = re.compile(r"(/[A-Za-z0-9._-]+)*")
_HOST = re.compile(r"\*|[A-Za-z0-9.:-]+")


class ServerSettings(BaseModel):
    """Where the pages are served, and to whom."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    host: Annotated[str, Field(description="Address to listen on. Any but a loopback address needs `allow_anonymous`.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=1, le=65535, description="TCP port to listen on.")] = 8888
    url_prefix: Annotated[
        str, Field(description="Path under which a reverse proxy serves the pages, such as `/linewatch`; empty for none.")
    ] = ""
    allowed_hosts: Annotated[
        tuple[str, ...],
        Field(
            description="Names under which browsers reach this server, without port, besides `host` and the loopback names. "
            "A request for any other name is refused (DNS rebinding). `*` allows all."
        ),
    ] = ()
    allow_anonymous: Annotated[
        bool, Field(description="Serve everyone who can reach a `host` that is no loopback address. There is no login yet.")
    ] = False

    @property
    def address(self) -> str:
        """The URL of the first page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.url_prefix}/"

    @field_validator("url_prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        if not _PREFIX.fullmatch(value):
            raise ValueError("must be empty, or start with / and not end with one, such as /linewatch")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} is no host name; give it without scheme, port and path")
        return value

    @field_validator("allow_anonymous")
    @classmethod
    def _loopback_or_said(cls, value: bool, info: ValidationInfo) -> bool:
        host = info.data.get("host", "127.0.0.1")
        if not is_loopback(host) and not value:
            raise ValueError(
                f"host {host} can be reached from other machines, and there is no login yet: "
                "use 127.0.0.1, or say allow_anonymous: true"
            )
        return value


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
