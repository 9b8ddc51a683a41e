"""How long a person waits for the first picture of a real model, and what a long text takes of memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .pairs import ATTN, Pair, measure
from .startup import SENTENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent

# A directory of the size of bert-base, with random weights and a tokenizer that knows every letter.
MAKE = """
import sys
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(33, 127))]
pieces += [f"##{piece}" for piece in pieces[5:]]
tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
tokenizer.normalizer = normalizers.BertNormalizer()
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
BertModel(BertConfig()).save_pretrained(sys.argv[1])
PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]").save_pretrained(sys.argv[1])
"""

# A directory of the size of gpt2 that reads 4,096 tokens, each of them a letter.
MAKE_LONG = """
import sys
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2Model, PreTrainedTokenizerFast
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
GPT2Model(GPT2Config(n_positions=4096)).save_pretrained(sys.argv[1])
PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(sys.argv[1])
"""
LONG, MOST = 4096, 2048  # tokens, and MiB for the maps of all 144 heads
EAGER = 14 * 2**30  # bytes that transformers takes for them, and some room


def pairs(folder: str) -> list[Pair]:
    """A BERT directory, one layer of one sentence, from the start to the PNG; beside torch alone and transformers."""
    directory = str(Path(folder) / "bert-base")
    subprocess.run([sys.executable, "-c", MAKE, directory], check=True, capture_output=True)
    draw = [*ATTN, "heatmap", SENTENCE, "--model", directory, "--layer", "5", "-q", "-o", "x.png"]

    def by(name: str) -> list[str]:
        return [sys.executable, str(HERE / f"{name}.py"), directory, SENTENCE, "y.png"]

    return [
        Pair("attn heatmap --model BERT, to lean torch", draw, by("reference_lean_bert"), 1.15),
        Pair("the same, to transformers", draw, by("reference_bert"), 0.45),
    ]


def rows() -> Iterator[str]:
    """A line: the maps of all heads of a long text, and the memory that transformers takes for the weights."""
    with tempfile.TemporaryDirectory() as folder:
        directory, text = str(Path(folder) / "gpt2"), str(Path(folder) / "long.txt")
        subprocess.run([sys.executable, "-c", MAKE_LONG, directory], check=True, capture_output=True)
        Path(text).write_text(("The quick brown fox jumps over the lazy dog. " * LONG)[:LONG], "utf-8")
        ours = measure([*ATTN, "attend", text, "--model", directory, "-q", "-o", "x.npz"], folder)
        told = f"{ours.memory:6.0f} MiB ≤ {MOST}"
        if os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") > EAGER:
            eager = [sys.executable, str(HERE / "reference_gpt2.py"), directory, text, "y.pt"]
            told += f", transformers {measure(eager, folder).memory:6.0f} MiB"
        yield f"{f'maps of 144 heads of {LONG:,} tokens':46} {ours.seconds:7.3f} s {told}"


if __name__ == "__main__":
    print(*rows(), sep="\n")
