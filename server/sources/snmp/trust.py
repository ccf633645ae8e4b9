"""Whether the rows of a table still are the device's interfaces. Pure."""

from __future__ import annotations


class Trust:
    """They are not since the device restarted, until they were read again; nor since its ifTableLastChange (RFC 2863)
    moved, until they were read again or still have their names.

    State: `restarts` counts; `_restarted`, not read again since; `change`, the newest ifTableLastChange (TimeTicks; None
    where it is not known), and `_known`, that for which the rows are known.
    """

    def __init__(self) -> None:
        self.restarts = 0
        self.change: int | None = None
        self._restarted = False
        self._known: int | None = None

    @property
    def moved(self) -> bool:
        """Whether the interface table changed since the rows were looked at, without a restart."""
        return not self._restarted and self.change != self._known

    @property
    def whole(self) -> bool:
        """Whether the rows can be believed."""
        return not self._restarted and self.change == self._known

    def restarted(self) -> None:
        """The device began anew: its ifIndexes may mean other interfaces, and its clock began at zero."""
        self.restarts += 1
        self._restarted = True
        self.change = self._known = None

    def saw(self, change: int | None) -> bool:
        """A tick read this ifTableLastChange, or did not read it (None). Whether it is another than before."""
        before = self.change
        if change is not None:
            self.change = change
        return self.change != before

    def confirmed(self, change: int | None) -> None:
        """The rows were looked at after `change`, and have the names that they had."""
        self._known = change

    def read(self, change: int | None) -> None:
        """The rows were read again, all of them after ifTableLastChange was `change` and after the newest restart."""
        self._restarted = False
        self._known = change
        # A tick may have seen a newer one meanwhile.
        self.change = change if change is None or self.change is None else max(change, self.change)
