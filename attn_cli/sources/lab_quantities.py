"""Numbers and words that labs ask for and that need a model: each is computed from the model at hand.

`model` is `mini`, a directory in the student's folder (a run of train-toy), or any other; a file `model.txt` in that
folder names another one instead of mini. Words are tokens as `attn` prints them, heads are L1H3.
"""

from __future__ import annotations

import functools
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import files
from ..errors import AttnWarning, InputError
from ..lab.course.quantities import QUANTITIES
from ..text.escaping import escape
from . import measuring
from .groups import Model, Options, Selection
from .resolve import resolve

if TYPE_CHECKING:
    from ..lab.course.quantities import Place
    from ..records.attention import Attention
    from ..records.table import Table

_OTHER = "model.txt"


# ---- what a model attends to ------------------------------------------------------------------------------


@QUANTITIES.register
def weight(
    place: Place, *, query: int, key: int, text: str, model: str = "mini", kind: str = "", head: str = ""
) -> float:
    """The weight of one key for one query: the mean of the last layer's heads, or one head (L1H3, best).

    >>> from attn_cli.lab.course.layout import Lab
    >>> from attn_cli.lab.course.quantities import Place
    >>> place = Place(Lab("mine", {}, ()), {})
    >>> 0 < weight(place, query=0, key=1, text="She has a cat.") < 1
    True
    """
    where = _head_of(place, model) if head == "best" else head
    return float(_of(place, model, text, kind, where=where).weights[0, 0, query, key])


@QUANTITIES.register
def heaviest_key(
    place: Place,
    *,
    query: int,
    text: str,
    model: str = "mini",
    kind: str = "",
    show: str = "",
    reduce: str = "",
) -> str:
    """The token that one query gives most to, in the last layer or by a reduction of all layers.

    >>> from attn_cli.lab.course.layout import Lab
    >>> from attn_cli.lab.course.quantities import Place
    >>> place = Place(Lab("mine", {}, ()), {})
    >>> heaviest_key(place, query=1, text="She has a cat.") in ("She", "has", "a", "cat", ".")
    True
    """
    found = _of(place, model, text, kind, show=show, reduce=reduce)
    return escape(found.key_tokens[int(found.weights[0, 0, query].argmax())])


@QUANTITIES.register
def aligned(place: Place, *, text: str, model: str = "mini") -> str:
    """For each token of the translation that a model writes the token of the text with the largest weight.

    >>> from attn_cli.lab.course.layout import Lab
    >>> from attn_cli.lab.course.quantities import Place
    >>> place = Place(Lab("mine", {}, ()), {})
    >>> len(aligned(place, text="She has a cat.").split())  # 她有一只猫。
    6
    """
    found = _of(place, model, text, "cross")
    places = found.weights[0, 0].argmax(axis=-1)
    pairs = zip(found.query_tokens, places, strict=True)
    return " ".join(escape(found.key_tokens[i]) for token, i in pairs if token != "[end]")


@QUANTITIES.register
def loses_most(place: Place, *, text: str, target: str, instead_of: str, model: str = "mini") -> str:
    """The token of a text that loses most weight when a model writes one target instead of another.

    >>> from attn_cli.lab.course.layout import Lab
    >>> from attn_cli.lab.course.quantities import Place
    >>> place = Place(Lab("mine", {}, ()), {})
    >>> loses_most(place, text="She has a cat.", target="她有。", instead_of="她有一只猫。")
    'cat'
    """
    received = [
        _of(place, model, text, "cross", target=one).weights[0, 0].sum(axis=0) for one in (instead_of, target)
    ]
    found = _of(place, model, text, "cross", target=target)
    return escape(found.key_tokens[int((received[0] - received[1]).argmax())])


# ---- what its heads do ------------------------------------------------------------------------------------


@QUANTITIES.register
def head_most(
    place: Place, *, column: str, text: str, model: str = "mini", kind: str = "", least: bool = False
) -> str:
    """The head with the highest figure in a column of `attn stats`, or with the least.

    >>> from attn_cli.lab.course.layout import Lab
    >>> from attn_cli.lab.course.quantities import Place
    >>> place = Place(Lab("mine", {}, ()), {})
    >>> head_most(place, column="previous", text="She has a cat.").startswith("L")
    True
    """
    table = _figures(place, model, text, kind)
    return _named(table, _extreme(table, column, least))


@QUANTITIES.register
def figure(place: Place, *, column: str, text: str, model: str = "mini", kind: str = "") -> float:
    """The highest figure in a column of `attn stats`.

    >>> from attn_cli.lab.course.layout import Lab
    >>> from attn_cli.lab.course.quantities import Place
    >>> place = Place(Lab("mine", {}, ()), {})
    >>> 0 < figure(place, column="entropy_share", text="She has a cat.") <= 1
    True
    """
    table = _figures(place, model, text, kind)
    return float(np.asarray(table[column], np.float64)[_extreme(table, column)])


@QUANTITIES.register
def sink_token(place: Place, *, text: str, model: str = "mini", kind: str = "") -> str:
    """The token that the strongest sink of all heads looks at.

    >>> from attn_cli.lab.course.layout import Lab
    >>> from attn_cli.lab.course.quantities import Place
    >>> place = Place(Lab("mine", {}, ()), {})
    >>> sink_token(place, text="She has a cat.") in ("She", "has", "a", "cat", ".")
    True
    """
    table = _figures(place, model, text, kind)
    position = int(table["sink_key"][_extreme(table, "sink")])
    return escape(_of(place, model, text, kind).key_tokens[position])


@QUANTITIES.register
def least_sure(place: Place, *, text: str, model: str = "mini", kind: str = "cross") -> str:
    """The query whose weights have the highest entropy, in the last layer and the mean of heads.

    >>> from attn_cli.lab.course.layout import Lab
    >>> from attn_cli.lab.course.quantities import Place
    >>> place = Place(Lab("mine", {}, ()), {})
    >>> least_sure(place, text="She has a cat.") in [*"她有一只猫。", "[end]"]
    True
    """
    found = _of(place, model, text, kind)
    rows = found.weights[0, 0].astype(np.float64)
    entropy = -(rows * np.log(np.maximum(rows, np.finfo(float).tiny))).sum(axis=-1)
    return escape(found.query_tokens[int(entropy.argmax())])


# ---- what a run has learned -------------------------------------------------------------------------------


@QUANTITIES.register
def trained(place: Place, *, run: str, of: str = "exact_match") -> float:
    """What a run of train-toy in the student's folder reached: exact_match, loss, longer_match.

    >>> from attn_cli.lab.course.layout import Lab
    >>> from attn_cli.lab.course.quantities import Place
    >>> import json, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "run").mkdir()
    ...     results = {"exact_match": 0.9, "expected_mass": [[0.1, 0.2], [0.7, 0.3]]}
    ...     _ = Path(folder, "run", "config.json").write_text(json.dumps({"results": results}))
    ...     trained(Place(Lab("mine", {}, ()), {}, folder), run="run")
    0.9
    """
    return float(_results(place, run)[of])


@QUANTITIES.register
def best_head(place: Place, *, run: str) -> str:
    """The head of a run that attends most to where its task expects it, as L1H3.

    >>> from attn_cli.lab.course.layout import Lab
    >>> from attn_cli.lab.course.quantities import Place
    >>> import json, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "run").mkdir()
    ...     results = {"exact_match": 0.9, "expected_mass": [[0.1, 0.2], [0.7, 0.3]]}
    ...     _ = Path(folder, "run", "config.json").write_text(json.dumps({"results": results}))
    ...     best_head(Place(Lab("mine", {}, ()), {}, folder), run="run")
    'L1H0'
    """
    return _head_of(place, run)


def _head_of(place: Place, run: str) -> str:
    mass = np.array(_results(place, run)["expected_mass"])
    layer, head = np.unravel_index(int(mass.argmax()), mass.shape)
    return f"L{layer}H{head}"


def _results(place: Place, run: str) -> dict[str, Any]:
    path = Path(place.folder) / run / "config.json"
    if not place.folder or not path.is_file() or not _may_be_read(place, path):
        raise _untrained(run)
    found: dict[str, Any] = json.loads(files.read_text(str(path))).get("results", {})
    return found


# ---- models -----------------------------------------------------------------------------------------------


def _of(place: Place, model: str, text: str, kind: str, **more: str) -> Attention:
    return _attention(*_model(place, model), text, kind, **more)


def _figures(place: Place, model: str, text: str, kind: str) -> Table:
    return _stats(*_model(place, model), text, kind)


def _model(place: Place, model: str) -> tuple[str, int]:
    """A model and when it was written: one that was trained again is another."""
    inside = Path(place.folder) / model
    if place.folder and (inside / "config.json").is_file() and _may_be_read(place, inside):
        return str(inside), (inside / "config.json").stat().st_mtime_ns
    other = Path(place.folder) / _OTHER
    if model != "mini":
        raise _untrained(model)
    if place.folder and other.is_file() and (named := files.read_text(str(other)).strip()):
        beside = Path(place.folder) / named
        found = beside if beside.is_dir() else Path(named)
        if named != model and not _may_be_read(place, found):
            raise InputError(
                f"{_OTHER} names a model outside this folder", hint="judge it with attn lab check"
            )
        return model if named == model else str(found), 0
    return model, 0


def _may_be_read(place: Place, path: Path) -> bool:
    """Whether a model is one's own, or lies in the folder of the student who is graded."""
    return place.trusted or path.resolve().is_relative_to(Path(place.folder).resolve())


def _untrained(run: str) -> InputError:
    return InputError(f"no run {run!r} in this folder", hint=f"train it first: attn train-toy … -o {run}")


@functools.lru_cache(maxsize=64)
def _attention(
    model: str,
    written: int,
    text: str,
    kind: str,
    *,
    target: str = "",
    show: str = "",
    reduce: str = "",
    where: str = "",
) -> Attention:
    layer, _, head = where.removeprefix("L").partition("H")
    select = (
        Selection(reduce=reduce) if reduce else Selection(layer=layer or "last", head=head or "mean")
    )  # fmt: skip
    options = Options(model=Model(kind or None, target or None), select=select)
    with _quiet():
        return resolve(text, options, model=model, show=show or None)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=64)
def _stats(model: str, written: int, text: str, kind: str) -> Table:
    with _quiet():
        return measuring.stats(text, Options(model=Model(kind or None)), model=model)


def _quiet() -> warnings.catch_warnings[None]:
    """Without notes on what a model wrote: the student has seen them."""
    return warnings.catch_warnings(action="ignore", category=AttnWarning)


def _extreme(table: Table, column: str, least: bool = False) -> int:
    numbers = np.asarray(table[column], np.float64)
    return int(np.nanargmin(numbers) if least else np.nanargmax(numbers))


def _named(table: Table, row: int) -> str:
    return f"L{table['layer'][row]}H{table['head'][row]}"
