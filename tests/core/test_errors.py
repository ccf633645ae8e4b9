from __future__ import annotations

from server.core import errors


def test_a_bad_configuration_tells_each_problem_on_its_own_line() -> None:
    error = errors.ConfigError(["config.yaml:1:1: a", "config.yaml:2:1: b"])
    assert error.problems == ["config.yaml:1:1: a", "config.yaml:2:1: b"]
    assert str(error) == "config.yaml:1:1: a\nconfig.yaml:2:1: b"


def test_every_way_in_which_a_device_cannot_be_read_is_a_source_error() -> None:
    for kind in (errors.NoAnswer, errors.UnknownHost, errors.AuthFailed, errors.BadReply):
        assert issubclass(kind, errors.SourceError)
    for ours in (errors.SourceError, errors.ConfigError, errors.StartError):
        assert issubclass(ours, errors.LinewatchError)
