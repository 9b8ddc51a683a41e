"""Specs of scores, positions and masks: a name, a function or an array is read here, and named for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import InputError
from ..registry import Variant, bound
from ..variants import masks, posenc, scores
from .mask_matrices import Added, Written

if TYPE_CHECKING:
    from ..variants.masks import Mask
    from ..variants.parameters import Arrays

# A spec, several joined by |, a function of the positions of queries and keys, or a matrix.
MaskSpec = str | Callable[..., Any] | np.ndarray
ScoreSpec = str | Callable[..., Any] | np.ndarray
PositionSpec = str | Callable[..., Any] | np.ndarray
Masks = MaskSpec | Sequence[MaskSpec | Sequence[MaskSpec]] | None

ReadArrays = Callable[[str], "Arrays"] | None


def score_of(given: ScoreSpec, seed: int = 0, read_arrays: ReadArrays = None) -> Variant:
    """A score by its spec, or a function of query and key; an array is the W of `general`.

    >>> score_of(np.eye(2)).name, score_of(lambda q, k: q @ k.mT).spec
    ('general', 'lambda')
    """
    known: dict[str, Any] = {"seed": seed}
    if _is_array(given):
        return scores.SCORES.parse("general", given=known | {"file": {"W": np.asarray(given)}})
    return scores.SCORES.of(given, given=known, read_arrays=read_arrays)


def position_of(
    given: PositionSpec | None, seed: int = 0, read_arrays: ReadArrays = None
) -> posenc.Position | None:
    """Positions inside the scores by spec or function; an array [query, key], or one for each head, is added.

    >>> position_of(None) is None, position_of("alibi").name, position_of(np.zeros((2, 2))).table.shape
    (True, 'alibi', torch.Size([1, 2, 2]))
    """
    if given is None or (isinstance(given, str) and not given):
        return None
    if _is_array(given):
        table = torch.as_tensor(given)
        if table.ndim not in (2, 3) or not table.isfinite().all():
            hint = "give finite numbers [query, key], or [head, query, key]"
            raise InputError(f"positions {list(table.shape)}", hint=hint)
        return Added(table.reshape(-1, *table.shape[-2:]))
    return posenc.POSITIONS.of(given, given={"seed": seed}, read_arrays=read_arrays)


def masks_of(given: Masks, seed: int = 0) -> tuple[tuple[Mask, ...], ...]:
    """Masks that must all permit, each of parts of which any permits: one mask, several, or None.

    >>> [len(parts) for parts in masks_of(["causal", "window|global"])], len(masks_of("causal")), masks_of(None)
    ([1, 2], 1, ())
    """
    if given is None:
        return ()
    several = [given] if isinstance(given, str) else _listed(given)
    return tuple(tuple(_mask(part, seed) for part in _parts(one)) for one in several)


def _parts(mask: Any) -> Sequence[Any]:
    return mask.split("|") if isinstance(mask, str) else _listed(mask)


def _listed(given: Any) -> Sequence[Any]:
    """The things in a list; anything else, a matrix too, is one thing."""
    return [given] if _is_matrix(given) or not isinstance(given, list | tuple) else given


def _mask(part: Any, seed: int) -> Mask:
    if _is_matrix(part):
        return Written(torch.tensor(masks.from_matrix(np.asarray(part))))
    mask = masks.MASKS.of(part, given={"seed": seed})
    if masks.is_of_vectors(mask):
        return mask
    here = torch.zeros(1, dtype=torch.long)
    answer = mask(here[:, None], here)  # refuses options out of range
    if not isinstance(answer, torch.Tensor) or answer.dtype != torch.bool:
        what = answer.dtype if isinstance(answer, torch.Tensor) else type(answer).__name__
        hint = "give a function of the positions of queries and keys, such as lambda query, key: key <= query"
        raise InputError(f"mask {mask.name!r} returns {what}, expected True or False", hint=hint)
    return mask


def _is_array(given: Any) -> bool:
    return isinstance(given, np.ndarray | torch.Tensor)


def _is_matrix(given: Any) -> bool:
    """Whether this is one mask written out, and not several masks."""
    if _is_array(given):
        return True
    rows = given if isinstance(given, list | tuple) else ()
    cells = [cell for row in rows if isinstance(row, list | tuple) for cell in row]
    return bool(cells) and all(isinstance(cell, bool | int | float | np.generic) for cell in cells)


def spelt(chosen: Callable[..., Any]) -> str:
    """What was chosen, in words: its spec, with the seed if it is random, and whether it stands for something learned.

    >>> spelt(score_of("general", seed=3)), spelt(score_of(np.eye(2))), spelt(masks_of(np.eye(2))[0][0])
    ('general (untrained, seed 3)', 'general', 'given as a matrix')
    """
    if not isinstance(chosen, Variant):
        return "given as a matrix"
    options: Mapping[str, Any] = bound(chosen)
    untrained = "untrained, " if options.get("file", "") is None else ""
    if "seed" not in options or options.get("file") is not None:
        return chosen.spec
    return f"{chosen.spec} ({untrained}seed {options['seed']})"
