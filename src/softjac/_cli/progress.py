"""A progress bar on standard error, for what takes longer than a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


class Progress:
    """Counts what is done, and draws a bar once ``delay`` seconds have passed since it was made.

    ``enabled`` is false where standard error is no terminal: nothing is ever drawn then.
    """

    def __init__(self, enabled: bool, delay: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._enabled = enabled
        self._clock = clock
        self._due = clock() + delay
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._done = 0

    def start(self, what: str, total: int, shown: bool = True) -> None:
        """Begin a new bar: ``what`` is being done, ``total`` steps of it."""
        self.stop()
        self._what, self._total, self._shown, self._done = what, total, shown, 0

    def advance(self, steps: int = 1) -> None:
        """Tell that ``steps`` more are done."""
        self._done += steps
        if not (self._enabled and self._shown) or self._clock() < self._due:
            return
        if self._bar is None:
            self._bar = _make_bar()
            self._task = self._bar.add_task(self._what, total=self._total)
            self._bar.start()
        if self._task is not None:
            self._bar.update(self._task, completed=self._done)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _make_bar() -> Bar:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # else rich takes over what the result is written to
        redirect_stderr=False,
    )
