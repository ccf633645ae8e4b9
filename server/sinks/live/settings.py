"""The `live` part of config.yaml: what one browser may ask for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class LiveSettings(BaseModel):
    """Caps of one WebSocket session."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    history_s: Annotated[
        float, Field(ge=60, le=3600, description="Seconds of the past kept in memory for charts that open.")
    ] = 900
    max_subscriptions: Annotated[int, Field(ge=1, le=10_000, description="Subscriptions of one browser.")] = 500
    messages_per_s: Annotated[float, Field(gt=0, description="Messages that one browser may send, sustained.")] = 10
    stalled_s: Annotated[float, Field(ge=1, description="A browser that reads nothing for so long is closed.")] = 20
