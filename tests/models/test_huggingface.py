"""Directories of Hugging Face against `transformers`: tiny random models of every family that is read."""

import warnings
from pathlib import Path
from unittest import mock

import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.models import read_config
from attn_cli.models.native import huggingface
from attn_cli.transformer.model import Capture
from torch import nn

transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

BERT = {
    "vocab_size": 50, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4,
    "intermediate_size": 40, "max_position_embeddings": 40,
}  # fmt: skip
LLAMA = {**BERT, "num_key_value_heads": 2}


def rope(**parameters):
    return {"rope_theta": 500.0, **parameters}


FAMILIES = {
    "bert": ("BertModel", BERT),
    "bert, tanh": ("BertForMaskedLM", {**BERT, "hidden_act": "gelu_new", "type_vocab_size": 3}),
    "roberta": ("RobertaForMaskedLM", {**BERT, "pad_token_id": 1, "type_vocab_size": 1}),
    "xlm-roberta": ("XLMRobertaModel", {**BERT, "pad_token_id": 0}),
    "distilbert": (
        "DistilBertModel",
        {"vocab_size": 50, "dim": 24, "n_layers": 3, "n_heads": 4, "hidden_dim": 40, "max_position_embeddings": 40},
    ),
    "gpt2": ("GPT2LMHeadModel", {"vocab_size": 50, "n_embd": 24, "n_layer": 3, "n_head": 4, "n_positions": 40}),
    "gpt2, inner": (
        "GPT2Model",
        {"vocab_size": 50, "n_embd": 24, "n_layer": 3, "n_head": 4, "n_positions": 40, "n_inner": 10,
         "activation_function": "relu"},
    ),
    "gpt2, by layer": (
        "GPT2Model",
        {"vocab_size": 50, "n_embd": 24, "n_layer": 3, "n_head": 4, "n_positions": 40,
         "scale_attn_by_inverse_layer_idx": True},
    ),
    "llama": ("LlamaForCausalLM", LLAMA),
    "llama, linear": ("LlamaModel", {**LLAMA, "rope_parameters": rope(rope_type="linear", factor=4.0)}),
    "llama, dynamic": ("LlamaModel", {**LLAMA, "rope_parameters": rope(rope_type="dynamic", factor=2.0)}),
    "llama, yarn": (
        "LlamaModel",
        {**LLAMA, "rope_parameters": rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=10)},
    ),
    "llama 3": (
        "LlamaModel",
        {**LLAMA, "head_dim": 16, "rope_parameters": rope(
            rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=32)},
    ),
    "llama, biases": ("LlamaModel", {**LLAMA, "attention_bias": True, "mlp_bias": True}),
    "mistral": ("MistralModel", {**LLAMA, "head_dim": 8, "sliding_window": 4}),
    "mistral, whole": ("MistralForCausalLM", {**LLAMA, "num_key_value_heads": 4, "sliding_window": None}),
    "qwen2": ("Qwen2ForCausalLM", {**LLAMA, "num_key_value_heads": 1, "tie_word_embeddings": True}),
    "qwen2, window": (
        "Qwen2Model", {**LLAMA, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
    ),
    "qwen2, layer types": (
        "Qwen2Model",
        {**LLAMA, "use_sliding_window": True, "sliding_window": 3,
         "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]},
    ),
    "vit, no bias": (
        "ViTModel",
        {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 40,
         "image_size": 20, "patch_size": 5, "qkv_bias": False},
    ),
    "vit": (
        "ViTModel",
        {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 40,
         "image_size": 20, "patch_size": 5},
    ),
}  # fmt: skip


def exact_attention(module, query, key, value, attention_mask, scaling=None, **_):
    """Eager attention in the precision of its input: that of Llama and ViT rounds weights to float32."""
    group = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)
    scores = query @ key.mT * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = scores.softmax(dim=-1)
    return (weights @ value).transpose(1, 2), weights


transformers.AttentionInterface.register("exact", exact_attention)
transformers.AttentionMaskInterface.register(
    "exact", transformers.masking_utils.ALL_MASK_ATTENTION_FUNCTIONS["eager"]
)


def make_exact(model):
    """Parts of Llama that compute in float32 whatever they are given, in the precision of their input."""
    for part in model.modules():
        kind = type(part).__name__
        if kind.endswith("RMSNorm"):
            norm = nn.RMSNorm(part.weight.shape, eps=part.variance_epsilon)
            norm.weight = part.weight
            part.forward = norm.forward
        if kind.endswith("RotaryEmbedding"):
            part.forward = rotary_in_float64(part)


class InFloat64:
    """Stands for torch in a module of the library, whose own formulas then compute in float64."""

    float = float32 = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


def rotary_in_float64(part):
    """cos and sin of position · θ, with θ worked out again from the configuration of the model."""
    config, given = part.config, part.config.rope_parameters
    d = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    theta = given["rope_theta"] ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    if given["rope_type"] == "linear":
        theta = theta / given["factor"]
    if given["rope_type"] in ("yarn", "llama3"):
        with mock.patch.object(transformers.modeling_rope_utils, "torch", InFloat64()):
            theta, _ = transformers.modeling_rope_utils.ROPE_INIT_FUNCTIONS[given["rope_type"]](config)

    def forward(x, position_ids, **_):
        angles = position_ids[..., None].double() * theta
        angles = torch.cat([angles, angles], dim=-1)
        stretch = part.attention_scaling
        return (angles.cos() * stretch).to(x.dtype), (angles.sin() * stretch).to(x.dtype)

    return forward


def saved(directory: Path, name: str, dtype=torch.float32, **options) -> Path:
    """A directory with a random model of one of the FAMILIES, its weights large enough to matter."""
    kind, sizes = FAMILIES[name]
    torch.manual_seed(0)
    architecture = getattr(transformers, kind)
    model = architecture(architecture.config_class(**sizes)).to(dtype)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    with warnings.catch_warnings(action="ignore"):
        model.save_pretrained(directory, **options)
    return directory


def theirs(directory, inputs, dtype, exact):
    implementation = "exact" if exact else "eager"
    with warnings.catch_warnings(action="ignore"):
        model = transformers.AutoModel.from_pretrained(
            directory, attn_implementation=implementation, dtype=dtype, local_files_only=True
        ).eval()
    if exact:
        make_exact(model)
    with torch.no_grad():
        return model(**inputs, output_attentions=True, output_hidden_states=True)


REAL = torch.arange(12) < torch.tensor([12, 7])[:, None]  # the second sequence is padded


def inputs_for(name, dtype):
    """What both are given, first in their words, then in ours."""
    generator = torch.Generator().manual_seed(1)
    if name.startswith("vit"):
        image = torch.randn(2, 3, 20, 20, generator=generator, dtype=dtype)
        return {"pixel_values": image}, {"tokens": image}
    tokens = torch.randint(2, 50, (2, 12), generator=generator)
    their_inputs, our_inputs = (
        {"input_ids": tokens, "attention_mask": REAL.long()},
        {"tokens": tokens, "padding_mask": REAL},
    )
    if name == "roberta" or name == "xlm-roberta":  # its positions skip padding wherever that is
        padding = FAMILIES[name][1]["pad_token_id"]
        their_inputs["input_ids"] = tokens.masked_fill(~REAL, padding)
    if name in ("bert", "bert, tanh", "xlm-roberta"):
        segments = (torch.arange(12) > 5).long().expand(2, 12)
        their_inputs["token_type_ids"] = our_inputs["segments"] = segments
    return their_inputs, our_inputs


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", FAMILIES)
def test_hidden_states_and_attentions_are_those_of_transformers(tmp_path, name, dtype):
    directory = saved(tmp_path, name, dtype)
    model = huggingface.load_stack(directory, read_config(directory))
    their_inputs, our_inputs = inputs_for(name, dtype)
    capture = Capture()
    hidden = model.hidden(**our_inputs, attend=capture)
    exact = dtype == torch.float64 and name.startswith(("llama", "mistral", "qwen", "vit"))
    expected = theirs(directory, their_inputs, dtype, exact)
    within = {"rtol": 0, "atol": 1e-5 if dtype == torch.float32 else 1e-10}
    real = torch.ones(2, 17, dtype=torch.bool) if name.startswith("vit") else REAL
    torch.testing.assert_close(hidden[real], expected.last_hidden_state[real], **within)
    assert len(capture.layers) == len(expected.attentions) == 3
    for one, weights in zip(capture.layers, expected.attentions, strict=True):
        rows = real[:, None, :, None]
        torch.testing.assert_close(one.steps.weights * rows, weights * rows, **within)
    for depth in (0, 2):
        partial = model.hidden(**our_inputs, depth=depth)
        torch.testing.assert_close(partial[real], expected.hidden_states[depth][real], **within)


def test_the_layers_of_a_window_as_older_versions_saved_them(tmp_path):
    """transformers 4 wrote max_window_layers alone, and of ViT no bias where there is none."""
    directory = saved(tmp_path, "qwen2, window")
    tokens = torch.arange(12)[None]
    new = huggingface.load_stack(directory, config := dict(read_config(directory))).hidden(tokens)
    assert config.pop("layer_types") == ["full_attention", "sliding_attention", "sliding_attention"]
    torch.testing.assert_close(huggingface.load_stack(directory, config).hidden(tokens), new, rtol=0, atol=0)
    config["max_window_layers"] = 0
    assert (huggingface.load_stack(directory, config).hidden(tokens) - new).abs().max() > 1e-3
    with pytest.raises(InputError, match=r"layer_types is .*, expected full_attention or sliding_attention"):
        huggingface.load_stack(directory, {**config, "layer_types": ["full_attention"]})
