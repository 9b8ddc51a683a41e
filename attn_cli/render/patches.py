"""Attention to the patches of an image, in the places where they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

    from ..records.attention import Attention


def maps_of(attention: Attention, query: int = 0) -> Float[np.ndarray, "layer head row column"]:
    """The weights from one query to each patch, where the patches lie.

    Raises InputError when the keys are not those of an image, or the weights are means over several of them.
    """
    if attention.patches is None:
        raise InputError(
            "this attention has no image to draw over",
            hint="give one to a ViT: attn heatmap photo.jpg --model DIR",
        )
    if attention.show == "scores":
        raise InputError("scores cannot be drawn over an image", hint="draw a map: --view map")
    if attention.pooled:
        raise InputError("the weights are pooled over patches", hint="choose one --layer")
    if not 0 <= query < len(attention.query_tokens):
        raise InputError(f"no query {query}", hint=f"give 0 to {len(attention.query_tokens) - 1}")
    rows, columns = attention.patches
    of_patches = attention.shown[:, :, query, -rows * columns :]
    return of_patches.reshape(*of_patches.shape[:2], rows, columns)


def middle_of(attention: Attention) -> str:
    """The query to show where none is asked for: the token of the whole, or a word; where all are patches the middle one.

    >>> from attn_cli.records.attention import Attention
    >>> middle_of(Attention(("0,0", "0,1"), ("0,0", "0,1"), [[[[0.3, 0.7], [1, 0]]]], patches=(1, 2)))
    '0'
    """
    if attention.patches is None or patch_of(attention, 0) is None:
        return "0"
    rows, columns = attention.patches
    numbers = {name: i for i, name in enumerate(attention.key_tokens[-rows * columns :])}
    places = [divmod(numbers.get(name, 0), columns) for name in attention.query_tokens]
    y, x = (sum(axis) / len(places) for axis in zip(*places, strict=True))
    away = [(row - y) ** 2 + (column - x) ** 2 for row, column in places]
    return str(away.index(min(away)))


def patch_of(attention: Attention, query: int) -> tuple[int, int] | None:
    """Row and column of the patch that a query is, None where it is none."""
    assert attention.patches is not None
    rows, columns = attention.patches
    name, patches = attention.query_tokens[query], attention.key_tokens[-rows * columns :]
    return divmod(patches.index(name), columns) if name in patches else None
