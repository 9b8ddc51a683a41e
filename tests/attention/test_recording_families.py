"""Recording models of `transformers` as they run by default, against the weights that they give when they are asked."""

import copy

import numpy as np
import pytest
import torch
from attn_cli.attention.recorder import record
from torch import nn

transformers = pytest.importorskip("transformers", reason="the extra attn-cli[hf] is not installed")
transformers.logging.set_verbosity_error()

BERT = {
    "vocab_size": 32, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": 60, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 3,
}  # fmt: skip
LLAMA = {**BERT, "num_key_value_heads": 2, "head_dim": 4}
BART = {
    "vocab_size": 32, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 20, "decoder_ffn_dim": 20, "max_position_embeddings": 60,
    "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 3, "decoder_start_token_id": 1,
}  # fmt: skip
VIT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 20,
    "image_size": 12,
    "patch_size": 4,
}
ONE_STACK = {
    "bert": ("BertModel", BERT),
    "roberta": ("RobertaModel", BERT),
    "distilbert": ("DistilBertModel", {"vocab_size": 32, "dim": 16, "n_heads": 4, "n_layers": 2, "hidden_dim": 20}),
    "albert": ("AlbertModel", {**BERT, "embedding_size": 8}),
    "electra": ("ElectraModel", {**BERT, "embedding_size": 8}),
    "gpt2": ("GPT2LMHeadModel", {"vocab_size": 32, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 60}),
    "gpt-neox": ("GPTNeoXForCausalLM", BERT),
    "opt": ("OPTForCausalLM", {**BERT, "ffn_dim": 20, "word_embed_proj_dim": 16}),
    "llama": ("LlamaForCausalLM", LLAMA),
    "mistral": ("MistralForCausalLM", {**LLAMA, "sliding_window": 4}),
    "qwen2": ("Qwen2ForCausalLM", LLAMA),
    "gemma2": ("Gemma2ForCausalLM", {**LLAMA, "sliding_window": 4, "query_pre_attn_scalar": 9, "attn_logit_softcapping": 2.0}),
    "gpt-oss": ("GptOssForCausalLM", {**LLAMA, "sliding_window": 4, "num_local_experts": 3, "num_experts_per_tok": 2}),
    "bloom": ("BloomForCausalLM", {"vocab_size": 32, "hidden_size": 16, "n_layer": 2, "n_head": 4}),
    "vit": ("ViTModel", VIT),
    "clip": ("CLIPVisionModel", VIT),
}  # fmt: skip
BOTH = {
    "bart": ("BartForConditionalGeneration", BART),
    "marian": ("MarianMTModel", {**BART, "decoder_start_token_id": 0, "forced_eos_token_id": None}),
    "t5": (
        "T5ForConditionalGeneration",
        {"vocab_size": 32, "d_model": 16, "d_kv": 6, "d_ff": 20, "num_layers": 2, "num_heads": 4,
         "decoder_start_token_id": 0, "relative_attention_num_buckets": 6},
    ),
    "whisper": (
        "WhisperForConditionalGeneration",
        {**BART, "num_mel_bins": 4, "max_source_positions": 10, "max_target_positions": 20},
    ),
}  # fmt: skip
TOKENS = torch.tensor([[3, 5, 8, 13, 21, 7, 9], [4, 6, 2, 2, 11, 30, 12]])


def build(name):
    """A random model, its weights large enough to matter, as a program makes it; its attention is the default."""
    kind, sizes = {**ONE_STACK, **BOTH}[name]
    torch.manual_seed(0)
    architecture = getattr(transformers, kind)
    model = architecture(architecture.config_class(**sizes))
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    model.tie_weights()
    return model.eval()


def eager(model):
    other = copy.deepcopy(model)
    other.set_attn_implementation("eager")
    return other


def inputs(name):
    if name in ("vit", "clip"):
        return {"pixel_values": torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))}
    if name == "whisper":
        generator = torch.Generator().manual_seed(0)
        return {
            "input_features": torch.rand(2, 4, 20, generator=generator),
            "decoder_input_ids": TOKENS[:, :4],
        }
    return {"input_ids": TOKENS} | ({"decoder_input_ids": TOKENS[:, :4]} if name in BOTH else {})


def assert_recorded(seen, theirs, kind=None, example=0):
    record = seen.attention(kind=kind)
    assert len(record.weights) == len(theirs)
    for ours, wanted in zip(record.weights, theirs, strict=True):
        np.testing.assert_allclose(ours, wanted[example].detach().numpy(), atol=1e-5)
    return record


@pytest.mark.parametrize("example", [0, 1])
@pytest.mark.parametrize("name", ONE_STACK)
def test_the_weights_are_those_of_eager_attention(name, example):
    model, given = build(name), inputs(name)
    with torch.no_grad():
        alone = model(**given)[0]
        with record(example=example) as seen:
            watched = model(**given)[0]
        theirs = eager(model)(**given, output_attentions=True).attentions
    assert torch.equal(alone, watched)
    found = assert_recorded(seen, theirs, example=example)
    assert found.layers == tuple(range(len(theirs)))


@pytest.mark.parametrize("name", BOTH)
def test_each_kind_of_an_encoder_decoder(name):
    model, given = build(name), inputs(name)
    with torch.no_grad():
        alone = model(**given).logits
        with record() as seen:
            watched = model(**given).logits
        theirs = eager(model)(**given, output_attentions=True)
    assert torch.equal(alone, watched)
    assert_recorded(seen, theirs.encoder_attentions, "encoder")
    assert_recorded(seen, theirs.decoder_attentions, "decoder")
    cross = assert_recorded(seen, theirs.cross_attentions, "cross")
    assert len(cross.query_tokens) == 4


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "t5", "bart"])
def test_padding_of_a_batch(name):
    model, given = build(name), inputs(name)
    given["attention_mask"] = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
    with torch.no_grad():
        with record(example=1) as seen:
            model(**given)
        outputs = eager(model)(**given, output_attentions=True)
    theirs = outputs.encoder_attentions if name in BOTH else outputs.attentions
    found = assert_recorded(seen, theirs, "encoder" if name in BOTH else None, example=1)
    assert (found.weights[:, :, :4, 4:] == 0).all()


@pytest.mark.parametrize("cache", [None, "static"])
@pytest.mark.parametrize("name", ["gpt2", "llama", "mistral", "qwen2"])
def test_a_text_that_is_written_with_a_cache_is_one_causal_map(name, cache):
    model = build(name)
    options = {"do_sample": False, "max_new_tokens": 9, "min_new_tokens": 9, "pad_token_id": 0}
    options |= {"cache_implementation": cache} if cache else {}
    alone = model.generate(TOKENS[:1], **options)
    with record() as seen:
        written = model.generate(TOKENS[:1], **options)
    assert torch.equal(alone, written)
    assert seen.steps == [0]
    with torch.no_grad():
        theirs = eager(model)(written[:, :-1], output_attentions=True).attentions
    found = assert_recorded(seen, theirs)
    assert found.weights.shape[2:] == (15, 15)
    assert found.kind == "decoder"
    words = [str(number) for number in written[0].tolist()]
    assert seen.attention(tokens=words).key_tokens == tuple(words[:-1])


@pytest.mark.parametrize("name", ["bart", "t5"])
def test_an_encoder_decoder_that_writes(name):
    model = build(name)
    options = {"do_sample": False, "num_beams": 1, "max_new_tokens": 6, "min_new_tokens": 6}
    alone = model.generate(TOKENS[:1], **options)
    with record() as seen:
        written = model.generate(TOKENS[:1], **options)
    assert torch.equal(alone, written)
    with torch.no_grad():
        theirs = eager(model)(TOKENS[:1], decoder_input_ids=written[:, :-1], output_attentions=True)
    assert_recorded(seen, theirs.encoder_attentions, "encoder")
    assert_recorded(seen, theirs.decoder_attentions, "decoder")
    assert_recorded(seen, theirs.cross_attentions, "cross")
