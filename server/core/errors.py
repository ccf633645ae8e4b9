"""The errors of Linewatch. A library's own errors are mapped to these at its one door."""

from __future__ import annotations


class LinewatchError(Exception):
    """Anything that we raise on purpose. Its text is for the operator: what is wrong, where, and the mend."""


class ConfigError(LinewatchError):
    """A configuration that cannot be used; `problems` holds one line for each fault, `file:line:column: key: what`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StartError(LinewatchError):
    """The program cannot start: a port in use, a folder that cannot be written, missing front-end files."""


class SourceError(LinewatchError):
    """A device could not be read this time."""


class NoAnswer(SourceError):
    """Nothing came in time."""


class UnknownHost(SourceError):
    """The device's host name does not resolve."""


class AuthFailed(SourceError):
    """The device refused the credentials, or its answer did not prove that it knows them."""


class BadReply(SourceError):
    """An answer came that is malformed, or does not match what was asked."""
