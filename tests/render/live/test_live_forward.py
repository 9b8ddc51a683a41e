"""The forward pass in JavaScript against torch: mini, and a tiny model of every variant that Config takes."""

import base64
import dataclasses
import zlib

import numpy as np
import pytest
import tokenizers
import torch
from attn_cli import models
from attn_cli.models.portable import portable
from attn_cli.models.runs.run import Run
from attn_cli.render.page.model import pack_model
from attn_cli.transformer.capture import Capture
from attn_cli.transformer.intervening import Intervention
from attn_cli.transformer.model import Config, Transformer
from nodejs import NODE, in_node

pytestmark = pytest.mark.skipif(NODE is None, reason="no Node.js here")
TINY = Config(vocab=11, max_len=9, d_model=16, n_heads=4, n_layers=2, d_ff=24)
WORDS = ("[end]", "[go]", *"abcdefghi")
VARIANTS = {
    "as train-toy has it": {},
    "post-norm": {"norm_first": False},
    "rms": {"norm": "rms"},
    "gelu_tanh": {"activation": "gelu_tanh"},
    "relu": {"activation": "relu"},
    "swiglu, no biases": {"activation": "swiglu", "qkv_bias": False, "out_bias": False, "feed_forward_bias": False},
    "sinusoidal": {"positions": "sinusoidal"},
    "rope": {"positions": "rope"},
    "rope, in part": {"positions": "rope:pairing=interleaved,partial=0.5,base=500"},
    "rope, stretched": {"positions": "rope:scaling=yarn,factor=4,original=4"},
    "decoder": {"stack": "decoder"},
    "decoder, window": {"stack": "decoder", "window": 2, "windowed": (1,), "scale_by_layer": True},
    "grouped queries": {"stack": "decoder", "n_kv_heads": 2, "positions": "rope", "norm": "rms", "unembedding": "tied"},
    "heads of another size": {"d_head": 6, "embedding_norm": True, "segments": 2, "unembedding": "none"},
    "both": {"stack": "both", "embedding_scale": True, "unembedding": "tied"},
    "both, other outputs": {"stack": "both", "norm_first": False, "outputs": 7, "positions": "rope"},
}  # fmt: skip


def tiny(variant):
    torch.manual_seed(0)
    model = Transformer(dataclasses.replace(TINY, **VARIANTS[variant])).eval().requires_grad_(False)
    for parameter in model.parameters():  # norms too, which begin as ones and zeros
        parameter.add_(torch.randn_like(parameter) * 0.3)
    return Run(variant, model, WORDS, 0, "", "encoder", starts=("[go]",))


def packed(run):
    made = portable(run)
    header, data = pack_model({name: tensor.numpy() for name, tensor in made.tensors.items()}, 12_000_000)
    return {"header": made.header | header, "bytes": base64.b64encode(zlib.decompress(data)).decode()}


@torch.no_grad()
def assert_same(answer, model, tokens, target, intervention=None):
    capture = Capture(None, intervention or Intervention())
    given = None if target is None else torch.tensor([target])
    hidden = model.hidden(torch.tensor([tokens]), attend=capture, target=given)
    close = {"rtol": 0, "atol": 1e-4}
    np.testing.assert_allclose(answer["hidden"], hidden[0], **close)
    if model.config.unembedding == "none":
        assert answer["logits"] is None
    else:
        np.testing.assert_allclose(answer["logits"], model.logits(hidden)[0], **close)
    assert [(one["kind"], one["layer"]) for one in answer["layers"]] == [
        (one.part.kind, one.part.layer) for one in capture.layers
    ]
    for one, layer in zip(answer["layers"], capture.layers, strict=True):
        for part in ("query", "key", "value"):
            np.testing.assert_allclose(one[part], getattr(layer, part)[0], **close)
        for part in ("weights", "output"):
            np.testing.assert_allclose(one[part], getattr(layer.steps, part)[0], **close)


def test_every_variant_computes_what_torch_computes():
    runs = {variant: tiny(variant) for variant in VARIANTS}
    tokens, target = [3, 1, 4, 1, 5, 9, 2], [1, 6, 5, 3]
    targets = {name: target if run.model.config.stack == "both" else None for name, run in runs.items()}
    asked = [{**packed(run), "tokens": tokens, "target": targets[name]} for name, run in runs.items()]
    for (name, run), answer in zip(runs.items(), in_node("forward.mjs", asked), strict=True):
        assert_same(answer, run.model, tokens, targets[name])


def test_every_choice_of_config_is_among_the_variants():
    tried = [dataclasses.replace(TINY, **variant) for variant in VARIANTS.values()]
    for field in dataclasses.fields(Config):
        if field.name not in (
            "vocab",
            "max_len",
            "d_model",
            "n_heads",
            "n_layers",
            "d_ff",
            "patch",
            "dropout",
            "norm_eps",
        ):
            assert len({str(getattr(config, field.name)) for config in tried}) > 1, field.name


def test_mini_computes_what_torch_computes():
    mini = models.load("mini")
    tokens, target = list(range(100, 116)), [3, *range(2000, 2010)]
    (answer,) = in_node("forward.mjs", [{**packed(mini), "tokens": tokens, "target": target}])
    assert_same(answer, mini.model, tokens, target)


def test_a_head_without_values_changes_what_comes_later_as_in_torch():
    run, tokens = tiny("decoder"), [3, 1, 4, 1, 5]
    (answer,) = in_node(
        "forward.mjs",
        [{**packed(run), "tokens": tokens, "change": {"heads": ["decoder 0 2", "decoder 1 0"]}}],
    )
    assert_same(answer, run.model, tokens, None, Intervention(frozenset({(0, 2), (1, 0)})))


@pytest.mark.parametrize(
    ("made", "sizes"),
    [
        ("GPT2LMHeadModel", {"vocab_size": 50, "n_embd": 24, "n_layer": 2, "n_head": 4, "n_positions": 40}),
        (
            "LlamaForCausalLM",
            {"vocab_size": 50, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 40,
             "num_key_value_heads": 2},
        ),
        (
            "BertModel",
            {"vocab_size": 50, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 40},
        ),
    ],
)  # fmt: skip
@torch.no_grad()
def test_directories_compute_what_transformers_computes(tmp_path, made, sizes):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    theirs = getattr(transformers, made)(getattr(transformers, made).config_class(**sizes)).eval()
    theirs.save_pretrained(tmp_path)
    vocabulary = {chr(65 + i): i for i in range(50)}
    tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="A")).save(
        str(tmp_path / "tokenizer.json")
    )
    tokens = [3, 1, 4, 1, 5]
    (answer,) = in_node("forward.mjs", [{**packed(models.load(str(tmp_path))), "tokens": tokens}])
    given = theirs(torch.tensor([tokens]))
    part, expected = ("hidden", given.last_hidden_state) if made == "BertModel" else ("logits", given.logits)
    np.testing.assert_allclose(answer[part], expected[0], rtol=0, atol=1e-4)
