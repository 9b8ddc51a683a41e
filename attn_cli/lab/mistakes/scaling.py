"""Mistakes in the factor between a dot product and a score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from .catalogue import MISTAKES, in_place_of

if TYPE_CHECKING:
    from ..pipeline import Work
    from ..right import Pairs


def _unscaled(dots: Pairs, work: Work) -> Pairs:
    return dots


@MISTAKES.register
@in_place_of("scale")
def no_scale(dots: Pairs, work: Work) -> Pairs:
    """Scores are not scaled: softmax(Q Kᵀ).

    >>> no_scale(np.array([2.0]), None).tolist()
    [2.0]
    """
    return dots


@MISTAKES.register
@in_place_of("scale")
def scale_d_model(dots: Pairs, work: Work) -> Pairs:
    """Scores are divided by √d_model instead of √d_head.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> scale_d_model(np.array([6.0]), Work(proposed())).round(4).tolist()  # 6 / √6
    [2.4495]
    """
    return dots / np.sqrt(work.exercise.d_model)


@MISTAKES.register
@in_place_of("scale")
def scale_n_heads(dots: Pairs, work: Work) -> Pairs:
    """Scores are divided by √n_heads instead of √d_head.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> scale_n_heads(np.array([2.0]), Work(proposed())).round(4).tolist()  # 2 / √2
    [1.4142]
    """
    return dots / np.sqrt(work.n_heads)


@MISTAKES.register
@in_place_of("scale")
def scale_d_k_not_root(dots: Pairs, work: Work) -> Pairs:
    """Scores are divided by d_head, not by its root.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> scale_d_k_not_root(np.array([6.0]), Work(proposed())).tolist()  # 6 / 3
    [2.0]
    """
    return dots / work.d_head


@MISTAKES.register
@in_place_of("scale")
def scale_multiplied(dots: Pairs, work: Work) -> Pairs:
    """Scores are multiplied by √d_head, not divided.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> scale_multiplied(np.array([2.0]), Work(proposed())).round(4).tolist()  # 2 · √3
    [3.4641]
    """
    return dots * np.sqrt(work.d_head)


@MISTAKES.register
@in_place_of("scale", tried=("of=keys", "of=queries"))
def scale_length(dots: Pairs, work: Work, *, of: Literal["queries", "keys"] = "keys") -> Pairs:
    """Scores are divided by the root of the length of the sequence, √T.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> scale_length(np.ones((1, 5, 7)), Work(proposed()))[0, 0, 0].round(4).tolist()  # 1 / √7
    0.378
    """
    return dots / np.sqrt(dots.shape[-1 if of == "keys" else -2])


@MISTAKES.register
@in_place_of("scale")
def scale_fourth_root(dots: Pairs, work: Work) -> Pairs:
    """Scores are divided by d_head^¼, which is right for query and key each.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> scale_fourth_root(np.array([2.0]), Work(proposed())).round(4).tolist()  # 2 / 3^¼
    [1.5197]
    """
    return dots / work.d_head**0.25


@MISTAKES.register
@in_place_of("finish", scale=_unscaled)
def scale_after_softmax(weights: Pairs, work: Work) -> Pairs:
    """The weights are divided by √d_head after the softmax, the scores not at all.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> scale_after_softmax(np.array([1.0]), Work(proposed())).round(4).tolist()  # 1 / √3
    [0.5774]
    """
    return weights / np.sqrt(work.d_head)


@MISTAKES.register
@in_place_of("scale")
def scale_twice(dots: Pairs, work: Work) -> Pairs:
    """Scores are divided by √d_head twice: once with the query, once with the scores.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> scale_twice(np.array([6.0]), Work(proposed())).round(4).tolist()  # 6 / √3 / √3
    [2.0]
    """
    root = np.sqrt(work.d_head)
    return dots / root / root
