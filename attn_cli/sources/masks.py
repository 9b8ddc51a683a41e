"""A mask by itself, of any size or of a text's, as an attention whose weights are 1 where a query may attend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..records.attention import Attention
from .resolve import read_source
from .vectors import rule_of

if TYPE_CHECKING:
    from torch import Tensor

    from ..attention.rules import Rule
    from .groups import Options

USUAL, MOST = 16, 4096  # positions


def drawn(data: Any, options: Options, n: int | None = None, *, where: str = "") -> Attention:
    """The mask that the options describe, of the size of what was given, or of n × n positions.

    Raises InputError where the mask depends on vectors and there are none, and for more than 4,096 positions.
    """
    from ..attention.rules import positions

    if n is not None and n > MOST:
        raise InputError(f"a mask of {n} × {n} positions", hint=f"give at most {MOST}")
    rule = rule_of(options.scoring, options.positions.posenc, options.seed.seed)
    if data is None and options.vectors.query is None:
        query, key = _placeholders(rule, n)
        tokens = tuple(map(str, range(len(query)))), tuple(map(str, range(len(key))))
    else:
        if n is not None:
            raise InputError("--len cannot be combined with INPUT", hint="drop one")
        heads = read_source(data, options, where=where)
        if isinstance(heads, Attention):
            raise InputError("a saved attention cannot be masked", hint="give a text or vectors")
        query, key, tokens = heads.query, heads.key, (heads.query_tokens, heads.key_tokens)
    n_query, n_key = query.shape[-2], key.shape[-2]
    if max(n_query, n_key) > MOST:
        raise InputError(f"a mask of {n_query} × {n_key} positions", hint=f"give at most {MOST}")
    rule.check(n_query, n_key)
    allowed = rule.allowed(query, key, *positions(n_query, n_key, key.device))
    assert allowed is not None
    weights = allowed.reshape(1, -1, n_query, n_key).double().cpu().numpy()
    return Attention(
        *tokens, weights, "self" if options.vectors.context is None else "cross", rule.provenance
    )


def _placeholders(rule: Rule, n: int | None) -> tuple[Tensor, Tensor]:
    """Vectors that say nothing but how many there are: n, or what a mask written out as a matrix says."""
    import torch

    from ..attention.mask_matrices import Written
    from ..variants.masks import is_of_vectors

    every = [mask for parts in rule.masks for mask in parts]
    if any(map(is_of_vectors, every)):
        raise InputError("this mask depends on the vectors", hint="give a text or vectors as INPUT")
    written = [tuple(mask.table.shape) for mask in every if isinstance(mask, Written)]
    n_query, n_key = written[0] if written and n is None else (n or USUAL, n or USUAL)
    return torch.zeros(n_query, 1), torch.zeros(n_key, 1)
