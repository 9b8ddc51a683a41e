"""How long a person waits for the first picture of a real model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .pairs import ATTN, Pair
from .startup import SENTENCE

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


def pairs(folder: str) -> list[Pair]:
    """A BERT directory, one layer of one sentence, from the start to the PNG; beside transformers."""
    directory = str(Path(folder) / "bert-base")
    subprocess.run([sys.executable, "-c", MAKE, directory], check=True, capture_output=True)
    return [
        Pair(
            "attn heatmap --model BERT, to transformers",
            [*ATTN, "heatmap", SENTENCE, "--model", directory, "--layer", "5", "-q", "-o", "x.png"],
            [sys.executable, str(HERE / "reference_bert.py"), directory, SENTENCE, "y.png"],
            0.5,
        )
    ]
