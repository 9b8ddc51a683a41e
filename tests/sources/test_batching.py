"""Texts of one length go through a model together: the figures are those of one text after the other."""

import numpy as np
import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.models.native import batching
from attn_cli.models.native.huggingface import HuggingFace
from attn_cli.sources import measuring
from attn_cli.sources.batching import can_be_batched
from attn_cli.sources.groups import Computing, Model, Options, Selection
from attn_cli.transformer.model import Config, Transformer
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import WordLevel
from torch import nn

WORDS = ["[UNK]", "[CLS]", *"abcdefg"]
TEXTS = ["a b a c", "b c d e", "a", "d d d d", "a b c d e f", "g f a a", "c"]
SIZES = {"vocab": len(WORDS), "max_len": 8, "d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 12}


def model_of(**more):
    torch.manual_seed(0)
    stack = Transformer(Config(**SIZES, **more, unembedding="none")).requires_grad_(False)
    for parameter in stack.parameters():
        nn.init.normal_(parameter, std=0.5)
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 1)])
    return HuggingFace("a model", "tiny", stack, tokenizer)


@pytest.mark.parametrize("more", [{}, {"stack": "decoder", "window": 3, "windowed": (1,)}, {"segments": 2}])
@pytest.mark.parametrize("most", [2**24, 100])
def test_together_is_one_by_one(monkeypatch, more, most):
    monkeypatch.setattr(batching, "MOST", most)
    model, options = model_of(**more), Options(computing=Computing("float64"))
    assert can_be_batched(model, options, None)
    together = measuring.stats_of_texts(TEXTS, options, model=model)
    apart = measuring.Texts()
    for text in TEXTS:
        apart.add(measuring.measure(text, options, model=model))
    expected = apart.table()
    assert list(together.columns) == list(expected.columns)
    assert together.provenance == expected.provenance
    for name, numbers in expected.columns.items():
        if numbers.dtype.kind == "f":
            np.testing.assert_allclose(together[name], numbers, rtol=0, atol=1e-12, err_msg=name)
        else:
            assert together[name].tolist() == numbers.tolist(), name
    assert np.isfinite(together["duplicate"]).any()
    assert (together["special"] > 0).all()


def test_layers_are_chosen_and_texts_that_do_not_fit_are_named():
    model = model_of()
    table = measuring.stats_of_texts(TEXTS, Options(select=Selection(layer="1")), model=model)
    assert set(table["layer"]) == {1}
    with pytest.raises(InputError, match=r"text 1: .*tokens, the model reads at most 8"):
        measuring.stats_of_texts(["a", "a b c d e f g a b"], Options(), model=model)
    with pytest.raises(InputError, match="text 1: the text contains no token"):
        measuring.stats_of_texts(["a", " "], Options(), model=model)


@pytest.mark.parametrize(
    "options",
    [
        Options(select=Selection(head="0")),
        Options(select=Selection(layer="mean")),
        Options(model=Model(special="drop")),
        Options(model=Model(without=("L0H0",))),
        Options(model=Model(too_long="chunk")),
    ],
)
def test_what_is_picked_is_measured_one_by_one(options):
    assert not can_be_batched(model_of(), options, None)
    assert not can_be_batched(model_of(), Options(), "norms")
