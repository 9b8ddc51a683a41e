"""Mistakes with masks: which keys are hidden, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...registry import bound, function_of
from ...variants.masks import MASKS
from ..right import visible as right_visible
from .catalogue import MISTAKES, in_place_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Int

    from ..pipeline import Work
    from ..right import Pairs

    Allowed = Bool[np.ndarray, "query key"]


def _options(mask: Any) -> dict[str, Any]:
    return dict(bound(mask))


def _is(mask: Any, name: str) -> bool:
    return callable(mask) and function_of(mask) is MASKS[name]


# ---- which keys: `mask` is one of the exercise's masks, a function of positions ------------------------


@MISTAKES.register
@in_place_of("visible")
def mask_inverted(work: Work) -> Allowed:
    """The mask is read the other way round: every query sees exactly what it may not.

    >>> from attn_cli.lab.exercise import MaskExercise
    >>> from attn_cli.lab.pipeline import Work
    >>> mask_inverted(Work(MaskExercise(2, 2, ("causal",)))).astype(int).tolist()
    [[0, 1], [0, 0]]
    """
    return ~right_visible(work)


@MISTAKES.register
@in_place_of("allowed")
def mask_upper(mask: Any, query: np.ndarray, key: np.ndarray) -> Allowed:
    """The upper triangle is kept instead of the lower one: queries see themselves and the future.

    >>> from attn_cli.variants.masks import MASKS
    >>> mask_upper(MASKS["causal"], np.arange(2)[:, None], np.arange(2)).astype(int).tolist()
    [[1, 1], [0, 1]]
    """
    return key >= query if _is(mask, "causal") else mask(query, key)


@MISTAKES.register
@in_place_of("allowed")
def mask_excludes_self(mask: Any, query: np.ndarray, key: np.ndarray) -> Allowed:
    """A causal mask hides the query's own position too.

    >>> from attn_cli.variants.masks import MASKS
    >>> mask_excludes_self(MASKS["causal"], np.arange(2)[:, None], np.arange(2)).astype(int).tolist()
    [[0, 0], [1, 0]]
    """
    return key < query if _is(mask, "causal") else mask(query, key)


@MISTAKES.register
@in_place_of("allowed")
def mask_one_ahead(mask: Any, query: np.ndarray, key: np.ndarray) -> Allowed:
    """A causal mask lets every query see one key of the future.

    >>> from attn_cli.variants.masks import MASKS
    >>> mask_one_ahead(MASKS["causal"], np.arange(3)[:, None], np.arange(3)).astype(int).tolist()
    [[1, 1, 0], [1, 1, 1], [1, 1, 1]]
    """
    return key <= query + 1 if _is(mask, "causal") else mask(query, key)


@MISTAKES.register
@in_place_of("visible")
def mask_missing(work: Work) -> Allowed:
    """The mask is not applied, or what masking returns is thrown away.

    >>> from attn_cli.lab.exercise import MaskExercise
    >>> from attn_cli.lab.pipeline import Work
    >>> mask_missing(Work(MaskExercise(1, 3, ("padding:length=1",)))).tolist()
    [[True, True, True]]
    """
    return np.ones_like(right_visible(work))


@MISTAKES.register
@in_place_of("query_positions")
def causal_top_left(n_query: int, n_key: int) -> Int[np.ndarray, " query"]:
    """With more keys than queries, the first query stands at the first key, not the last at the last.

    >>> causal_top_left(2, 5).tolist()
    [0, 1]
    """
    return np.arange(n_query)


@MISTAKES.register
@in_place_of("allowed")
def window_one_more(mask: Any, query: np.ndarray, key: np.ndarray) -> Allowed:
    """A window of n keys lets every query see n + 1.

    >>> from attn_cli.variants.masks import MASKS
    >>> window = MASKS.parse("window:size=1")
    >>> window_one_more(window, np.arange(3)[:, None], np.arange(3)).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    """
    if not _is(mask, "window"):
        return mask(query, key)
    return mask(query, key) | (key == query + _options(mask)["ahead"] - _options(mask)["size"])


@MISTAKES.register
@in_place_of("allowed")
def window_both_ways(mask: Any, query: np.ndarray, key: np.ndarray) -> Allowed:
    """A window that looks back looks forward as far.

    >>> from attn_cli.variants.masks import MASKS
    >>> window = MASKS.parse("window:size=2")
    >>> window_both_ways(window, np.arange(3)[:, None], np.arange(3)).astype(int).tolist()
    [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
    """
    return abs(key - query) < _options(mask)["size"] if _is(mask, "window") else mask(query, key)


@MISTAKES.register
@in_place_of("allowed", tried=("on=queries", "on=both"))
def padding_on_queries(
    mask: Any, query: np.ndarray, key: np.ndarray, *, on: Literal["both", "queries"] = "queries"
) -> Allowed:
    """Padding hides the rows of padded queries, instead of the columns of padded keys or with them.

    >>> from attn_cli.variants.masks import MASKS
    >>> padding = MASKS.parse("padding:length=1")
    >>> padding_on_queries(padding, np.arange(2)[:, None], np.arange(2)).astype(int).tolist()
    [[1, 1], [0, 0]]
    """
    if not _is(mask, "padding"):
        return mask(query, key)
    rows, columns = query < _options(mask)["length"], key < _options(mask)["length"]
    return rows & (columns if on == "both" else np.ones_like(columns))


# ---- how they are hidden -------------------------------------------------------------------------------


def _not_masked(scores: Pairs, work: Work) -> Pairs:
    return scores


@MISTAKES.register
@in_place_of("finish", mask=_not_masked)
def mask_after_softmax(weights: Pairs, work: Work) -> Pairs:
    """Hidden weights are set to 0 after the softmax, and the rest is not divided by its sum again.

    >>> mask_after_softmax(np.array([[0.5, 0.5]]), {"mask": np.array([[True, False]])}).tolist()
    [[0.5, 0.0]]
    """
    return np.where(work["mask"], weights, 0.0)


@MISTAKES.register
@in_place_of("mask")
def mask_times_scores(scores: Pairs, work: Work) -> Pairs:
    """Scores are multiplied by a mask of 0 and 1: a hidden key has score 0, not −∞.

    >>> mask_times_scores(np.array([[2.0, 3.0]]), {"mask": np.array([[True, False]])}).tolist()
    [[2.0, 0.0]]
    """
    return scores * work["mask"]


@MISTAKES.register
@in_place_of("mask")
def mask_added(scores: Pairs, work: Work) -> Pairs:
    """A mask of 0 and 1 is added to the scores: what may be seen gets 1 more, nothing is hidden.

    >>> mask_added(np.array([[2.0, 3.0]]), {"mask": np.array([[True, False]])}).tolist()
    [[3.0, 3.0]]
    """
    return scores + work["mask"]


@MISTAKES.register
@in_place_of("mask", name="fill_1e-9")
def fill_tiny(scores: Pairs, work: Work) -> Pairs:
    """Hidden scores become −1e-9, next to nothing, where −1e9 was meant.

    >>> fill_tiny(np.array([[2.0, 3.0]]), {"mask": np.array([[True, False]])}).tolist()
    [[2.0, -1e-09]]
    """
    return np.where(work["mask"], scores, -1e-9)


@MISTAKES.register
@in_place_of("mask", tried=("how=filled", "how=added"))
def fill_uniform_blind_row(scores: Pairs, work: Work, *, how: Literal["added", "filled"] = "filled") -> Pairs:
    """A row that may see nothing attends to every key, since −1e9 in all of it changes nothing.

    >>> fill_uniform_blind_row(np.array([[2.0, 3.0]]), {"mask": np.array([[False, False]])}).tolist()
    [[-1000000000.0, -1000000000.0]]
    """
    return np.where(work["mask"], scores, -1e9 if how == "filled" else scores - 1e9)


@MISTAKES.register
@in_place_of("blind")
def nan_blind_row(weights: Pairs, work: Work) -> Pairs:
    """A row that may see nothing becomes NaN, since a softmax of only −∞ is 0 / 0.

    >>> nan_blind_row(np.zeros((1, 2)), {"masked": np.full((1, 2), -np.inf)}).tolist()
    [[nan, nan]]
    """
    rows = np.isneginf(work["masked"]).all(axis=-1, keepdims=True)
    return np.where(rows, np.nan, weights)
