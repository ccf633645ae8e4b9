from __future__ import annotations

import pytest
from pydantic import ValidationError

from server.web.settings import ServerSettings, is_loopback


@pytest.mark.parametrize("prefix", ["", "/linewatch", "/a/b-c.d_e"])
def test_a_url_prefix_is_empty_or_a_path_without_a_last_slash(prefix: str) -> None:
    assert ServerSettings(url_prefix=prefix).url_prefix == prefix


@pytest.mark.parametrize("prefix", ["linewatch", "/", "/linewatch/", "/a//b", "/a b", "/<b>", "/a?b", "/a\n"])
def test_any_other_url_prefix_is_refused_with_an_example(prefix: str) -> None:
    with pytest.raises(ValidationError, match="such as /linewatch"):
        ServerSettings(url_prefix=prefix)


@pytest.mark.parametrize("host", ["https://noc.example", "noc.example/path", "a b", "", "noc.example\n"])
def test_an_allowed_host_is_a_name_alone(host: str) -> None:
    with pytest.raises(ValidationError, match="without scheme, port and path"):
        ServerSettings(allowed_hosts=(host,))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_a_loopback_address_needs_no_more_words(host: str) -> None:
    assert is_loopback(host)
    assert ServerSettings(host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "noc.example"])
def test_any_other_address_is_refused_unless_anonymous_readers_are_allowed_in_words(host: str) -> None:
    with pytest.raises(ValidationError, match="allow_anonymous: true"):
        ServerSettings(host=host)
    assert ServerSettings(host=host, allow_anonymous=True).host == host


@pytest.mark.parametrize("port", [0, 65536, -1])
def test_a_port_is_a_port(port: int) -> None:
    with pytest.raises(ValidationError):
        ServerSettings(port=port)


def test_the_address_is_a_url_that_a_browser_takes() -> None:
    assert ServerSettings().address == "http://127.0.0.1:8888/"
    assert ServerSettings(host="::1", port=80, url_prefix="/lw").address == "http://[::1]:80/lw/"
