"""Families that are not read natively, through `transformers`: tiny random models against its own eager weights."""

import io
import json
import os
import pickle
import socket
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.attention import layers
from attn_cli.errors import AttnNote, InputError
from attn_cli.models.library import eager, running, watching
from attn_cli.models.reading import Reading
from attn_cli.variants.normalisation import NORMALISATIONS
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import WordLevel
from torch import nn

transformers = pytest.importorskip("transformers", reason="the extra attn-cli[hf] is not installed")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

WORDS = ["<pad>", "</s>", "<unk>", "<s>", "the", "cat", "sat", "on", "mat", ",", "a", "dog"]
TEXT, TARGET = "the cat sat on the mat, a dog sat", "a dog sat"
BERT = {
    "vocab_size": 12, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": 60, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 3,
}  # fmt: skip
LLAMA = {**BERT, "num_key_value_heads": 2, "head_dim": 4}
MIXTURE = {"num_local_experts": 3, "num_experts_per_tok": 2}
BART = {
    "vocab_size": 12, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 20, "decoder_ffn_dim": 20, "max_position_embeddings": 30,
    "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 3, "decoder_start_token_id": 1,
}  # fmt: skip
FAMILIES = {
    "t5": (
        "T5ForConditionalGeneration",
        {"vocab_size": 12, "d_model": 16, "d_kv": 6, "d_ff": 20, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4,
         "decoder_start_token_id": 0, "relative_attention_num_buckets": 6},
    ),
    "marian": ("MarianMTModel", {**BART, "decoder_start_token_id": 0, "forced_eos_token_id": None}),
    "bart": ("BartForConditionalGeneration", BART),
    "led": (
        "LEDForConditionalGeneration",
        {**BART, "max_encoder_position_embeddings": 40, "max_decoder_position_embeddings": 30, "attention_window": 4},
    ),
    "clip": (
        "CLIPModel",
        {"text_config": BERT, "projection_dim": 8, "vision_config": {
            "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4,
            "image_size": 8, "patch_size": 4}},
    ),
    "longformer": ("LongformerModel", {**BERT, "attention_window": 4, "type_vocab_size": 1}),
    "modernbert": (
        "ModernBertModel",
        {**BERT, "num_hidden_layers": 4, "local_attention": 4, "cls_token_id": 3, "sep_token_id": 1},
    ),
    "clap": (
        "ClapModel",
        {"text_config": BERT, "projection_dim": 8, "audio_config": {
            "hidden_size": 16, "depths": [1, 1], "num_attention_heads": [2, 2], "patch_embeds_hidden_size": 8,
            "spec_size": 32, "window_size": 2}},
    ),
    "albert": ("AlbertModel", {**BERT, "embedding_size": 8, "num_hidden_layers": 3}),
    "mixtral": ("MixtralForCausalLM", {**LLAMA, **MIXTURE, "sliding_window": 4}),
    "gemma2": (
        "Gemma2ForCausalLM",
        {**LLAMA, "sliding_window": 4, "query_pre_attn_scalar": 9, "attn_logit_softcapping": 2.0},
    ),
    "gpt-oss": ("GptOssForCausalLM", {**LLAMA, **MIXTURE, "sliding_window": 4}),
    "qwen3-next": (
        "Qwen3NextForCausalLM",
        {**LLAMA, "num_hidden_layers": 8, "num_experts": 3, "num_experts_per_tok": 2, "moe_intermediate_size": 8,
         "shared_expert_intermediate_size": 8, "linear_num_value_heads": 4, "linear_num_key_heads": 2,
         "linear_key_head_dim": 4, "linear_value_head_dim": 4},
    ),
    "bloom": ("BloomForCausalLM", {"vocab_size": 12, "hidden_size": 16, "n_layer": 2, "n_head": 4}),
}  # fmt: skip
KINDS = [("encoder", "encoder_attentions"), ("decoder", "decoder_attentions"), ("cross", "cross_attentions")]
BOTH = ["t5", "marian", "bart"]
TOWERS = ["clip", "clap"]
ALONE = [name for name in FAMILIES if name not in (*BOTH, "led", "longformer", *TOWERS)]


def words(directory: Path, end: str = "$A </s>") -> None:
    """A tokenizer of whole words, saved as the library saves one."""
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=end, pair=f"{end} $B </s>", special_tokens=[("</s>", 1)]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", unk_token="<unk>", bos_token="<s>"
    ).save_pretrained(directory)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Gives the directory of a random model of one of the FAMILIES, its weights large enough to matter."""

    @cache
    def save(name: str) -> Path:
        directory = tmp_path_factory.mktemp("models") / name
        kind, sizes = FAMILIES[name]
        torch.manual_seed(0)
        architecture = getattr(transformers, kind)
        model = architecture(architecture.config_class(**sizes))
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.3)
        model.tie_weights()
        with warnings.catch_warnings(action="ignore"):
            model.save_pretrained(directory)
        words(directory)
        return directory

    return save


@pytest.fixture
def copied(saved, tmp_path):
    """Gives a copy of such a directory, to be broken."""

    def copy(name: str) -> Path:
        for path in saved(name).iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        return tmp_path

    return copy


def numbers(text: str) -> list[int]:
    return [WORDS.index(word) for word in text.replace(",", " ,").split()] + [1]


def theirs(directory: Path, name: str, **inputs):
    """What the library gives beside its output when it is asked, with its eager attention."""
    model = getattr(transformers, FAMILIES[name][0]).from_pretrained(directory, attn_implementation="eager")
    part = model.text_model if name in TOWERS else model
    with torch.no_grad():
        return part.eval()(input_ids=torch.tensor([numbers(TEXT)]), output_attentions=True, **inputs)


def assert_equal_layers(attention, expected):
    assert len(attention.weights) == len(expected) > 0
    for weights, layer in zip(attention.weights, expected, strict=True):
        np.testing.assert_allclose(weights, layer[0].numpy(), rtol=0, atol=1e-5)


# ---- the numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "field"), KINDS, ids=[kind for kind, _ in KINDS])
@pytest.mark.parametrize("name", BOTH)
def test_an_encoder_decoder_attends_as_in_the_library(saved, name, kind, field):
    directory = saved(name)
    start = FAMILIES[name][1]["decoder_start_token_id"]
    written = torch.tensor([[start, *numbers(TARGET)[:-1]]])
    expected = getattr(theirs(directory, name, decoder_input_ids=written), field)
    target = None if kind == "encoder" else TARGET
    attention = models.load(str(directory)).attend(TEXT, Reading(kind=kind, target=target))
    assert_equal_layers(attention, expected)
    assert attention.kind == kind
    source = ("the", "cat", "sat", "on", "the", "mat", ",", "a", "dog", "sat", "</s>")
    tokens = {
        "encoder": (source, source),
        "decoder": (("[start]", "a", "dog", "sat"),) * 2,
        "cross": (("a", "dog", "sat", "</s>"), source),
    }
    assert (attention.query_tokens, attention.key_tokens) == tokens[kind]


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.filterwarnings("ignore:rows sum")
def test_one_stack_attends_as_in_the_library(saved, name):
    directory = saved(name)
    expected = theirs(directory, name).attentions
    attention = models.load(str(directory)).attend(TEXT)
    assert_equal_layers(attention, expected)
    decoders = ("mixtral", "gemma2", "gpt-oss", "qwen3-next", "bloom")
    assert attention.kind == ("decoder" if name in decoders else "encoder")
    assert ("through transformers" in attention.provenance, "<pad>" in attention.key_tokens) == (True, False)


def written_out(
    module, query, key, value, mask, scaling=None, softcap=None, position_bias=None, s_aux=None, **_
):
    """Attention in the precision of its input; what the library calls eager rounds weights to float32."""
    group = query.shape[1] // key.shape[1]
    scores = query @ key.repeat_interleave(group, dim=1).mT * (scaling or query.shape[-1] ** -0.5)
    scores = scores if softcap is None else softcap * torch.tanh(scores / softcap)
    for added in (position_bias, mask):
        scores = scores if added is None else scores + added
    sinks = s_aux if s_aux is not None else getattr(module, "sinks", None)
    if sinks is not None:
        scores = torch.cat([scores, sinks.reshape(1, -1, 1, 1).expand(*scores.shape[:3], 1)], dim=-1)
    weights = scores.softmax(dim=-1)[..., : key.shape[-2]]
    return (weights @ value.repeat_interleave(group, dim=1)).transpose(1, 2), weights


# Bloom, Longformer and LED do not let their attention be replaced; their weights are the library's own.
EXACT = [(name, kind, field) for name in BOTH for kind, field in KINDS]
EXACT += [(name, "", "attentions") for name in (*TOWERS, *ALONE) if name != "bloom"]


@pytest.mark.parametrize(("name", "kind", "field"), EXACT, ids=[f"{name} {kind}" for name, kind, _ in EXACT])
@pytest.mark.filterwarnings("ignore:rows sum")
def test_in_double_precision_nothing_is_rounded(saved, name, kind, field):
    """The same layers in float64, between which attention is written out here, to ten digits."""
    transformers.AttentionInterface.register("written out", written_out)
    transformers.AttentionMaskInterface.register(
        "written out", transformers.masking_utils.ALL_MASK_ATTENTION_FUNCTIONS["eager"]
    )
    model = models.load(str(saved(name)))
    model.model.double().set_experts_implementation("eager")  # the fused one of mixtures knows no float64
    attention = model.attend(
        TEXT, Reading(kind=kind or None, target=None if kind in ("", "encoder") else TARGET)
    )
    model.model.set_attn_implementation("written out")
    inputs = {"input_ids": torch.tensor([numbers(TEXT)])}
    if kind:
        start = FAMILIES[name][1]["decoder_start_token_id"]
        inputs["decoder_input_ids"] = torch.tensor([[start, *numbers(TARGET)[:-1]]])
    with torch.no_grad():
        outputs = model._tower(**inputs, output_attentions=True)
    expected = [one[0].numpy() for one in getattr(outputs, field) if one is not None]
    assert attention.weights.dtype == np.float64
    np.testing.assert_allclose(attention.weights, expected, rtol=0, atol=1e-10)


def test_scores_and_mask_give_the_weights(saved):
    for name in ("t5", "modernbert", "gemma2"):
        attention = models.load(str(saved(name))).attend(TEXT)
        scores = (
            attention.scores
            if attention.mask is None
            else np.where(attention.mask, attention.scores, -np.inf)
        )
        odds = np.exp(scores - scores.max(-1, keepdims=True))
        np.testing.assert_allclose(attention.weights, odds / odds.sum(-1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("name", TOWERS)
def test_of_two_towers_the_one_that_reads_text(saved, name):
    """CLAP's says nothing about being causal, which the library's default attention takes for yes."""
    directory = saved(name)
    attention = models.load(str(directory)).attend(TEXT)
    assert_equal_layers(attention, theirs(directory, name).attentions)
    assert attention.provenance.endswith(f"through transformers: {name} (its text tower), 2 layers × 4 heads")


def test_what_is_not_read_of_clap_is_said(saved):
    assert models.describe(str(saved("clap")))["reads"] == "text; sounds are not read"


def test_a_model_without_text_is_named(tmp_path):
    sizes = {
        "image_size": 8,
        "patch_size": 2,
        "embed_dim": 8,
        "depths": [1],
        "num_heads": [2],
        "window_size": 2,
    }
    transformers.Swinv2Model(transformers.Swinv2Config(**sizes)).save_pretrained(tmp_path)
    words(tmp_path)
    said = "attends within windows of patches that shift and merge, not over one set of tokens"
    assert models.describe(str(tmp_path))["read"] == f"no, it {said}"
    with pytest.raises(
        InputError, match=f"Swinv2 {said}; models with softmax attention over tokens are read"
    ):
        models.load(str(tmp_path)).attend(TEXT)


@pytest.mark.parametrize("name", ["longformer", "led"])
def test_a_window_is_put_back_to_where_its_keys_stand(saved, name):
    """Query and key of each layer, as its parts compute them, make the dense weights under the same window."""
    model = models.load(str(saved(name)))
    part = transformers.models.longformer.modeling_longformer.LongformerSelfAttention
    if name == "led":
        part = transformers.models.led.modeling_led.LEDEncoderSelfAttention
    dense = []

    def attend(module, given, _):
        x = given[0] if given else None
        q, k = ((f(x)[0].unflatten(-1, (4, 4)).transpose(0, 1)) for f in (module.query, module.key))
        at = torch.arange(x.shape[1])
        near = (at[:, None] - at).abs() <= 2
        dense.append((q @ k.mT / 2).masked_fill(~near, -torch.inf).softmax(-1)[:, :11, :11])

    for module in model.model.modules():
        if isinstance(module, part):
            module.register_forward_pre_hook(
                lambda module, given, named: attend(module, given or (named["hidden_states"],), None),
                with_kwargs=True,
            )
    attention = model.attend(TEXT)
    assert attention.weights.shape == (2, 4, 11, 11)
    # Rows whose window ends beyond the text are as wide as what the library has padded it with lets them be.
    for weights, layer in zip(attention.weights, dense[-2:], strict=True):
        np.testing.assert_allclose(weights[:, :9], layer[:, :9], atol=1e-5)
    np.testing.assert_allclose(attention.weights.sum(-1), 1, atol=1e-5)
    assert not np.triu(attention.weights, 3).any()


def test_sinks_are_said_and_not_renormalised(saved):
    with pytest.warns(AttnNote, match="rows sum to less than 1, as heads may attend to nothing"):
        attention = models.load(str(saved("gpt-oss"))).attend(TEXT)
    assert attention.weights.sum(-1).max() < 0.99
    assert attention.provenance.endswith("rows sum to less than 1, as heads may attend to nothing (sinks)")


def test_layers_of_a_hybrid_keep_their_numbers(saved):
    model = models.load(str(saved("qwen3-next")))
    attention = model.attend(TEXT)
    assert attention.layers == (3, 7)
    np.testing.assert_array_equal(model.attend(TEXT, Reading(layers=(7,))).weights, attention.weights[1:])
    assert model.attend(TEXT, Reading(layers="last")).layers == (7,)
    with pytest.raises(InputError, match="no layer 9 with attention weights; give 3, 7, last or all"):
        model.attend(TEXT, Reading(layers=(9,)))


def test_a_part_that_serves_all_layers_is_counted(saved):
    assert models.load(str(saved("albert"))).attend(TEXT).layers == (0, 1, 2)


def test_layers_after_the_wanted_ones_do_not_run(saved):
    model = models.load(str(saved("bart")))
    whole = model.attend(TEXT, Reading(kind="cross", target=TARGET))
    model.model.model.decoder.layers[1].register_forward_hook(lambda *_: pytest.fail("it ran"))
    first = model.attend(TEXT, Reading(kind="cross", target=TARGET, layers=(0,)))
    np.testing.assert_array_equal(first.weights, whole.weights[:1])
    assert "layer 0" in first.provenance


@pytest.mark.parametrize("name", ["t5", "modernbert", "mixtral", "gemma2", "gpt-oss"])
@pytest.mark.filterwarnings("ignore:rows sum")
def test_streamed_maps_are_the_dense_ones(saved, name, monkeypatch):
    model = models.load(str(saved(name)))
    dense = model.attend(TEXT)
    monkeypatch.setattr(layers, "MOST_DENSE", 0)
    streamed = model.attend(TEXT)
    assert (streamed.scores, streamed.layers) == (None, dense.layers)
    np.testing.assert_allclose(streamed.weights, dense.weights, atol=1e-6)
    np.testing.assert_allclose(streamed.mass, dense.weights.sum(-2), atol=1e-5)


# ---- traps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bart", "gpt-oss"])
@pytest.mark.filterwarnings("ignore:rows sum")
def test_a_formula_that_we_do_not_know_is_left_to_the_library(saved, name, monkeypatch):
    expected = models.load(str(saved(name))).attend(TEXT)
    monkeypatch.setattr(watching, "_normalise", lambda *_: NORMALISATIONS.parse("softmax1:sink=3"))
    attention = models.load(str(saved(name))).attend(TEXT)
    assert attention.scores is None
    np.testing.assert_allclose(attention.weights, expected.weights, atol=1e-5)


def test_an_empty_tuple_of_weights_is_an_error(saved, monkeypatch):
    """With the library's default attention `attentions` is empty, and nothing says so."""
    model = models.load(str(saved("bart")))
    monkeypatch.setattr(running.Pass, "_watched", lambda *_: [])
    monkeypatch.setattr(running, "use", lambda model, ours: model.set_attn_implementation("sdpa"))
    with pytest.raises(InputError, match="this model gives no attention weights"):
        model.attend(TEXT)


def test_weights_of_fewer_layers_without_their_numbers_are_an_error():
    outputs = transformers.modeling_outputs.BaseModelOutput(attentions=(torch.ones(1, 1, 2, 2),))
    with pytest.raises(InputError, match="weights of 1 of its 2 layers, not saying which"):
        eager.weights_of(outputs, None, n_layers=2, shape=(2, 2), banded=False)
    with pytest.raises(
        InputError, match=r"weights \[1, 1, 2, 2\], no number for each query and key; models with softmax"
    ):
        eager.weights_of(outputs, None, n_layers=1, shape=(2, 3), banded=False)
    with pytest.raises(InputError, match="too many, and this family cannot be streamed"):
        eager.check_room(12 * 12, 30_000, 30_000)


def test_greedy_output_is_shown_as_such(saved):
    directory = saved("marian")
    model = models.load(str(directory))
    with pytest.warns(AttnNote, match="greedy output: ") as said:
        attention, own = (model.attend(TEXT, Reading(kind=kind)) for kind in ("cross", "decoder"))
    library = transformers.MarianMTModel.from_pretrained(directory)
    written = library.generate(
        torch.tensor([numbers(TEXT)]),
        max_new_tokens=len(attention.query_tokens),
        do_sample=False,
        num_beams=1,
    )
    assert list(attention.query_tokens) == [WORDS[i] for i in written[0, 1:]]
    assert attention.key_tokens[:2] == ("the", "cat")
    assert 'greedy output "' in attention.provenance
    text = " ".join(attention.query_tokens[:3])
    assert text in str(said[0].message)
    forced = library(
        input_ids=torch.tensor([numbers(TEXT)]), decoder_input_ids=written[:, :-1], output_attentions=False
    ).logits[0]
    assert forced.argmax(-1).tolist() == written[0, 1:].tolist()
    chances = forced.double().softmax(-1).max(-1).values.detach().numpy()
    np.testing.assert_allclose(attention.probabilities, chances, rtol=1e-4)
    np.testing.assert_allclose(attention.top_probabilities[:, 0], chances, rtol=1e-4)
    first = [attention.candidates[place] for place in attention.top_tokens[:, 0]]
    assert first == list(attention.query_tokens)
    np.testing.assert_allclose(own.probabilities, [0, *chances[:-1]], rtol=1e-4)
    assert own.written == (0, *[1] * (len(chances) - 1))
    given = model.attend(TEXT, Reading(kind="cross", target=TARGET))
    assert "greedy" not in given.provenance
    assert given.probabilities is None


def test_nothing_is_fetched_and_nothing_is_said(saved, run, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    done = run("attend", "--text", TEXT, "--model", str(saved("t5")), "--layer", "0")
    assert (done.code, done.stderr) == (0, "")


def test_the_library_is_silent_in_a_process_of_its_own(saved, tmp_path):
    """Progress bars, reports and hints of the library would show where nothing of it has been set yet."""
    command = [sys.executable, "-m", "attn_cli", "attend", "--text", TEXT, "--model", str(saved("marian"))]
    command += ["--kind", "cross", "--target", TARGET, "--special", "drop"]
    env = {**os.environ, "HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert done.stderr == "attn: note: special tokens are hidden; rows sum to less than 1\n"
    assert done.stdout.splitlines()[0].endswith(
        "0:the\t1:cat\t2:sat\t3:on\t4:the\t5:mat\t6:,\t7:a\t8:dog\t9:sat"
    )
    assert not list(tmp_path.iterdir())


def test_what_the_library_had_been_told_it_is_told_again(saved):
    from huggingface_hub import constants

    transformers.logging.set_verbosity_info()
    try:
        models.load(str(saved("t5")))
        assert transformers.logging.get_verbosity() == transformers.logging.INFO
        assert not constants.HF_HUB_OFFLINE
    finally:
        transformers.logging.set_verbosity_error()


# ---- options ----------------------------------------------------------------------------------------


def test_special_tokens_hide_on_both_sides(saved):
    model = models.load(str(saved("t5")))
    whole = model.attend(TEXT, Reading(kind="cross", target=TARGET))
    with pytest.warns(AttnNote, match="special tokens are hidden"):
        hidden = model.attend(TEXT, Reading(kind="cross", target=TARGET, special="drop"))
    assert hidden.query_tokens == ("a", "dog", "sat")
    assert "</s>" not in hidden.key_tokens
    np.testing.assert_array_equal(hidden.weights, whole.weights[:, :, :-1, :-1])
    with pytest.warns(AttnNote):
        hidden = model.attend(TEXT, Reading(kind="decoder", target=TARGET, special="drop"))
    assert hidden.query_tokens == hidden.key_tokens == ("a", "dog", "sat")


@pytest.mark.parametrize(
    ("name", "reading", "message"),
    [
        ("mixtral", Reading(kind="cross"), "no cross attention in this model; it has decoder"),
        ("mixtral", Reading(target="a"), "Mixtral has no decoder that reads a target; leave --target out"),
        ("mixtral", Reading(pair="a"), "Mixtral reads one text, not a pair; leave --pair out"),
        ("t5", Reading(target="a"), "--target has no effect on encoder attention; add --kind decoder"),
        ("t5", Reading(too_long="chunk"), "--too-long chunk does not work with this model; give --too-long truncate"),
        ("albert", Reading(pair="a", too_long="chunk"), "--too-long chunk cannot be combined with --pair; give --too-long truncate, or one text"),
        ("t5", Reading(kind="cross", target=" "), "the target contains no token; give at least one word"),
        ("bart", Reading(kind="cross", target="cat " * 40), "41 tokens of the target, the model writes at most 29; --too-long"),
        ("t5", Reading(layers=(5,)), "no layer 5 with attention weights; give 0, 1, last or all"),
        ("bloom", Reading(layers=(5,)), "no layer 5 with attention weights; give 0, 1, last or all"),
    ],
)  # fmt: skip
def test_readings_that_cannot_be(saved, name, reading, message):
    with pytest.raises(InputError) as error:
        models.load(str(saved(name))).attend(TEXT, reading)
    assert str(error.value).startswith(message)


def test_too_long_a_text(saved):
    model = models.load(str(saved("bart")))
    with pytest.raises(InputError) as error:
        model.attend("cat " * 40)
    assert str(error.value) == "41 tokens, the model reads at most 30; --too-long truncate reads the first 30"
    with pytest.warns(AttnNote, match="the text is cut: the model reads at most 30 of 41 tokens"):
        attention = model.attend("cat " * 40, Reading(too_long="truncate"))
    assert len(attention.key_tokens) == 30
    with pytest.raises(InputError, match="the text contains no token"):
        model.attend(" ")


@pytest.mark.parametrize("name", ["modernbert", "mixtral"])
def test_pieces_of_a_long_text_do_not_see_each_other(saved, name, monkeypatch):
    model = models.load(str(saved(name)))
    text = "the cat sat on a dog " * 12  # 73 tokens with the end, 60 are read
    with pytest.raises(
        InputError, match="--too-long truncate reads the first 60, --too-long chunk reads pieces"
    ):
        model.attend(text)
    attention = model.attend(text, Reading(too_long="chunk"))
    assert (len(attention.key_tokens), attention.key_tokens[59]) == (12 * 6 + 2, "</s>")
    assert not attention.weights[:, :, :60, 60:].any()
    assert not attention.weights[:, :, 60:, :60].any()
    np.testing.assert_allclose(attention.weights.sum(-1), 1, atol=1e-5)
    rest = model.attend("dog " + "the cat sat on a dog " * 2).weights
    np.testing.assert_allclose(attention.weights[:, :, 60:, 60:], rest, atol=1e-5)
    assert attention.provenance.endswith("in 2 pieces that do not see each other")
    monkeypatch.setattr(layers, "MOST_DENSE", 0)
    streamed = model.attend(text, Reading(too_long="chunk"))
    assert streamed.scores is None
    np.testing.assert_allclose(streamed.weights, attention.weights, atol=1e-6)


def test_a_pair_is_read_where_the_family_reads_one(saved):
    attention = models.load(str(saved("albert"))).attend("the cat", Reading(pair="a dog"))
    assert attention.key_tokens == ("the", "cat", "</s>", "a", "dog", "</s>")


def test_bytes_of_one_character_are_called_by_it():
    class Bytes:
        backend_tokenizer = object()

        def decode(self, numbers):
            return bytes(numbers).decode("utf-8", "replace")

        def convert_ids_to_tokens(self, numbers):
            return [f"<{number}>" for number in numbers]

    from attn_cli.models.library.words import labels

    assert labels(Bytes(), list(" a 注".encode())) == ["<32>", "a", "<32>", "注", "注", "注"]


@pytest.fixture
def opus(copied):
    """A Marian directory as they are shared: sentencepiece on both sides, one vocabulary for both."""
    sentencepiece = pytest.importorskip("sentencepiece", reason="the extra attn-cli[hf] is not installed")
    directory = copied("marian")
    pieces = {"</s>": 0, "<unk>": 1}
    for name, text in (("source", "the cat sat on the mat"), ("target", "猫坐在垫子上 猫坐")):
        written = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([text] * 20), model_writer=written, vocab_size=16, model_type="char",
            hard_vocab_limit=False, minloglevel=9,
        )  # fmt: skip
        (directory / f"{name}.spm").write_bytes(written.getvalue())
        processor = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
        for piece in map(processor.id_to_piece, range(3, processor.get_piece_size())):
            pieces.setdefault(piece, len(pieces))
    pieces["<pad>"] = len(pieces)
    (directory / "vocab.json").write_text(json.dumps(pieces))
    (directory / "tokenizer.json").unlink()
    (directory / "tokenizer_config.json").write_text('{"tokenizer_class": "MarianTokenizer"}')
    config = transformers.MarianConfig(
        **{
            **FAMILIES["marian"][1],
            "vocab_size": len(pieces),
            "eos_token_id": 0,
            "pad_token_id": len(pieces) - 1,
        }
    )
    with warnings.catch_warnings(action="ignore"):
        transformers.MarianMTModel(config).save_pretrained(directory)
    return directory


def test_source_and_target_have_each_their_own_tokenizer(opus):
    model = models.load(str(opus))
    attention = model.attend("the cat", Reading(kind="cross", target="猫坐"))
    assert attention.key_tokens == (" ", "t", "h", "e", " ", "c", "a", "t", "</s>")
    assert attention.query_tokens == (" ", "猫", "坐", "</s>")
    with pytest.warns(AttnNote, match="special tokens are hidden"):
        hidden = model.attend("the cat", Reading(kind="cross", target="猫坐", special="drop"))
    assert hidden.query_tokens == (" ", "猫", "坐")
    with pytest.warns(AttnNote, match="the text is cut: the model reads at most 30 of 81 tokens"):
        assert len(model.attend("cat " * 20, Reading(too_long="truncate")).key_tokens) == 30


# ---- directories ------------------------------------------------------------------------------------


def config_with(name="config.json", **changes):
    def change(directory: Path) -> None:
        path = directory / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


class Opens:
    """Unpickling one writes a file, which no test may find."""

    def __reduce__(self):
        return (open, ("executed", "w"))


def only_a_pickle(directory):
    (directory / "model.safetensors").unlink()
    (directory / "pytorch_model.bin").write_bytes(pickle.dumps(Opens()))


def code_of_its_own(directory):
    config_with(auto_map={"AutoModel": "own.Model"})(directory)
    (directory / "own.py").write_text("open('executed', 'w')")


def a_link_outside(directory):
    (directory / "spiece.model").symlink_to(directory.parent)


def index_outside(directory):
    (directory / "model.safetensors").unlink()
    index = {"weight_map": {"shared.weight": "../other.safetensors"}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))


BROKEN = {
    "pickle": (only_a_pickle, "its only weights are a pickle, pytorch_model.bin, which could run code when loaded; convert it"),
    "code": (code_of_its_own, "config.json: needs custom code (auto_map), which attn never runs; only models whose"),
    "code of the tokenizer": (config_with("tokenizer_config.json", auto_map={}), "tokenizer_config.json: needs custom code (auto_map)"),
    "link": (a_link_outside, "spiece.model: a link to a file outside the directory"),
    "index": (index_outside, "model.safetensors.index.json: file name '../other.safetensors'"),
    "adapter": (lambda d: (d / "adapter_config.json").write_text("{}"), "an adapter of a 't5'; merge it into its model"),
    "quantised": (config_with(quantization_config={"quant_method": "mxfp4"}), "the weights are quantised, which is not supported; save them as float32"),
    "many layers": (config_with(num_layers=2**26), "tensors for num_layers 67108864"),
    "a layer more": (config_with(num_layers=3), "no tensor 'encoder.block.2."),
    "wide": (config_with(d_ff=2**24), "numbers, by config.json it should be "),
    "size": (config_with(d_ff=30), "transformers cannot read it ("),
    "a size that is none": (config_with(num_heads="x"), "("),
    "tokenizer": (lambda d: (d / "tokenizer.json").write_text('{"model": 1}'), "transformers cannot read its tokenizer ("),
    "no tokenizer": (
        lambda d: [(d / name).unlink() for name in ("tokenizer.json", "tokenizer_config.json")],
        " in it; save it: AutoTokenizer",
    ),
    "cut": (lambda d: (d / "model.safetensors").write_bytes(b"\xff" * 64), "model.safetensors: not whole ("),
    "unknown": (config_with(model_type="t6"), "a model of the family 't6'; attn reads BERT, RoBERTa,"),
}  # fmt: skip


@pytest.mark.parametrize(("breaking", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_directory_is_one_line(copied, breaking, message, monkeypatch):
    directory = copied("t5")
    monkeypatch.chdir(directory)
    breaking(directory)
    with pytest.raises(InputError) as error:
        models.load(str(directory))
    assert message in str(error.value)
    assert str(directory) in str(error.value)
    assert "\n" not in str(error.value)
    assert not Path("executed").exists()


def test_a_model_saved_without_its_head_writes_nothing_by_itself(saved, tmp_path):
    config = transformers.MarianConfig(**FAMILIES["marian"][1], tie_word_embeddings=False)
    transformers.MarianModel(config).save_pretrained(tmp_path)
    words(tmp_path)
    model = models.load(str(tmp_path))
    with pytest.raises(
        InputError, match="its output layer was not saved, so it cannot generate the target; give --target"
    ):
        model.attend(TEXT, Reading(kind="cross"))
    assert model.attend(TEXT, Reading(kind="cross", target=TARGET)).weights.shape == (2, 4, 4, 11)


def test_an_encoder_that_was_saved_alone(tmp_path):
    transformers.T5EncoderModel(transformers.T5Config(**FAMILIES["t5"][1])).save_pretrained(tmp_path)
    words(tmp_path)
    model = models.load(str(tmp_path))
    assert model.attend(TEXT).weights.shape == (2, 4, 11, 11)


def test_what_a_directory_is(saved, run, tmp_path):
    described = dict(line.split("\t") for line in run("models", str(saved("t5"))).stdout.splitlines())
    assert described["family"] == "T5"
    assert (described["stack"], described["layers"], described["heads"]) == ("both", "2 + 3", "4")
    assert described["read"] == "through transformers"
    assert "attn-cli[hf]" in run("models").stdout


def test_without_the_extra(saved, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)  # importing it fails
    directory = str(saved("t5"))
    done = run("attend", "--text", TEXT, "--model", directory)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"attn: error: {directory}: a model of the family 't5'; attn reads BERT, RoBERTa,"
    )
    assert done.stderr.endswith("; for the rest: pip install 'attn-cli[hf]'\n")
    described = run("models", directory).stdout
    assert described == "what\tvalue\nfamily\tt5\nread\tnot without the extra: pip install 'attn-cli[hf]'\n"


# ---- all that a record can hold ---------------------------------------------------------------------

SHOWN = [("t5", "cross"), ("bart", "encoder"), ("clip", None), ("albert", None), ("modernbert", None)]
SHOWN += [("gemma2", None), ("gpt-oss", None)]


def linear_maps(model, read):
    """What each linear map that runs while a text is read takes and gives, and its matrix [in, out]."""
    ran = []

    def hook(part, given, output):
        if (matrix := watching._matrix(part)) is not None and given[0].ndim == 3:
            ran.append((given[0][0], output[0], matrix.numpy()))

    hooks = [part.register_forward_hook(hook) for part in model.modules()]
    read()
    for one in hooks:
        one.remove()
    return ran


@pytest.mark.parametrize(("name", "kind"), SHOWN, ids=[name for name, _ in SHOWN])
@pytest.mark.parametrize("most", [layers.MOST_DENSE, 0], ids=["dense", "streamed"])
@pytest.mark.filterwarnings("ignore:rows sum")
def test_output_and_norms_are_those_of_the_library(saved, name, kind, most, monkeypatch):
    """Of all linear maps that run, the one that takes the heads' outputs gives the record's output."""
    model = models.load(str(saved(name)))
    reading = Reading(kind=kind, target=TARGET if kind == "cross" else None, norms=True)
    whole = model.attend(TEXT, reading)
    ran = linear_maps(model.model, lambda: model.attend(TEXT, Reading(kind=kind, target=reading.target)))
    monkeypatch.setattr(layers, "MOST_DENSE", most)
    attention = model.attend(TEXT, reading)
    assert (attention.scores is None) == (most == 0)
    for i, (weights, value) in enumerate(zip(whole.weights, whole.value, strict=True)):
        heads = np.concatenate(list(weights @ value), axis=-1)
        _, output, matrix = next(
            one for one in ran if one[0].shape == heads.shape and np.allclose(one[0], heads, atol=1e-4)
        )
        np.testing.assert_allclose(attention.output[i], output, atol=2e-4)
        W_o = matrix.reshape(len(value), value.shape[-1], -1)
        lengths = np.linalg.norm(value @ W_o, axis=-1)
        np.testing.assert_allclose(attention.norms[i], weights * lengths[:, None], atol=2e-4)


def test_norms_of_a_family_that_gives_weights_alone_are_refused(saved):
    with pytest.raises(InputError, match="norms need values and W_o, and this family gives weights alone"):
        models.load(str(saved("bloom"))).attend(TEXT, Reading(norms=True))


def test_an_output_that_is_changed_before_its_matrix_is_not_shown(saved):
    """Of Qwen3-Next a gate is multiplied with what the heads give: it is no sum of values any more."""
    model = models.load(str(saved("qwen3-next")))
    assert model.attend(TEXT).output is None
    with pytest.raises(InputError, match="norms need W_o, which is unknown for layer 3, 7; leave norms out"):
        model.attend(TEXT, Reading(norms=True))


def test_it_is_known_which_tokens_are_one_word(saved):
    model = models.load(str(saved("t5")))
    attention = model.attend("the cat,", Reading(kind="cross", target="a dog"))
    assert (attention.query_words, attention.key_words) == ((1, 2, 3), (1, 2, 3, 4))


@pytest.mark.parametrize("name", ["t5", "albert", "bloom", "longformer"])
def test_what_is_picked_is_that_of_the_whole(saved, name):
    model = models.load(str(saved(name)))
    whole = model.attend(TEXT)
    part = model.attend(
        TEXT,
        Reading(
            heads=(0, -1),
            queries=lambda tokens: [tokens.index("mat")],
            keys=lambda tokens: range(2, 5),
            layers=(-1,),
        ),
    )
    assert (part.layers, part.heads) == (whole.layers[-1:], (0, 3))
    assert (part.query_tokens, part.key_tokens) == (("mat",), ("sat", "on", "the"))
    np.testing.assert_array_equal(part.weights, whole.weights[-1:, [0, 3], 5:6, 2:5])
    assert part.provenance.endswith("query 5 of 11; keys 2 to 4 of 11")


def test_pieces_of_a_family_that_gives_weights_alone(saved):
    """Bloom has no limit of its own; its tokenizer is told one."""
    model = models.load(str(saved("bloom")))
    model.tokenizer.model_max_length = 5
    attention = model.attend("the cat sat on a dog", Reading(too_long="chunk"))
    assert attention.key_tokens == ("the", "cat", "sat", "on", "</s>", "a", "dog", "</s>")
    alone = [model.attend(text).weights for text in ("the cat sat on", "a dog")]
    np.testing.assert_allclose(attention.weights[..., :5, :5], alone[0], atol=1e-6)
    np.testing.assert_allclose(attention.weights[..., 5:, 5:], alone[1], atol=1e-6)
    assert not attention.weights[..., :5, 5:].any()
