"""Listening."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.web import Application

from server.core.errors import StartError
from server.web import application
from server.web.settings import ServerSettings
from tests.web.site import site


@pytest.fixture
def app(tmp_path: Path) -> Application:
    return site(tmp_path, pages=["overview"])


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


# Tornado leaves a socket that could not be bound to the garbage collector
unbound = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")


@unbound
@pytest.mark.gen_test
async def test_a_port_in_use_stops_the_start_and_names_the_mend(app: Application, taken: int) -> None:
    with pytest.raises(StartError, match=rf"port {taken} of 127\.0\.0\.1 is in use.*server\.port"):
        application.serve(app, ServerSettings(port=taken))


@unbound
@pytest.mark.gen_test
async def test_an_address_of_another_machine_stops_the_start(app: Application) -> None:
    with pytest.raises(StartError, match=r"192\.0\.2\.1 is no address of this machine; set another server\.host"):
        application.serve(app, ServerSettings(host="192.0.2.1", allow_anonymous=True))


@pytest.mark.gen_test
async def test_a_host_name_that_does_not_resolve_stops_the_start(app: Application) -> None:
    with pytest.raises(StartError, match=r"cannot listen on no-such-host\.invalid:8888: "):
        application.serve(app, ServerSettings(host="no-such-host.invalid", allow_anonymous=True))


@pytest.mark.gen_test
async def test_a_port_that_needs_root_stops_the_start(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(application, "bind_sockets", refuse)
    with pytest.raises(StartError, match="ports under 1024 need root"):
        application.serve(app, ServerSettings(port=80))


@pytest.mark.gen_test
async def test_it_listens_where_the_settings_say(app: Application) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = ServerSettings(port=port)
    server: HTTPServer = application.serve(app, settings)
    client = AsyncHTTPClient(force_instance=True)
    assert (await client.fetch(settings.address)).code == 200
    client.close()
    server.stop()
    await server.close_all_connections()
