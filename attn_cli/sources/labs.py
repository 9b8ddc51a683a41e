"""Labs on disk: those that ship with attn or lie in a folder, and the folders of students who do them."""

from __future__ import annotations

import functools
import json
import os
import shlex
import shutil
import tomllib
from dataclasses import dataclass, field, replace
from importlib.resources import files as packaged
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import files
from ..errors import InputError
from ..lab.course import layout, texts
from ..lab.course.marking import Course
from ..lab.course.readme import readme
from ..registry import nearest

if TYPE_CHECKING:
    from ..lab.course.layout import Lab, Task
    from ..lab.course.texts import Texts
    from ..lab.verdict import Verdict

LABS = ("by-hand", "masks", "heads", "positions", "reverse", "translate", "read-a-model", "long")
STATE = "lab.json"
SOURCE = ".lab"  # in a student's folder: a copy of a lab that does not ship with attn
LANGUAGES = ("en", "zh")
SUFFIXES = (".csv", ".tsv", ".npy", ".npz", ".json", ".safetensors", ".txt")
_VERSION = 1


@dataclass
class Started:
    """A student's folder: the course, and how far its hints were read."""

    folder: Path
    course: Course
    name: str  # of the lab, as it was started
    language: str
    own: bool = False  # a lab that does not ship with attn: its copy lies in the folder
    hints: dict[str, int] = field(default_factory=dict)

    def save(self) -> None:
        """Write what is known of it into its folder."""
        state = {
            "schema_version": _VERSION,
            "type": "lab",
            "lab": self.name,
            "own": self.own,
            "student": self.course.student,
            "language": self.language,
            "hints": self.hints,
        }
        text = json.dumps(state, ensure_ascii=False, indent=2)
        files.write(str(self.folder / STATE), [f"{text}\n".encode()])

    def marked(self) -> Verdict:
        """The verdict on what lies in the folder."""
        return self.course.mark(answers(self), str(self.folder))


# ---- labs --------------------------------------------------------------------------------------------------


def bundled() -> list[str]:
    """The labs that ship with attn, in the order in which they are done."""
    return [name for name in LABS if (_room() / name / "lab.toml").is_file()]


@functools.cache
def _room() -> Path:
    return Path(str(packaged("attn_cli.lab"))) / "labs"


def find(name: str) -> Path:
    """The folder of a lab: one that ships with attn, or one's own. Raises InputError for neither."""
    if name in bundled():
        return _room() / name
    folder = Path(name)
    if (folder / "lab.toml").is_file():
        return folder
    if folder.is_dir():
        raise InputError("has no lab.toml", hint="see docs/write-a-lab.md", where=name)
    raise InputError(
        f"no lab {name!r}", hint=f"give {', '.join(bundled())} or a folder{nearest(name, bundled())}"
    )


def course_of(folder: Path, name: str, student: str, at: str = "") -> Course:
    """A lab with the numbers of one student. Raises InputError where its files do not fit together."""
    _register()
    where = str(folder / "lab.toml")
    try:
        written = tomllib.loads(files.read_text(where))
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"is not valid TOML: {problem}", hint="correct it", where=where) from None
    lab = layout.parsed(name, written, where)
    said = {
        lang: _texts(folder / f"{lang}.md", lang, lab)
        for lang in LANGUAGES
        if (folder / f"{lang}.md").is_file()
    }
    if not said:
        raise InputError("has no text", hint="write en.md or zh.md", where=str(folder))
    return Course(lab, student, said, functools.partial(_read, folder), at)


def _register() -> None:
    """The quantities that need more than the lab itself add themselves when they are imported."""
    from . import lab_quantities  # noqa: F401


def _texts(path: Path, language: str, lab: Lab) -> Texts:
    found = texts.parsed(files.read_text(str(path)), language, str(path))
    ids = [task.id for task in lab.tasks]
    if list(found.tasks) != ids:
        have = ", ".join(found.tasks) or "none"
        raise InputError(f"has the exercises {have}", hint=f"lab.toml has {', '.join(ids)}", where=str(path))
    for task in lab.tasks:
        if not found.tasks[task.id].hints:
            raise InputError(f"exercise {task.id!r} has no hint", hint="write ### hint 1", where=str(path))
        if missing := set(task.wrong) - set(found.tasks[task.id].if_wrong):
            hint = f"write ### if {min(missing)}"
            raise InputError(
                f"exercise {task.id!r} says nothing of {min(missing)!r}", hint=hint, where=str(path)
            )
    return found


def _read(folder: Path, name: str) -> Any:
    path = str(folder / name)
    if Path(name).suffix in (".csv", ".tsv", ".npy"):
        return files.read_answer(path)
    return files.read_text(path).strip()


# ---- a student's folder --------------------------------------------------------------------------------------


def start(name: str, student: str, folder: Path, language: str) -> Started:
    """Lay a lab into a new folder: text, data and empty answer files. Raises InputError where a folder is."""
    source = find(name)
    if os.path.lexists(folder):
        raise InputError("is there already", hint="give another folder: -o DIR", where=str(folder))
    if not folder.absolute().parent.is_dir():
        raise InputError(
            "no such folder", hint=f"make it: mkdir -p {shlex.quote(str(folder.parent))}", where=str(folder)
        )
    called = source.resolve().name
    course = course_of(source, called, student, str(folder))
    language = language if language in course.texts else next(iter(course.texts))
    text = readme(course, language)
    course.check()
    (folder / "data").mkdir(parents=True)
    if own := name not in bundled():
        shutil.copytree(source, folder / SOURCE)
    _lay(course, source, folder)
    (folder / "README.md").write_text(text, encoding="utf-8")
    started = Started(folder, course, called, language, own)
    started.save()
    return started


def _lay(course: Course, source: Path, folder: Path) -> None:
    for name, value in course.data.items():
        if "file" in course.lab.data[name]:
            shutil.copy(source / course.lab.data[name]["file"], folder / "data")
        elif isinstance(value, np.ndarray):
            (folder / "data" / f"{name}.csv").write_text(_csv(value), encoding="ascii")
    for task in course.lab.tasks:
        (folder / task.answer).touch()


def _csv(array: np.ndarray) -> str:
    """Rows with commas; heads one below the other."""
    rows = array.reshape(-1, array.shape[-1])
    return "".join(f"{','.join(f'{x:.10g}' for x in row)}\n" for row in rows)


def opened(
    folder: Path, lab: str | None = None, student: str | None = None, *, trusted: bool = True
) -> Started:
    """The lab that a student does in a folder. Raises InputError for a folder without one.

    `lab` and `student` are what an instructor knows: they go before what the student's own files say. A folder
    that is not trusted leads to no model outside it.
    """
    state = _state(folder)
    name, own = state["lab"], state["own"]
    if lab is not None:
        source, own = find(lab), lab not in bundled()
        if not own and lab != name:
            raise InputError(f"holds the lab {name!r}", hint=f"grade {lab} by itself", where=str(folder))
    else:
        source = folder / SOURCE if own else _bundled(name, folder)
    course = course_of(source, name, state["student"] if student is None else student, str(folder))
    course = replace(course, trusted=trusted)
    language = state["language"]
    language = language if language in course.texts else next(iter(course.texts))
    return Started(folder, course, name, language, own, state["hints"])


def _state(folder: Path) -> dict[str, Any]:
    """What `save` wrote."""
    path = folder / STATE
    if not path.is_file():
        raise InputError("holds no lab", hint="begin one: attn lab start NAME", where=str(folder))
    try:
        held = json.loads(files.read_text(str(path)))
        kinds = {"lab": str, "student": str, "language": str, "own": bool, "hints": dict}
        state: dict[str, Any] = {key: held[key] for key in kinds}
        if all(isinstance(state[key], kind) for key, kind in kinds.items()):
            return state
    except (ValueError, TypeError, KeyError):
        pass
    raise InputError("is damaged", hint="start the lab again in another folder", where=str(path))


def _bundled(name: str, folder: Path) -> Path:
    if name not in bundled():
        hint = f"labs are {', '.join(bundled())}; is your attn older than the lab?"
        raise InputError(f"holds an unknown lab {name!r}", hint=hint, where=str(folder))
    return find(name)


def answers(started: Started) -> dict[str, Any]:
    """What lies in the answer files, by exercise; what cannot be read is the InputError that says so."""
    found = {task.id: _answer(started.folder, task) for task in started.course.lab.tasks}
    return {name: answer for name, answer in found.items() if answer is not None}


def answer_file(folder: Path, task: Task) -> Path:
    """The file that holds an answer: the one that was laid, or one of its name in another format."""
    laid = folder / task.answer
    others = (laid.with_suffix(suffix) for suffix in SUFFIXES)
    return next((path for path in (laid, *others) if path.is_file() and path.stat().st_size), laid)


def _answer(folder: Path, task: Task) -> Any:
    path = answer_file(folder, task)
    try:
        if not path.is_file() or not path.stat().st_size:
            return None
        if task.what:
            return files.read_answer(str(path))
        with files.without_option():
            return files.read_text(str(path)).strip() or None
    except InputError as problem:
        return InputError(str(problem).removeprefix(f"{path}: "))
    except OSError as problem:
        return InputError(problem.strerror or str(problem))


def under_way(folder: Path) -> list[Started]:
    """The labs that are being done in a folder and in those directly inside it."""
    inside = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    found = []
    for path in (folder, *inside):
        if (path / STATE).is_file():
            try:
                found.append(opened(path))
            except InputError:
                continue  # what is damaged is said when it is asked for
    return found
