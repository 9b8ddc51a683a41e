"""What an encoder–decoder writes when it is left to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .capture import fast

if TYPE_CHECKING:
    from jaxtyping import Bool, Int

    from .capture import Attend
    from .model import Transformer
    from .writing import Writer


def most_written(n_source: int, max_len: int) -> int:
    """How many tokens to write at most, should the model find no end: twice the source, and a few.

    >>> most_written(5, max_len=256), most_written(200, max_len=256)
    (20, 255)
    """
    return min(max_len - 1, 2 * n_source + 10)


@torch.inference_mode()
def greedy(
    model: Transformer,
    source: Tensor,
    padding_mask: Bool[Tensor, "batch seq"] | None,
    starts: Int[Tensor, " batch"],
    end: int,
    longest: int,
    attend: Attend = fast,
    writer: Writer | None = None,
) -> list[list[int]]:
    """The most probable token after those before it, again and again, until the end or `longest` tokens.

    `starts` are the tokens that the decoder reads first; neither they nor the end are given back. A greedy `writer`
    remembers how likely those of the first source were, the end too.
    """
    mask = None if padding_mask is None else padding_mask[:, None, None, :]
    context = model.encoder(model.embed(source), mask, attend)  # [batch, seq, d_model]
    written = starts[:, None]
    over = torch.zeros(len(starts), dtype=torch.bool, device=starts.device)
    for _ in range(longest):
        last = model.logits(model.decode(written, context, mask, attend)[:, -1:])[:, 0]  # [batch, vocab]
        token = last.argmax(dim=-1)
        if writer is not None:
            writer.next(last[0])
        over |= token == end
        if over.all():
            break
        written = torch.cat([written, token.masked_fill(over, end)[:, None]], dim=1)
    return [row[: row.index(end)] if end in row else row for row in written[:, 1:].tolist()]
