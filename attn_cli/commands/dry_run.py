"""`attn attend --dry-run`: the mask alone, of a text's size or of any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InputError
from ..records.attention import Attention

if TYPE_CHECKING:
    from torch import Tensor

    from ..attention.rules import Rule
    from ..records.attention import Kind
    from .io.options import Output, Source

_USUAL, _MOST = 16, 4096  # positions


def draw_mask(source: Source, to: Output, n: int | None) -> None:
    """Draw the mask that the options describe: a picture, or 1 and 0 in any other format."""
    from .. import files
    from ..render import FIGURES
    from .io.environment import environment
    from .io.output import deliver, emit, for_screen

    mask = _mask(source, n)
    if for_screen(to):
        from ..render.figure.masks import mask_picture

        environment.stdout().print(mask_picture(mask))
        return
    name = files.format_of(to.output, to.format, pictures=FIGURES)
    if name not in FIGURES:
        emit(mask, to)
        return
    from ..render.figure.figure import save
    from ..render.figure.masks import mask_figure

    deliver([save(mask_figure(mask), name)], name, to)


def _mask(source: Source, n: int | None) -> Attention:
    """The mask as an attention: weight 1 where a query may attend."""
    from ..attention.rules import positions
    from .io.resolve import resolve_heads, rule

    if n is not None and n > _MOST:
        raise InputError(f"a mask of {n} × {n} positions", hint=f"give at most {_MOST}")
    if not source.mask:
        raise InputError("--dry-run without a mask", hint="give --mask SPEC; --mask help lists them")
    by = rule(source)
    if source.input or source.text or source.query:
        if n is not None:
            raise InputError("--len beside INPUT", hint="leave one of them out")
        heads = resolve_heads(source, default_model="none")
        if isinstance(heads, Attention):
            raise InputError("--dry-run of what has attended already", hint="give a text or vectors")
        query, key, tokens = heads.query, heads.key, (heads.query_tokens, heads.key_tokens)
    else:
        query, key = _placeholders(by, n)
        tokens = tuple(map(str, range(len(query)))), tuple(map(str, range(len(key))))
    n_query, n_key = query.shape[-2], key.shape[-2]
    if max(n_query, n_key) > _MOST:
        raise InputError(f"a mask of {n_query} × {n_key} positions", hint=f"give at most {_MOST}")
    by.check(n_query, n_key)
    allowed = by.allowed(query, key, *positions(n_query, n_key, key.device))
    assert allowed is not None
    weights = allowed.reshape(1, -1, n_query, n_key).double().cpu().numpy()
    kind: Kind = "cross" if source.context else "self"
    return Attention(*tokens, weights, kind, by.provenance)


def _placeholders(by: Rule, n: int | None) -> tuple[Tensor, Tensor]:
    """Vectors that say nothing but how many there are: n, or what a mask written out as a matrix says."""
    import torch

    from ..attention.rules import Written
    from ..variants.masks import is_of_vectors

    every = [mask for parts in by.masks for mask in parts]
    if any(map(is_of_vectors, every)):
        raise InputError("a mask that is decided by vectors", hint="give a text or vectors as INPUT")
    written = [tuple(mask.table.shape) for mask in every if isinstance(mask, Written)]
    n_query, n_key = written[0] if written and n is None else (n or _USUAL, n or _USUAL)
    return torch.zeros(n_query, 1), torch.zeros(n_key, 1)
