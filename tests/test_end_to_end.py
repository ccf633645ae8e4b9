"""The whole program: simulated agents, the real server process, a client that follows docs/websocket.md."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.support.agents import AgentBuilder, SimulatedAgent, V3User
from tests.support.live_server import LiveServer, v2c
from tests.support.loops import run_alone
from tests.support.websockets import shut

STEADY_BPS = 1_234_567_890
ROWS = AgentBuilder("sim").interface("et-0/0/2", in_bps=STEADY_BPS, out_bps=STEADY_BPS // 3, alias="Core: waw1-cr1 [10G]")
USER = V3User("linewatch", auth_key="auth-pass-1", privacy_key="priv-pass-1")
Message = dict[str, Any]


@asynccontextmanager
async def client(server: LiveServer) -> AsyncIterator[WebSocketClientConnection]:
    socket = await websocket_connect(f"ws://127.0.0.1:{server.port}/ws")
    try:
        yield socket
    finally:
        await shut(socket)


async def read(socket: WebSocketClientConnection, wanted: Callable[[Message], bool], timeout_s: float = 20) -> Message:
    """The next message that is wanted."""
    async with asyncio.timeout(timeout_s):
        while (text := await socket.read_message()) is not None:
            message: Message = json.loads(text)
            if wanted(message):
                return message
    raise ConnectionError("the server closed the socket")


async def subscribe(socket: WebSocketClientConnection, identity: int, device: str, **more: Any) -> None:
    body = {"type": "subscribe", "id": identity, "device": device, "interfaces": ["et-0/0/2"], **more}
    await socket.write_message(json.dumps(body))


async def ten_seconds(socket: WebSocketClientConnection, *identities: int) -> list[list[Message]]:
    """Of each subscription, ten samples in a row with a rate."""
    found: dict[int, list[Message]] = {identity: [] for identity in identities}
    while any(len(messages) < 10 for messages in found.values()):
        message = await read(socket, lambda one: one["type"] == "samples" and len(found.get(one["id"], [0] * 10)) < 10)
        found[message["id"]] = [*found[message["id"]], message] if message["values"][0][0] is not None else []
    return list(found.values())


def mean_in(messages: list[Message]) -> float:
    return float(np.mean([message["values"][0][0] for message in messages]))


def v3(name: str, agent: SimulatedAgent, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "address": "127.0.0.1",
        "port": agent.port,
        "snmp": {
            "version": "3",
            "user": USER.name,
            "auth": {"protocol": "SHA256", "key": USER.auth_key},
            "privacy": {"protocol": "AES", "key": USER.privacy_key},
            "context": "public",
        },
        **more,
    }


@pytest.mark.parametrize("engine", ["auto", "pysnmp"])
def test_a_client_gets_a_snapshot_then_a_sample_each_second_whose_mean_is_the_truth(engine: str) -> None:
    async def watch(server: LiveServer) -> None:
        async with client(server) as socket:
            hello = await read(socket, lambda _: True)
            assert (hello["type"], hello["protocol"]) == ("hello", 1)
            await subscribe(socket, 1, "two", history_s=900)
            await subscribe(socket, 2, "three", history_s=900)
            snapshot = await read(socket, lambda one: one["type"] == "snapshot" and one["id"] == 1)
            assert snapshot["interfaces"][0]["alias"] == "Core: waw1-cr1 [10G]"
            first = await read(socket, lambda one: one["type"] == "samples" and one["id"] == 1)
            assert first["seq"] == snapshot["seq"] + 1
            for found in await ten_seconds(socket, 1, 2):
                assert mean_in(found) == pytest.approx(STEADY_BPS, rel=0.005)
                assert np.diff([message["seq"] for message in found]).tolist() == [1] * 9
                assert np.diff([message["time"] for message in found]) == pytest.approx([1.0] * 9, abs=0.3)

    with (
        SimulatedAgent(ROWS) as community,
        SimulatedAgent(ROWS, communities=(), users=(USER,), contexts=("public",)) as user,
        LiveServer([v2c("two", community, engine=engine), v3("three", user, engine=engine)]) as server,
    ):
        run_alone(watch(server))
        states = {device["name"]: (device["state"], device["reason"]) for device in server.get("/api/v1/devices")["devices"]}
        assert states == {"two": ("up", ""), "three": ("up", "")}


def test_a_reload_leaves_the_devices_that_did_not_change_in_their_rhythm() -> None:
    async def watch(server: LiveServer, added: dict[str, Any]) -> None:
        async with client(server) as socket:
            await subscribe(socket, 1, "stays")
            await read(socket, lambda one: one["type"] == "samples" and one["values"][0][0] is not None)
            server.reload([server.devices[0], added])
            (after,) = await ten_seconds(socket, 1)
            assert np.diff([message["seq"] for message in after]).tolist() == [1] * 9
            assert mean_in(after) == pytest.approx(STEADY_BPS, rel=0.005)
            assert [device["name"] for device in server.get("/api/v1/devices")["devices"]] == ["stays", "comes"]
            await subscribe(socket, 2, "goes")
            error = await read(socket, lambda one: one["type"] == "error")
            assert (error["id"], error["code"]) == (2, "unknown_device")
            await subscribe(socket, 3, "comes")
            await read(socket, lambda one: one["type"] == "samples" and one["id"] == 3 and one["values"][0][0] is not None)

    with SimulatedAgent(ROWS) as one, LiveServer([v2c("stays", one), v2c("goes", one)]) as server:
        run_alone(watch(server, v2c("comes", one)))
