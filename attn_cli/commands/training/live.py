"""A training to watch on a terminal: how far it is, what it has reached, and the attention map forming."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..io.environment import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType
    from rich.progress import Progress, TaskID

    from ...toy.settings import Step
    from ...toy.training import Training

_LOOK_EVERY = 0.5  # seconds
_AROUND = 8  # lines of the screen that the map leaves to the bar, its labels and its legend


def shown(training: Training) -> Iterator[Step]:
    """The steps, with a display on stderr as long as they last if that is a terminal."""
    console = environment.stderr()
    if not console.is_terminal or environment.quiet or training.team.rank > 0:
        yield from training.run()
        return
    from rich.live import Live

    display = _Display(training, console)
    with Live(display.picture(), console=console, transient=True, auto_refresh=False) as live:
        for step in training.run():
            yield step
            if display.saw(step):
                live.update(display.picture(), refresh=True)


class _Display:
    """What is on the screen."""

    def __init__(self, training: Training, console: Console) -> None:
        self.training, self.console = training, console
        self.looked, self.begun, self.first = 0.0, time.monotonic(), training.done
        self.reached = ""
        self.head: tuple[int, int] | None = None
        self.bar, self.row = self._new_bar()

    def saw(self, step: Step) -> bool:
        """Take note of a step; whether it is time to show something new."""
        if step.exact_match is not None:
            self.reached = f"exact match {step.exact_match:.1%}"
        now = time.monotonic()
        due = now - self.looked > _LOOK_EVERY
        if due:
            self.looked = now
            speed = (step.step - self.first) / (now - self.begun)
            said = "  ".join(filter(None, [f"loss {step.loss:.4f}", self.reached, f"{speed:.1f} steps/s"]))
            self.bar.update(self.row, completed=step.step, description=said)
        return due

    def picture(self) -> RenderableType:
        """The bar, and below it the map of one head."""
        from rich.console import Group

        return Group(self.bar, "", self._map())

    def _map(self) -> RenderableType:
        from ...records.attention import axis_name
        from ...render.terminal.blocks import BlockMaps

        weights, watched = self.training.watch(), self.training.watched
        layer, head = self.training.best_head or (len(weights) - 1, 0)
        kind = "cross-attention" if watched.kind == "cross" else f"{watched.kind} self-attention"
        return BlockMaps(
            weights[layer, head][None],
            None,
            rows=watched.rows,
            columns=watched.columns,
            titles=[""],
            across=1,
            unit="weight",
            footer=f"{kind}, {axis_name('layer', layer)}, {axis_name('head', head)}, after {self.training.done} steps",
            most_lines=max(1, self.console.height - _AROUND),
        )

    def _new_bar(self) -> tuple[Progress, TaskID]:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}")
        bar = Progress(*columns, console=self.console, auto_refresh=False)
        steps = self.training.options.steps
        return bar, bar.add_task("", total=steps, completed=self.training.done)
