"""The logits of models that are read natively are those of `transformers`."""

import json
import warnings

import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.models.native import huggingface
from attn_cli.models.native.weights import Checkpoint
from torch import nn

transformers = pytest.importorskip("transformers")

SMALL = {
    "vocab_size": 50, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 40, "max_position_embeddings": 40,
}  # fmt: skip
DISTIL = {
    "vocab_size": 50,
    "dim": 24,
    "n_layers": 2,
    "n_heads": 4,
    "hidden_dim": 40,
    "max_position_embeddings": 40,
}
SPEAKING = {
    "BertForMaskedLM": {**SMALL, "hidden_act": "relu"},
    "RobertaForMaskedLM": SMALL,
    "DistilBertForMaskedLM": DISTIL,
    "GPT2LMHeadModel": {"vocab_size": 50, "n_embd": 24, "n_layer": 2, "n_head": 4, "n_positions": 40},
    "LlamaForCausalLM": SMALL,
    "Qwen2ForCausalLM": {**SMALL, "num_key_value_heads": 4, "tie_word_embeddings": True},
}


def saved(directory, kind, sizes):
    torch.manual_seed(0)
    architecture = getattr(transformers, kind)
    model = architecture(architecture.config_class(**sizes)).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    with warnings.catch_warnings(action="ignore"):
        model.save_pretrained(directory)
    return model


def speaking(directory):
    config = json.loads((directory / "config.json").read_text())
    model = huggingface.load_stack(directory, config)

    def unembed(stack):
        return huggingface._unembedding(directory, config, None, stack)

    return huggingface.HuggingFace("a model", "tiny", model, None, unembed).speaking


@pytest.mark.parametrize("kind", SPEAKING)
def test_logits_are_those_of_the_library(tmp_path, kind):
    theirs = saved(tmp_path, kind, SPEAKING[kind])
    tokens = torch.arange(3, 12)[None]
    with torch.no_grad():
        expected = theirs(tokens).logits
        torch.testing.assert_close(speaking(tmp_path)(tokens), expected, rtol=0, atol=1e-4)


def test_a_model_that_was_saved_without_its_head_says_so(tmp_path):
    saved(tmp_path, "BertModel", SMALL)
    assert "cls.predictions.bias" not in Checkpoint(tmp_path).slices
    with pytest.raises(InputError, match=r"no output layer was saved \(no tensor 'cls\.predictions\."):
        _ = speaking(tmp_path)
