"""Which token a model that goes on with a text writes next: one function per way, each with its formula and paper.

A way takes the logits [vocab] of the next token and a number drawn evenly from [0, 1), and gives a token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..registry import Registry

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from ..registry import Variant

Sampling = Callable[..., Any]

SAMPLINGS: Registry[Sampling] = Registry("sample")


@SAMPLINGS.register
def greedy(logits: Float[Tensor, " vocab"], drawn: float = 0.0) -> int:
    """The likeliest token, the first of equals.

    >>> import torch
    >>> greedy(torch.tensor([0.0, 2.0, 2.0]))
    1
    """
    return int(logits.argmax())


@SAMPLINGS.register
def random(
    logits: Float[Tensor, " vocab"],
    drawn: float = 0.0,
    *,
    temperature: float = 1.0,
    top_p: float = 1.0,
    seed: int = 0,
) -> int:
    """Drawn from softmax(logits / temperature), cut to the likeliest tokens that hold top_p of it.

    Of the tokens, the likeliest first, so many are kept that their probabilities sum to at least top_p (nucleus
    sampling: Holtzman et al. 2020, arXiv:1904.09751). `drawn` falls into the share of one of them.

    >>> import torch
    >>> even = torch.zeros(4)
    >>> [random(even, drawn) for drawn in (0.1, 0.3, 0.9)], random(even, 0.9, top_p=0.5)
    ([0, 1, 3], 1)
    """
    if temperature <= 0:
        raise InputError(f"temperature {temperature}", hint="give a number above 0, or leave --sample out")
    if not 0 < top_p <= 1:
        raise InputError(f"top_p {top_p}", hint="give a number above 0, at most 1")
    sorted_ = (logits.double() / temperature).softmax(dim=-1).sort(descending=True, stable=True)
    sums = sorted_.values.cumsum(dim=-1)
    n_kept = int((sums < top_p * float(sums[-1])).sum()) + 1
    share = sums[:n_kept] / sums[n_kept - 1]
    return int(sorted_.indices[min(int((share <= drawn).sum()), n_kept - 1)])


def sampling_of(given: Any) -> Variant:
    """A way by its spec, whose name may be left out before its options, or a function; None is greedy.

    >>> sampling_of("temperature=0.5").options["temperature"], sampling_of(None).name
    (0.5, 'greedy')
    """
    if given is None:
        return SAMPLINGS.parse("greedy")
    if isinstance(given, str) and "=" in given.partition(":")[0]:
        given = f"random:{given}"
    return SAMPLINGS.of(given)
