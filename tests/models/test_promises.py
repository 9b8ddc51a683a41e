"""`attn models DIR` promises what then works, and a family without softmax attention over tokens is told what it has."""

import shutil
import warnings
from functools import cache

import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.errors import InputError
from attn_cli.models.library import eager, unread
from attn_cli.models.reading import Reading
from attn_cli.records.encoding import Image
from test_huggingface import saved as native_saved
from test_model_directories import wordpiece
from test_through_transformers import BERT, LLAMA, TARGET, TEXT, config_with, numbers, words
from torch import nn

transformers = pytest.importorskip("transformers", reason="the extra attn-cli[hf] is not installed")
PIXELS = Image(np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8))
VISION = {
    "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4,
    "image_size": 24, "patch_size": 8,
}  # fmt: skip
BLIP = {
    "text_config": {**BERT, "projection_dim": 8, "encoder_hidden_size": 16}, "vision_config": VISION,
    "projection_dim": 8, "image_text_hidden_size": 8,
}  # fmt: skip
STATES = {"vocab_size": 12, "hidden_size": 16, "num_hidden_layers": 2}
FAMILIES = {
    "qwen3": ("Qwen3ForCausalLM", {**LLAMA, "max_window_layers": 28}),
    "qwen2-vl": (
        "Qwen2VLForConditionalGeneration",
        {"text_config": {**LLAMA, "max_window_layers": 28, "rope_parameters": {
            "rope_type": "default", "mrope_section": [1, 1, 0], "rope_theta": 1e4}},
         "vision_config": {"depth": 2, "embed_dim": 16, "hidden_size": 16, "num_heads": 4, "mlp_ratio": 2, "patch_size": 8}},
    ),
    "diffllama": ("DiffLlamaForCausalLM", LLAMA),
    "blip": ("BlipModel", BLIP),
    "blip captions": ("BlipForConditionalGeneration", BLIP),
    "blip retrieval": ("BlipForImageTextRetrieval", BLIP),
    "bigbird": ("BigBirdModel", {**BERT, "attention_type": "block_sparse", "block_size": 2, "num_random_blocks": 1}),
    "longt5": (
        "LongT5ForConditionalGeneration",
        {"vocab_size": 12, "d_model": 16, "d_kv": 4, "d_ff": 20, "num_layers": 2, "num_heads": 4, "local_radius": 3,
         "decoder_start_token_id": 0, "relative_attention_num_buckets": 6},
    ),
    "prophetnet": (
        "ProphetNetForConditionalGeneration",
        {"vocab_size": 12, "hidden_size": 16, "encoder_ffn_dim": 20, "num_encoder_layers": 2, "pad_token_id": 0,
         "num_encoder_attention_heads": 4, "decoder_ffn_dim": 20, "num_decoder_layers": 2, "bos_token_id": 3,
         "num_decoder_attention_heads": 4, "max_position_embeddings": 40, "eos_token_id": 1, "decoder_start_token_id": 1},
    ),
    "siglip2": (
        "Siglip2Model",
        {"text_config": BERT, "vision_config": {**{k: v for k, v in VISION.items() if k != "image_size"}, "num_patches": 9}},
    ),
    "deberta": ("DebertaModel", BERT),
    "squeezebert": ("SqueezeBertModel", {**BERT, "embedding_size": 16}),
    "rwkv": ("RwkvModel", {**STATES, "attention_hidden_size": 16, "intermediate_size": 20}),
    "mamba": ("MambaModel", STATES),
    "fnet": ("FNetModel", BERT),
    "nystromformer": ("NystromformerModel", {**BERT, "segment_means_seq_len": 8, "num_landmarks": 4}),
    "reformer": (
        "ReformerModel",
        {"vocab_size": 12, "hidden_size": 16, "attention_head_size": 4, "num_attention_heads": 4, "feed_forward_size": 20,
         "attn_layers": ["local", "lsh"], "local_attn_chunk_length": 4, "lsh_attn_chunk_length": 4, "num_buckets": 2,
         "axial_pos_shape": [4, 4], "axial_pos_embds_dim": [8, 8], "max_position_embeddings": 16, "pad_token_id": 0},
    ),
    "swinv2": (
        "Swinv2Model",
        {"image_size": 24, "patch_size": 4, "embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 3},
    ),
    "pvt": ("PvtModel", {"image_size": 32, "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 2]}),
    "convnext": ("ConvNextModel", {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1]}),
    "vit-mae": (
        "ViTMAEModel",
        {**VISION, "decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 4,
         "decoder_intermediate_size": 16},
    ),
    "wav2vec2": (
        "Wav2Vec2Model",
        {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32,
         "conv_dim": [8, 8], "conv_stride": [5, 2], "conv_kernel": [10, 3], "num_conv_pos_embeddings": 4,
         "num_conv_pos_embedding_groups": 2},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Gives the directory of a random model of one of the FAMILIES, with a tokenizer and a processor of images."""

    @cache
    def save(name):
        directory = tmp_path_factory.mktemp("models") / name.replace(" ", "-")
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
        transformers.ViTImageProcessorPil(size={"height": 24, "width": 24}).save_pretrained(directory)
        return directory

    return save


# ---- what is read -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_promised_works_and_nothing_else_does(saved, name):
    directory = str(saved(name))
    described = models.describe(directory)
    reads = described.get("reads", "").partition(";")[0]
    for what, given in (("text", TEXT), ("images", PIXELS)):
        kind = "decoder" if "not its encoder" in described["read"] else None
        reading = Reading(kind=kind, target=TARGET if kind else None)
        if what in reads:
            attention = models.load(directory).attend(given, reading)
            np.testing.assert_allclose(attention.weights.sum(-1), 1, atol=1e-5)
        else:
            with pytest.raises(InputError) as refused:
                models.load(directory).attend(given, reading)
            assert "cannot read this" not in str(refused.value)
            assert len(str(refused.value)) <= 300
    assert (described["read"].startswith("no")) == (not reads)


def theirs(directory, **inputs):
    model = transformers.AutoModel.from_pretrained(directory, attn_implementation="eager").eval()
    with torch.no_grad():
        return model(**inputs, output_attentions=True)


@pytest.mark.parametrize("name", ["qwen3", "diffllama", "qwen2-vl", "deberta"])
def test_the_numbers_are_those_of_the_library(saved, name):
    expected = theirs(saved(name), input_ids=torch.tensor([numbers(TEXT)])).attentions
    attention = models.load(str(saved(name))).attend(TEXT)
    assert attention.layers == (0, 1)
    np.testing.assert_allclose(attention.weights, torch.cat(expected), atol=1e-5)


def test_two_halves_of_the_values_of_diffllama_are_one_layer(saved):
    """Its heads give two sums with the same weights; what comes of their difference is no sum of values."""
    attention = models.load(str(saved("diffllama"))).attend(TEXT)
    assert attention.value.shape == (2, 4, 11, 8)
    assert attention.output is None


@pytest.mark.parametrize("name", ["blip", "blip captions", "blip retrieval"])
def test_blip_as_each_of_its_classes_saves_it(saved, name):
    model = models.load(str(saved(name)))
    assert models.describe(str(saved(name)))["reads"] == "text and images"
    looking, reading = model.attend(PIXELS), model.attend(TEXT)
    assert (looking.kind, looking.patches, looking.weights.shape) == ("encoder", (3, 3), (2, 4, 10, 10))
    assert reading.weights.shape == (2, 4, 11, 11)
    pixels = model.model.vision_model
    assert pixels.config.num_hidden_layers == 2


def test_beyond_a_length_bigbird_is_refused_and_up_to_it_all_is_seen(saved):
    model = models.load(str(saved("bigbird")))
    said = r"21 tokens: beyond 14 BigBird attends to blocks chosen at random \(block_sparse\); give a shorter text"
    with pytest.raises(InputError, match=said):
        model.attend(TEXT + " " + TEXT)
    full = transformers.AutoModel.from_pretrained(saved("bigbird"), attention_type="original_full").eval()
    with torch.no_grad():
        expected = full(torch.tensor([numbers(TEXT)]), output_attentions=True).attentions
    np.testing.assert_allclose(model.attend(TEXT).weights, torch.cat(expected), atol=1e-5)
    assert "at most 14 tokens" in models.describe(str(saved("bigbird")))["read"]


def test_kinds_that_are_not_read_are_named(saved):
    longt5, prophetnet = (models.load(str(saved(name))) for name in ("longt5", "prophetnet"))
    with pytest.raises(
        InputError, match="the encoder attention of LongT5 attends within blocks of neighbours"
    ):
        longt5.attend(TEXT)
    assert longt5.attend(TEXT, Reading(kind="cross", target=TARGET)).weights.shape == (2, 4, 4, 11)
    with pytest.raises(
        InputError, match="the encoder attention of ProphetNet is given by transformers as scores"
    ):
        prophetnet.attend(TEXT)
    with pytest.raises(
        InputError, match="cross attention of ProphetNet is of several tokens to come at once"
    ):
        prophetnet.attend(TEXT, Reading(kind="cross", target=TARGET))


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([[[0.5, 0.6]]], "numbers from 0.5 to 0.6, rows that sum to 1.1; it gives its scores"),
        ([[[-104.7, 1.0]]], "numbers from -105 to 1, rows that sum to -104; it gives its scores"),
        ([[[1.5, 0.0]]], "numbers from 0 to 1.5, rows"),
    ],
)
def test_what_is_no_weight_is_refused_naming_the_layer(weights, said):
    good = torch.tensor([[[[0.5, 0.5]]]])
    outputs = transformers.modeling_outputs.BaseModelOutput(attentions=(good, torch.tensor([weights])))
    with pytest.raises(InputError, match=f"layer 1 of this family gives no weights: {said}"):
        eager.weights_of(outputs, None, n_layers=2, shape=(1, 2), banded=False)


# ---- what is not ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rwkv", "Rwkv has no attention: a state is passed on from token to token"),
        ("mamba", "Mamba has no attention: a state"),
        ("fnet", "FNet mixes tokens by Fourier transforms"),
        ("nystromformer", "Nystromformer attends through a few landmarks"),
        ("reformer", "Reformer attends within chunks of tokens that are hashed alike"),
        ("squeezebert", "SqueezeBert gives its scores through transformers, before the softmax"),
        ("swinv2", "Swinv2 attends within windows of patches"),
        ("pvt", "Pvt attends from all patches to fewer"),
        ("convnext", "ConvNext has no attention: it is made of convolutions"),
        ("vit-mae", "ViTMAE hides three of four patches at random"),
        ("wav2vec2", "Wav2Vec2 hears sounds in another way than Whisper, which is the one that attn reads"),
    ],
)
def test_one_sentence_says_what_a_family_does_instead(saved, name, said):
    with pytest.raises(InputError) as refused:
        models.load(str(saved(name)))
    assert said in str(refused.value)
    assert said.partition(" ")[2].partition(";")[0] in models.describe(str(saved(name)))["read"]


def test_the_image_tower_of_siglip2(saved):
    with pytest.raises(InputError, match="takes patches of an image of any shape, cut beforehand"):
        models.load(str(saved("siglip2"))).attend(PIXELS)
    assert models.describe(str(saved("siglip2")))["reads"] == "text; images are not read"


def test_every_sentence_is_a_whole_one():
    for kind, what in unread._INSTEAD.items():
        assert what.split()[0].endswith("s"), kind
        assert not what.endswith("."), kind


# ---- directories that lack something ----------------------------------------------------------------


def without(name):
    return lambda directory: (directory / name).unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("model.safetensors"), "no: no model.safetensors in it"),
        (without("tokenizer.json"), "no: no tokenizer.json in it"),
        (config_with(num_hidden_layers=4), "no: no tensor 'encoder.layer.3."),
        (config_with(intermediate_size=41), "no: encoder.layer.0.intermediate.dense"),
        (lambda directory: None, "natively"),
    ],
)
def test_nothing_is_promised_of_a_native_directory_that_lacks_something(tmp_path, change, said):
    directory = wordpiece(native_saved(tmp_path / "bert", "bert"))
    change(directory)
    read = models.describe(str(directory))["read"]
    assert read.startswith(said)
    if read != "natively":
        with pytest.raises(InputError):
            models.load(str(directory))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("model.safetensors"), "no: no model.safetensors in it"),
        (config_with(quantization_config={"quant_method": "x"}), "no: the weights are quantised"),
        (config_with(auto_map={"AutoModel": "own.Model"}), "no: needs custom code (auto_map)"),
    ],
)
def test_nothing_is_promised_of_a_directory_of_the_library_either(saved, tmp_path, change, said):
    directory = shutil.copytree(saved("deberta"), tmp_path / "deberta")
    change(directory)
    assert models.describe(str(directory))["read"].startswith(said)


# ---- tokenizers -------------------------------------------------------------------------------------

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "the",
    "cat",
    "cafe",
    "##s",
    "The",
    ",",
    "注",
    "意",
    "!",
]


@pytest.mark.parametrize("lowercase", [True, False])
def test_a_vocabulary_alone_is_read_as_the_library_reads_it(tmp_path, lowercase):
    directory = native_saved(tmp_path, "bert")
    (directory / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    if not lowercase:
        (directory / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    text = "The cafés, 注意 the [MASK] dog!"
    theirs = transformers.BertTokenizer(str(directory / "vocab.txt"), do_lower_case=lowercase)
    model = models.load(str(directory))
    assert model.tokenizer.encode(text).ids == theirs(text)["input_ids"]
    assert model.tokenizer.encode(text, "cat").type_ids == theirs(text, "cat")["token_type_ids"]
    assert models.describe(str(directory))["read"] == "natively"
    assert model.attend("the cats").key_tokens == ("[CLS]", "the", "cat", "s", "[SEP]")
    (directory / "vocab.txt").write_text("the\ncat\n")
    with pytest.raises(InputError, match=r"vocab.txt: no \[UNK\] in it; give the vocab.txt of a BERT"):
        models.load(str(directory))


def test_a_tokenizer_of_whole_words_is_read_whatever_its_family_has(saved, tmp_path):
    """ALBERT's own class expects pieces with probabilities in a tokenizer.json."""
    model = transformers.AlbertModel(transformers.AlbertConfig(**{**BERT, "embedding_size": 8}))
    model.save_pretrained(tmp_path)
    shutil.copy(saved("deberta") / "tokenizer.json", tmp_path)
    assert models.load(str(tmp_path)).attend(TEXT).key_tokens[:3] == ("the", "cat", "sat")


def test_a_word_that_a_tokenizer_cannot_read_is_not_blamed_on_its_file(tmp_path):
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    directory = native_saved(tmp_path, "bert")
    Tokenizer(WordLevel({"the": 0}, unk_token="[UNK]")).save(str(directory / "tokenizer.json"))
    with pytest.raises(InputError, match=r"the tokenizer cannot read this text .* save it with a token for"):
        models.load(str(directory)).attend("cat")


def test_an_image_is_nothing_for_a_model_that_reads_text(tmp_path):
    bert = models.load(str(wordpiece(native_saved(tmp_path, "bert"))))
    for model, called in ((bert, "BERT"), (models.load("mini"), "this run")):
        with pytest.raises(
            InputError, match=f"{called} reads text, not images; give a ViT or CLIP directory"
        ):
            model.attend(PIXELS)


def test_a_part_that_reads_no_tokens_is_named(tmp_path):
    sizes = {**BERT, "encoder_hidden_size": 16}
    transformers.Blip2QFormerModel(transformers.Blip2QFormerConfig(**sizes)).save_pretrained(tmp_path)
    words(tmp_path)
    with pytest.raises(InputError, match="by itself reads no text; give the model that it is a part of"):
        models.load(str(tmp_path)).attend(TEXT)
    assert models.describe(str(tmp_path))["read"] == "no, by itself it reads no text"


def test_a_tower_whose_embeddings_are_more_than_one_tensor(tmp_path):
    """DPT gives what is between its stages too."""
    transformers.DPTModel(transformers.DPTConfig(**VISION)).save_pretrained(tmp_path)
    transformers.ViTImageProcessorPil(size={"height": 24, "width": 24}).save_pretrained(tmp_path)
    assert models.load(str(tmp_path)).attend(PIXELS).weights.shape == (2, 4, 10, 10)
