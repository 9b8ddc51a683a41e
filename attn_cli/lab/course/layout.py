"""What `lab.toml` says: the data of a lab, and its tasks in their order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ...registry import nearest
from ..answer import STAGES
from .quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

OF_ATTENTION = ("query", "key", "value", "heads", "kv_heads", "project", "mask", "posenc", "scale", "shape")
OF_TASKS = ("id", "points", "answer", "follows", "what", "quantity", "wrong")
KINDS = ("normal", "integers", "choose", "value", "of", "file")  # of data: each has exactly one of these
OF_DATA = (*KINDS, "shape", "decimals", "mistake", *OF_ATTENTION)
_FILE = re.compile(r"\w[\w.-]*")
_NAME = re.compile(r"[A-Za-z][\w-]*")


@dataclass(frozen=True)
class Task:
    """One exercise of a lab: an array (`what`), or a number or word (`quantity`)."""

    id: str
    what: str = ""
    quantity: str = ""
    points: float = 1.0
    answer: str = ""  # the file that it is written into
    follows: tuple[str, ...] = ()  # tasks from whose answers this one is judged
    options: Mapping[str, Any] = field(default_factory=dict)
    wrong: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # known wrong answers by name


@dataclass(frozen=True)
class Lab:
    """A lab as it is written, without its texts."""

    name: str
    data: Mapping[str, Mapping[str, Any]]
    tasks: tuple[Task, ...]

    def task(self, name: str) -> Task:
        """The task of this id. Raises InputError for none."""
        for one in self.tasks:
            if one.id == name:
                return one
        ids = [one.id for one in self.tasks]
        raise InputError(f"no exercise {name!r}", hint=f"this lab has {', '.join(ids)}{nearest(name, ids)}")


def parsed(name: str, written: Mapping[str, Any], where: str = "lab.toml") -> Lab:
    """A lab from the tables of its TOML. Raises InputError for what it does not know, naming the nearest.

    >>> parsed("mine", {"exercise": [{"id": "m", "what": "mask", "mask": "causal", "shape": [2, 2]}]}).tasks[0].answer
    'm.csv'
    """
    try:
        _known(written, ("data", "exercise"), "table")
        data = written.get("data", {})
        for key, said in data.items():
            _check_datum(key, said)
        tasks = tuple(map(_task, written.get("exercise", ())))
        _check_tasks(tasks)
    except InputError as problem:
        raise InputError(str(problem), where=where) from None
    except (TypeError, ValueError, AttributeError) as problem:
        raise InputError(
            f"is not as a lab is written: {problem}", hint="see docs/write-a-lab.md", where=where
        ) from None
    return Lab(name, data, tasks)


def _check_datum(name: str, said: Mapping[str, Any]) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(f"data {name!r}", hint="name data by letters, digits, - and _")
    _known(said, OF_DATA, f"key of data {name!r}:")
    if "file" in said:
        _file(said["file"])
    if len(kinds := [kind for kind in KINDS if kind in said]) != 1:
        have = " and ".join(kinds) or "none"
        raise InputError(f"data {name!r} has {have}", hint=f"give one of {', '.join(KINDS)}")


def _task(said: Mapping[str, Any]) -> Task:
    name = str(said.get("id", ""))
    if not _NAME.fullmatch(name):
        raise InputError(f"an exercise of id {name!r}", hint='give each an id: id = "scores"')
    what, quantity = str(said.get("what", "")), str(said.get("quantity", ""))
    if bool(what) == bool(quantity):
        raise InputError(f"exercise {name!r} needs what or quantity", hint="give one of them")
    if what and what not in STAGES:
        raise InputError(f"exercise {name!r}: what = {what!r}", hint=f"known are {', '.join(STAGES)}")
    if quantity:
        QUANTITIES[quantity]  # or the error names the nearest
    answer = _file(said.get("answer", f"{name}{'.csv' if what else '.txt'}"))
    options = {key: value for key, value in said.items() if key not in OF_TASKS}
    if what:
        _known(options, OF_ATTENTION, f"key of exercise {name!r}:")
    return Task(
        name, what, quantity, float(said.get("points", 1)), answer,
        tuple(said.get("follows", ())), options, said.get("wrong", {}),
    )  # fmt: skip


def _file(name: Any) -> str:
    """The name of a file directly in a folder, which is none of those that `attn` keeps there."""
    if (
        not isinstance(name, str)
        or not _FILE.fullmatch(name)
        or name in ("README.md", "lab.json", "lab.toml", "data")
    ):
        raise InputError(f"file {name!r}", hint="give a plain name, as answer.csv")
    return name


def _check_tasks(tasks: tuple[Task, ...]) -> None:
    if not tasks:
        raise InputError("no exercises", hint="give at least one [[exercise]]")
    before: list[str] = []
    for task in tasks:
        if task.id in before:
            raise InputError(f"two exercises {task.id!r}", hint="give each an id of its own")
        for name in task.follows:
            if name not in before:
                raise InputError(f"exercise {task.id!r} follows {name!r}", hint="name exercises before it")
        before.append(task.id)


def _known(said: Mapping[str, Any], known: tuple[str, ...], noun: str) -> None:
    for key in said:
        if key not in known:
            raise InputError(
                f"unknown {noun} {key!r}", hint=f"known are {', '.join(known)}{nearest(key, list(known))}"
            )
