"""What is known of each attention of a program over all its calls: where, how often, how large, of which kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from .call_inputs import Given
    from .places import Spot


@dataclass(eq=False)
class Calls:
    """All calls of one attention."""

    spot: Spot
    root: int
    layer: int
    head: int | None  # where each head of a layer is a module of its own
    way: str
    crosses: bool | None = None  # what the first call told
    causal: bool = False
    square: bool = True
    count: int = 0
    n_heads: int = 0
    kv_heads: int = 0
    sizes: dict[tuple[int, int], int] = field(default_factory=dict)  # (queries, keys): how often
    masked: dict[str, None] = field(default_factory=dict)  # in words, all that were seen
    dropout: float = 0.0
    where: str = ""  # device and type of its numbers
    n_batch: int = 1
    line: tuple[Any, int] | None = None  # of the program, where it computes one head at a time
    cache: Cache | None = None

    def count_in(self, given: Given) -> None:
        """Take note of one more."""
        n_heads, n_query, n_key = given.shape
        self.count += 1
        self.n_heads, self.kv_heads, self.n_batch = n_heads, given.kv_heads or n_heads, given.n_batch
        self.sizes[n_query, n_key] = self.sizes.get((n_query, n_key), 0) + 1
        self.dropout = max(self.dropout, given.dropout)
        self.where = f"{given.tensor.device.type} {str(given.tensor.dtype).removeprefix('torch.')}"
        if given.masked:
            self.masked[given.masked] = None


@dataclass(eq=False)
class Cache:
    """The values that one attention has seen last, and how far the text goes that they belong to."""

    value: torch.Tensor  # [kv_head, key, d_value]
    n_queries: int  # so far
    n_keys: int

    def grown(self, given: Given) -> bool:
        """Whether a call goes on with a text: all keys but its newest are the last of those before.

        A cache that forgets what is far back still ends with them.

        >>> import torch
        >>> from .call_inputs import Given
        >>> x = torch.rand(1, 5, 2)
        >>> Cache(x[:, :4], 4, 4).grown(Given(x[:, 4:], x, value=x)), Cache(x[:, :4], 4, 4).grown(Given(x, x, value=x))
        (True, False)
        """
        _, n_query, n_key = given.shape
        before, n_old = n_key - n_query, self.value.shape[1]
        if given.value is None or not 0 < before <= n_old:
            return False
        new, old = _of_same_heads(given.value, self.value)
        return torch.equal(new[:, :before], old[:, n_old - before :])

    def exchanged(self, given: Given) -> bool:
        """Whether a call has as many keys as would go on with a text, in a batch, where they are not that text's."""
        _, n_query, n_key = given.shape
        return given.n_batch > 1 and 0 < n_key - n_query == self.n_keys and not self.same(given)

    def same(self, given: Given) -> bool:
        """Whether a call looks at the same keys, as cross-attention does at the source."""
        return given.value is not None and torch.equal(*_of_same_heads(given.value, self.value))


def _of_same_heads(one: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values of as many heads: those that heads share are given once, or once for each head."""
    fewest = min(len(one), len(other))
    return one[:: max(len(one) // fewest, 1)], other[:: max(len(other) // fewest, 1)]
