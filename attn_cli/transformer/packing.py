"""Several short texts end to end in one row, so that little of a batch is padding.

`document_ids` number the document of each token within its row from 1; 0 is padding. Documents do not see each
other, and their position in the row makes no difference. Krell et al. 2021, arXiv:2107.02027.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Int
    from torch import Tensor


def together(sources: Sequence[int], targets: Sequence[int]) -> list[list[int]]:
    """Which texts to lay in one row, by their lengths, where rows are as long as the longest source and target.

    The longest text begins a row, and the shortest that are left fill it while they fit.

    >>> together([5, 1, 3, 2, 2], [5, 1, 3, 2, 2])
    [[0], [2, 1], [4, 3]]
    """
    seq, out = max(sources), max(targets)
    left = deque(sorted(range(len(sources)), key=lambda i: sources[i] + targets[i]))
    rows = []
    while left:
        row = [left.pop()]
        room = seq - sources[row[0]], out - targets[row[0]]
        while left and sources[left[0]] <= room[0] and targets[left[0]] <= room[1]:
            row.append(left.popleft())
            room = room[0] - sources[row[-1]], room[1] - targets[row[-1]]
        rows.append(row)
    return rows


def same_document(
    query: Int[Tensor, "batch query"], key: Int[Tensor, "batch key"]
) -> Bool[Tensor, "batch 1 query key"]:
    """Mask for every head: True where query and key belong to the same document.

    Padding queries see every key, since a softmax over nothing differs between kernels; their rows are not used.

    >>> import torch
    >>> same_document(torch.tensor([[1, 1, 2, 0]]), torch.tensor([[1, 2]])).int()
    tensor([[[[1, 0],
              [1, 0],
              [0, 1],
              [1, 1]]]], dtype=torch.int32)
    """
    query = query[:, None, :, None]
    return (query == key[:, None, None, :]) | (query == 0)


def place_in_document(document_ids: Int[Tensor, "batch seq"]) -> Int[Tensor, "batch seq"]:
    """Count the tokens before each token in its own document.

    >>> import torch
    >>> place_in_document(torch.tensor([[1, 1, 1, 2, 2]]))
    tensor([[0, 1, 2, 0, 1]])
    """
    begins = document_ids.diff(dim=1, prepend=document_ids[:, :1] - 1) != 0
    place = begins.new_ones(document_ids.shape, dtype=document_ids.dtype).cumsum(dim=1) - 1  # in the row
    return place - (place * begins).cummax(dim=1).values
