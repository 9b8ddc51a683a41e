"""`python -m benchmarks.reference_rnn PAIRS.tsv [STEPS]`: what mini has to beat, recurrent networks.

A GRU reads the sentence in both directions, another writes the translation and looks back at what was read:
Luong, Pham & Manning 2015, arXiv:1508.04025, with `dot` scores. The same pieces, batches and held-out
sentences as mini, the same optimiser and schedule, and about as many weights.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from attn_cli.toy.batches import IGNORED, Numbered, order
from attn_cli.toy.examples import END
from attn_cli.toy.own import translate
from attn_cli.toy.schedules import cosine
from attn_cli.toy.translation import measure, text
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout

from .mini import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attn_cli.toy.batches import Batch
    from attn_cli.toy.examples import Dataset, Example

WIDTH, DROPOUT, SMOOTHING, LR, SIZE = 256, 0.2, 0.1, 0.002, 64


class Recurrent(nn.Module):
    """Embeddings that are the output's too, one layer of GRU on each side, dot attention between them."""

    def __init__(self, vocab: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab, WIDTH)
        nn.init.normal_(self.embedding.weight, std=WIDTH**-0.5)
        self.reader = nn.GRU(WIDTH, WIDTH // 2, batch_first=True, bidirectional=True)
        self.writer = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.mix = nn.Linear(2 * WIDTH, WIDTH)

    def read(self, source: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """What stands at each place, [batch, seq, WIDTH], and where the writer begins, [1, batch, WIDTH]."""
        lengths = real.sum(dim=1).cpu()
        x = nn.utils.rnn.pack_padded_sequence(
            self._drop(self.embedding(source)), lengths, batch_first=True, enforce_sorted=False
        )
        seen, last = self.reader(x)
        seen, _ = nn.utils.rnn.pad_packed_sequence(seen, batch_first=True, total_length=source.shape[1])
        return seen, torch.cat([last[0], last[1]], dim=-1)[None]

    def write(self, written: Tensor, seen: Tensor, real: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of what comes next, [batch, out, vocab], and the state after it."""
        x, state = self.writer(self._drop(self.embedding(written)), state)
        scores = (x @ seen.mT).masked_fill(~real[:, None, :], -torch.inf)
        looked = torch.cat([x, scores.softmax(dim=-1) @ seen], dim=-1)
        return self._drop(torch.tanh(self.mix(looked))) @ self.embedding.weight.T, state

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, DROPOUT, self.training)


def train(model: Recurrent, data: Numbered, steps: int) -> None:
    """AdamW, warm-up and cosine, as for mini."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.98), fused=True)
    done, epoch = 0, 0
    while done < steps:
        for chosen in order(data, SIZE, 0, epoch)[: steps - done]:
            done += 1
            optimizer.param_groups[0]["lr"] = LR * cosine(done, steps)
            optimizer.zero_grad()
            loss = _loss(model, data.batch(chosen))
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            if done % 250 == 0:
                print(f"step {done}: loss {loss.item():.3f}", file=sys.stderr, flush=True)
        epoch += 1


def _loss(model: Recurrent, batch: Batch) -> Tensor:
    assert batch.padding_mask is not None
    assert batch.written is not None
    logits, _ = model.write(batch.written, *_read(model, batch))
    return cross_entropy(
        logits.flatten(0, 1), batch.wanted.flatten(), ignore_index=IGNORED, label_smoothing=SMOOTHING
    )


def _read(model: Recurrent, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    assert batch.padding_mask is not None
    seen, state = model.read(batch.source, batch.padding_mask)
    return seen, batch.padding_mask, state


@torch.inference_mode()
def write(model: Recurrent, dataset: Dataset, examples: Sequence[Example]) -> list[str]:
    """What the network writes, greedily."""
    data, end = Numbered(examples, dataset, writes=True), dataset.vocabulary.index(END)
    written = []
    for i in range(len(examples)):
        batch = data.batch([i])
        assert batch.written is not None
        seen, real, state = _read(model, batch)
        last, said = batch.written[:, :1], []
        for _ in range(2 * batch.source.shape[1] + 10):
            logits, state = model.write(last, seen, real, state)
            last = logits[:, -1:].argmax(dim=-1)
            if last.item() == end:
                break
            said.append(dataset.vocabulary[int(last)])
        written.append(text(said))
    return written


def main(path: str, steps: Any = 11_000) -> None:
    """Train it and print what `benchmarks.mini` prints of mini."""
    torch.manual_seed(0)
    dataset = translate(Path(path).read_text("utf-8"), both=True, source="en", target="zh", skip=1)
    model = Recurrent(len(dataset.vocabulary))
    print(f"{sum(x.numel() for x in model.parameters()) / 1e6:.1f} million weights, {steps} steps")
    train(model.train(), Numbered(dataset.train, dataset, writes=True), int(steps))
    model.eval()
    for language, scores in measure(dataset, lambda examples: write(model, dataset, examples)).items():
        print(told(language, scores))


if __name__ == "__main__":
    main(*sys.argv[1:])
