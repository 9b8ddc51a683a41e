"""`python -m benchmarks.tasks [SEEDS] [TASK …]`: every toy task at full size, by the command a user types.

For each task and seed: what was reached beside what must be, the attention of the best head where the task
expects it, exact match on longer examples, and seconds of processor time, start-up and pictures included (a
small model is trained by one thread, so that on an idle machine this is the time one waits). Tasks on data of
one's own get files made here, of drawn sentences and of this repository's prose. The last rows are controls:
with one layer, in-context learning must fail.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attn_cli.toy import TASKS, needs_data
from attn_cli.toy.examples import recipe
from attn_cli.toy.tasks import TASKS as DRAWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from attn_cli.toy.examples import Example

HEADER = "task\tseed\tmeasure\treached\tgoal\tmass\tuniform\tlonger\tcpu_s\twall_s\tlimit_s\tverdict"


@dataclass(frozen=True)
class Row:
    """A task as it is typed, and what must come of it."""

    spec: str
    options: tuple[str, ...] = ()
    limit: int | None = None  # seconds that the issue allows; None: it does not say
    mass: float = 0.0  # least share of the best head's attention where the task expects it
    fails: bool = False  # a control: the goal must be missed
    data: Callable[[], str] | None = None  # makes the file, of a task on one's own data
    goal: float | None = None  # of such a task, which cannot know what its data allows


def _labelled() -> str:
    """Opinions, a label and a text in each line."""
    return "".join(f"{one.written[0]}\t{' '.join(one.source[1:])}\n" for one in _drawn("sentiment"))


def _tagged() -> str:
    """Sentences with names, a word and its tag in each line."""
    return "\n".join(
        "".join(f"{word} {tag}\n" for word, tag in zip(one.source, one.target, strict=True))
        for one in _drawn("ner")
    )


def _drawn(task: str) -> list[Example]:
    rng, function = np.random.default_rng(0), DRAWN[task]
    return [function(rng) for _ in range(6000)]


def _prose() -> str:
    return "".join(path.read_text("utf-8") for path in sorted(Path(__file__).parents[1].glob("*.md")))


_LIMITS = {"dates": 45, "parity": None, "sum": None}
ROWS = [
    *(
        Row(task, limit=_LIMITS.get(task, 30), mass=0.9 if task == "induction" else 0.0)
        for task in TASKS
        if not needs_data(task)
    ),
    Row("classify", data=_labelled, goal=0.99),
    Row("tag", data=_tagged, goal=0.99),
    Row("lm", data=_prose),
    Row("mlm", data=_prose),
    Row("induction", ("--layers", "1"), fails=True),
    Row("recall", ("--layers", "1"), fails=True),
]


def measured(row: Row, seed: int) -> str:
    """A line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        cpu, wall = _trained(row, seed, folder)
        results = json.loads(Path(folder, "config.json").read_text("utf-8"))["results"]
    learner = recipe(TASKS.parse(row.spec))
    reached, goal, good = _verdict(learner.measure, row.goal or learner.goal, results)
    mass = max(map(max, results["expected_mass"])) if results["expected_mass"] else None
    good = good and (mass or 0.0) >= row.mass
    slow = row.limit is not None and cpu > row.limit
    verdict = ("ok" if good != row.fails else "MISSED") + (", SLOW" if slow else "")
    cells = (
        " ".join([row.spec, *row.options]), seed, learner.measure, _shown(reached), ("< " if row.fails else "") + _shown(goal),
        _shown(mass), _shown(results["uniform_mass"]), _shown(results["longer_match"]),
        f"{cpu:.1f}", f"{wall:.1f}", row.limit or "", verdict,
    )  # fmt: skip
    return "\t".join(map(str, cells))


def _trained(row: Row, seed: int, folder: str) -> tuple[float, float]:
    """Seconds of the processor, and of the clock, that the command took."""
    command = [sys.executable, "-m", "attn_cli", "train-toy", row.spec, *row.options]
    if row.data is not None:
        data = Path(folder, "data.txt")
        data.write_text(row.data(), "utf-8")
        command += ["--data", str(data)]
    begun = time.monotonic()
    process = subprocess.Popen([*command, "--seed", str(seed), "-q", "-o", folder], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{row.spec}, seed {seed}: status {status}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begun


def _verdict(measure: str, goal: float, results: dict[str, Any]) -> tuple[float, float, bool]:
    """What was reached, what must be, and whether it is; a loss must be below that of guessing by frequency."""
    if measure == "loss":
        (entropy,) = results["facts"].values()  # the loss of knowing how frequent each token is
        return results["loss"], entropy, results["loss"] < entropy
    reached = results["f1"] if measure == "F1" else results["exact_match"]
    return reached, goal, reached >= goal


def _shown(x: float | None) -> str:
    return "" if x is None else f"{x:.4f}"


def rows(seeds: int, names: list[str]) -> Iterator[str]:
    """The table for these tasks, or all."""
    for seed in range(seeds):
        for row in ROWS:
            if not names or row.spec in names:
                yield measured(row, seed)


if __name__ == "__main__":
    given = sys.argv[1:]
    n_seeds = int(given.pop(0)) if given and given[0].isdigit() else 1
    print(HEADER)
    for line in rows(n_seeds, given):
        print(line, flush=True)
