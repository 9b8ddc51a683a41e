"""Hugging Face directories on the command line: what is read of a text, and what is refused of a directory."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.attention import layers
from attn_cli.errors import AttnNote, InputError
from attn_cli.models.reading import Reading
from safetensors.torch import load_file, save_file
from test_huggingface import saved
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE, WordPiece

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "sat", "em", "##bed", "##ding", "注", "意", ","]


def wordpiece(directory: Path) -> Path:
    """A tokenizer like BERT's, with the padding and cutting that sentence encoders leave in theirs."""
    tokenizer = Tokenizer(WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.enable_padding(length=30)
    tokenizer.enable_truncation(4)
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory


def bytelevel(directory: Path) -> Path:
    """A tokenizer like GPT-2's with a few bytes and one merge; Ġ is a space, æ ³ ¨ are the bytes of 注."""
    vocabulary = {token: i for i, token in enumerate([*"thecasĠæ³¨", "th"])}
    tokenizer = Tokenizer(BPE(vocabulary, [("t", "h")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """One directory of each, to be copied: making them takes longer than any test of them."""
    home = tmp_path_factory.mktemp("models")
    return {
        "tiny-bert": wordpiece(saved(home / "b", "bert")),
        "tiny-gpt2": bytelevel(saved(home / "g", "gpt2")),
    }


@pytest.fixture
def bert(originals, tmp_path):
    return Path(shutil.copytree(originals["tiny-bert"], tmp_path / "tiny-bert"))


@pytest.fixture
def gpt2(originals, tmp_path):
    return Path(shutil.copytree(originals["tiny-gpt2"], tmp_path / "tiny-gpt2"))


# ---- a text -----------------------------------------------------------------------------------------


def test_labels_are_the_characters_of_the_text(bert):
    attention = models.load(str(bert)).attend("The CAT\nEmbedding, 注意 [x]")
    assert attention.query_tokens == (
        "[CLS]", "The", "CAT", "Em", "bed", "ding", ",", "注", "意", "[", "x", "]", "[SEP]",
    )  # fmt: skip
    assert attention.kind == "encoder"
    assert attention.provenance == "BERT: tiny-bert, 3 layers × 4 heads"
    np.testing.assert_allclose(attention.weights.sum(-1), 1, atol=1e-6)


def test_bytes_of_one_character_say_which_part_of_it_they_are(gpt2):
    attention = models.load(str(gpt2)).attend("the 注")
    assert attention.query_tokens == ("th", "e", " ", "注¹⁄₃", "注²⁄₃", "注³⁄₃")
    assert attention.kind == "decoder"
    assert not np.triu(attention.weights, 1).any()
    assert attention.mask.shape == (1, 1, 6, 6)


@pytest.mark.parametrize(
    ("name", "text", "options", "words"),
    [
        ("bert", "The Embedding, 注意", (), ["[CLS]", "The", "Embedding", ",", "注", "意", "[SEP]"]),
        (
            "bert",
            "The Embedding, 注意",
            (
                "--special",
                "drop",
            ),
            ["The", "Embedding", ",", "注", "意"],
        ),
        ("gpt2", "the 注", ("--query-range", "1:"), ["the", "注"]),
    ],
)
def test_pieces_are_merged_to_words(run, request, tmp_path, name, text, options, words):
    model = str(request.getfixturevalue(name))
    options = ("--words", "--model", model, "--format", "json", "-q", *options)
    merged = json.loads(run("attend", "--text", text, *options, cwd=tmp_path).stdout)
    assert merged["key_tokens"] == words
    assert merged["provenance"].partition("; pieces merged to words")[1]
    sums = np.sum(merged["weights"], axis=-1)
    assert (sums < 1 + 1e-6).all()
    assert "drop" in options or (sums > 1 - 1e-6).all()


def test_chosen_layers_are_those_of_the_whole_and_later_ones_do_not_run(bert):
    model = models.load(str(bert))
    whole = model.attend("the cat sat")
    model.model.encoder.layers[2].register_forward_hook(lambda *_: pytest.fail("it ran"))
    some = model.attend("the cat sat", Reading(layers=(1, 0)))
    assert some.layers == (0, 1)
    for name in ("weights", "scores", "output", "query", "key", "value"):
        np.testing.assert_array_equal(getattr(some, name), getattr(whole, name)[:2])
    assert some.provenance.endswith("3 layers × 4 heads, layer 0, 1")
    with pytest.raises(InputError, match="no layer 3; give 0 to 2, last or all"):
        model.attend("the", Reading(layers=(3,)))


def test_a_pair_is_in_two_segments(bert):
    model = models.load(str(bert))
    attention = model.attend("the cat", Reading(pair="sat"))
    assert attention.query_tokens == ("[CLS]", "the", "cat", "[SEP]", "sat", "[SEP]")
    model.model.segment.weight.data[1] = 0
    assert np.abs(model.attend("the cat", Reading(pair="sat")).weights - attention.weights).max() > 1e-4
    model.model.segment.weight.data[0] = 0
    alone = model.attend("the cat").weights
    model.model.segment.weight.data[1] = 9
    np.testing.assert_array_equal(model.attend("the cat").weights, alone)


def test_a_decoder_reads_no_pair(gpt2):
    with pytest.raises(InputError, match="GPT-2 reads one text, not a pair; leave --pair out"):
        models.load(str(gpt2)).attend("the", Reading(pair="the"))


def test_special_tokens_hide_without_changing_a_number(bert):
    model = models.load(str(bert))
    whole = model.attend("the cat")
    with pytest.warns(AttnNote, match="special tokens are hidden; rows sum to less than 1"):
        hidden = model.attend("the cat", Reading(special="drop"))
    assert hidden.key_tokens == ("the", "cat")
    np.testing.assert_array_equal(hidden.weights, whole.weights[:, :, 1:3, 1:3])
    np.testing.assert_array_equal(hidden.output, whole.output[:, 1:3])
    assert hidden.provenance == whole.provenance + ", special tokens hidden"


def test_rows_are_renormalised_only_if_asked_and_then_said(bert, run):
    options = ("--text", "the cat", "--model", str(bert), "--format", "json", "--layer", "1")
    plain, again = (run("attend", *options, "--special", how) for how in ("drop", "renormalise"))
    sums = [np.sum(json.loads(done.stdout)["weights"], axis=-1) for done in (plain, again)]
    assert (sums[0] < 0.9).all()
    np.testing.assert_allclose(sums[1], 1, atol=1e-6)
    assert again.stderr == "attn: note: special tokens are hidden; rows are renormalised\n"
    assert "special tokens hidden and rows renormalised" in json.loads(again.stdout)["provenance"]


LONG = "the cat sat " * 20  # 62 tokens with the special ones, 40 are read


def test_too_long_a_text(bert):
    model = models.load(str(bert))
    with pytest.raises(InputError) as error:
        model.attend(LONG)
    assert str(error.value) == (
        "62 tokens, the model reads at most 40; --too-long truncate reads the first 40, "
        "--too-long chunk reads pieces that do not see each other"
    )
    with pytest.warns(AttnNote, match="the text is cut: the model reads at most 40 of 62 tokens"):
        first = model.attend(LONG, Reading(too_long="truncate"))
    assert len(first.query_tokens) == 40
    pieces = model.attend(LONG, Reading(too_long="chunk"))
    assert len(pieces.query_tokens) == 40 + 24
    np.testing.assert_allclose(pieces.weights[:, :, :40, :40], first.weights, atol=1e-6)
    assert not pieces.weights[:, :, :40, 40:].any()
    assert not pieces.weights[:, :, 40:, :40].any()
    np.testing.assert_allclose(pieces.weights.sum(-1), 1, atol=1e-6)
    assert pieces.provenance.endswith("in 2 pieces that do not see each other")
    assert len(model.attend(LONG[:60]).query_tokens) == 17  # nothing of the cutting stays


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_streamed_maps_are_the_dense_ones(name, request, monkeypatch):
    model = models.load(str(request.getfixturevalue(name)))
    dense = model.attend("the cat sat the cat")
    monkeypatch.setattr(layers, "MOST_DENSE", 0)
    streamed = model.attend("the cat sat the cat")
    assert streamed.scores is None
    np.testing.assert_allclose(streamed.weights, dense.weights, atol=1e-6)
    np.testing.assert_allclose(streamed.output, dense.output, atol=1e-5)
    np.testing.assert_allclose(streamed.mass, dense.weights.sum(-2), atol=1e-5)


def test_half_precision_is_computed_in_single(bert):
    single = models.load(str(bert)).attend("the cat")
    path = bert / "model.safetensors"
    save_file({name: tensor.bfloat16() for name, tensor in load_file(path).items()}, path)
    half = models.load(str(bert)).attend("the cat")
    assert half.weights.dtype == np.float32
    np.testing.assert_allclose(half.weights, single.weights, atol=0.1)
    assert np.abs(half.weights - single.weights).max() > 1e-6


def test_shards_old_names_and_a_cache_are_read(bert, tmp_path):
    """A model as its first version was saved, in pieces, in the folders of the Hugging Face cache."""
    expected = models.load(str(bert)).attend("the cat").weights
    home = tmp_path / "models--google--tiny"
    (blobs := home / "blobs").mkdir(parents=True)
    (snapshot := home / "snapshots" / "abc").mkdir(parents=True)
    old = {
        "bert."
        + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): t
        for name, t in load_file(bert / "model.safetensors").items()
    }
    shards = {f"model-0000{i}-of-00002.safetensors": dict(list(old.items())[i::2]) for i in (0, 1)}
    for name, tensors in shards.items():
        save_file(tensors, blobs / f"hash{name[10]}")
    index = {"weight_map": {name: shard for shard, tensors in shards.items() for name in tensors}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    for name in ("config.json", "tokenizer.json"):
        (blobs / name).write_bytes((bert / name).read_bytes())
        (snapshot / name).symlink_to(f"../../blobs/{name}")
    for name in shards:
        (snapshot / name).symlink_to(f"../../blobs/hash{name[10]}")
    model = models.load(str(snapshot))
    np.testing.assert_array_equal(model.attend("the cat").weights, expected)
    assert model.provenance.startswith("BERT: google/tiny, ")


# ---- commands ---------------------------------------------------------------------------------------


def test_a_picture_and_a_table_of_one_layer(bert, run, tmp_path):
    picture = tmp_path / "x.svg"
    done = run("heatmap", "--text", "the cat", "--model", str(bert), "--layer", "1", "-o", str(picture))
    assert (done.code, done.stderr) == (0, "")
    assert "BERT: tiny-bert, 3 layers × 4 heads, layer 1" in picture.read_text()
    saved_record = str(tmp_path / "x.npz")
    assert run("attend", "--text", "the cat", "--model", str(bert), "-o", saved_record).code == 0
    table = run("attend", "--text", "the cat", "--model", str(bert), "--layer", "last").stdout
    assert table == run("attend", saved_record, "--layer", "2").stdout
    assert {line.split("\t")[0] for line in table.splitlines()[1:]} == {"2"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layer", "x"], "--layer 'x'; give "),
        (["--too-long", "cut"], "unknown --too-long 'cut'; give error, truncate or chunk"),
        (
            ["--pair", "sat", "--too-long", "chunk"],
            "--too-long chunk cannot be combined with --pair; give --too-long truncate, or one text",
        ),
        (["--layer", "7"], "no layer 7; give 0 to 2, last or all"),
        (["--heads", "2"], "--heads does not apply to --model"),
    ],
)
def test_options_that_cannot_be(bert, run, options, message):
    done = run("attend", "--text", "the cat", "--model", str(bert), *options)
    assert done.code == 2
    assert done.stderr.startswith(f"attn: error: {message}")


@pytest.mark.parametrize(
    "option", [["--pair", "b"], ["--special", "drop"], ["--too-long", "truncate"], ["--too-long", "chunk"]]
)
def test_options_of_models_are_not_for_vectors(run, option):
    done = run("attend", "--text", "a b", *option)
    assert done.code == 2
    assert f"{option[0]} does not apply to vectors" in done.stderr


def test_attn_models(bert, run, tmp_path):
    listed = run("models").stdout.splitlines()
    assert listed[0] == "model_type\tfamily\treads"
    assert listed[1].startswith("mini\tcomes with attn: ")
    assert "bert\tBERT\ttext" in listed
    assert "vit\tViT\timages" in listed
    described = dict(line.split("\t") for line in run("models", str(bert)).stdout.splitlines())
    assert described["family"] == "BERT"
    assert (described["layers"], described["heads"], described["max_len"]) == ("3", "4", "40")
    assert described["read"] == "natively"
    (tmp_path / "config.json").write_text('{"model_type": "t6"}')
    assert run("models", str(tmp_path)).stdout == "what\tvalue\nfamily\tt6\nread\tno\n"


# ---- hostile and broken directories -----------------------------------------------------------------


def config_with(**changes):
    def change(directory: Path) -> None:
        path = directory / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def weights_with(**changes):
    def change(directory: Path) -> None:
        path = directory / "model.safetensors"
        tensors = {**load_file(path), **changes}
        path.unlink()
        save_file({name: tensor for name, tensor in tensors.items() if tensor is not ...}, path)

    return change


def index_of(weight_map):
    def change(directory: Path) -> None:
        (directory / "model.safetensors").unlink()
        (directory / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    return change


def outside(name):
    """The file moves out of the directory, and a link to it stays."""

    def change(directory: Path) -> None:
        (directory / name).rename(directory.parent / name)
        (directory / name).symlink_to(directory.parent / name)

    return change


def file_with(name, content):
    return lambda directory: (directory / name).write_bytes(content)


def only_a_pickle(directory):
    (directory / "model.safetensors").unlink()
    (directory / "pytorch_model.bin").write_bytes(pickle.dumps(Opens()))


def a_pipe(directory):
    (directory / "tokenizer.json").unlink()
    os.mkfifo(directory / "tokenizer.json")


class Opens:
    """Unpickling one writes a file, which no test may find."""

    def __reduce__(self):
        return (open, ("executed", "w"))


BOMB = b'{"embeddings.word_embeddings.weight":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
WORD_VECTORS = "embeddings.word_embeddings.weight"

BROKEN = {
    "family": (config_with(model_type="t5\x1b"), "a model of the family 't5\\u001b'; attn reads BERT, RoBERTa,"),
    "no size": (config_with(hidden_size=None), "config.json: has no 'hidden_size'"),
    "half a layer": (config_with(num_hidden_layers=1.5), "config.json: num_hidden_layers is 1.5, expected a whole"),
    "huge": (config_with(intermediate_size=2**60), "config.json: intermediate_size is 1152921504606846976, expected"),
    "wide": (config_with(intermediate_size=2**26), "[40, 24] gives [40, 24], by config.json it should be [67108864, 24]"),
    "many layers": (config_with(num_hidden_layers=2**26), "tensors for 67108864 layers"),
    "a layer more": (config_with(num_hidden_layers=4), "no tensor 'encoder.layer.3.attention.output.LayerNorm.weight'"),
    "heads": (config_with(num_attention_heads=7), "config.json: 7 heads do not divide d_model 24"),
    "activation": (config_with(hidden_act="mish"), 'config.json: hidden_act is "mish", only "gelu" or "gelu_new" or'),
    "positions": (
        config_with(position_embedding_type="relative_key"),
        'config.json: position_embedding_type is "relative_key", only "absolute" is read',
    ),
    "a true eps": (config_with(layer_norm_eps=True), "config.json: layer_norm_eps is true, expected a number above 0"),
    "pickle": (only_a_pickle, "its only weights are a pickle, pytorch_model.bin, which could run code when loaded; convert it"),
    "disguised": (file_with("model.safetensors", pickle.dumps(Opens())), "model.safetensors: not whole ("),
    "cut": (
        lambda d: os.truncate(d / "model.safetensors", (d / "model.safetensors").stat().st_size - 1),
        "model.safetensors: not whole (",
    ),
    "bomb": (file_with("model.safetensors", len(BOMB).to_bytes(8, "little") + BOMB), "model.safetensors: not whole ("),
    "one too few": (weights_with(**{WORD_VECTORS: ...}), f"no tensor '{WORD_VECTORS}'"),
    "shape": (weights_with(**{WORD_VECTORS: torch.ones(3)}), "[3] gives [3], by config.json it should be [50, 24]"),
    "type": (
        weights_with(**{WORD_VECTORS: torch.ones(50, 24, dtype=torch.int8)}),
        f"{WORD_VECTORS} is of I8, only F64, F32, F16, BF16 are read",
    ),
    "a path": (index_of({"a": "../model.safetensors"}), "file name '../model.safetensors'; only files of the"),
    "an absolute path": (index_of({"a": "/etc/passwd"}), "file name '/etc/passwd'; only files of the directory"),
    "dots": (index_of({"a": ".."}), "a link to a file outside the directory"),
    "another kind": (index_of({"a": "config.json"}), "no file 'config.json', which the index lists"),
    "no shard": (index_of({"a": "b.safetensors"}), "no file 'b.safetensors', which the index lists"),
    "a list": (index_of(["a"]), "model.safetensors.index.json: no weight_map from tensors to files"),
    "numbers": (index_of({"a": 1}), "model.safetensors.index.json: no weight_map from tensors to files"),
    "no weights": (lambda d: (d / "model.safetensors").unlink(), "no model.safetensors in it"),
    "weights outside": (outside("model.safetensors"), "model.safetensors: a link to a file outside the directory"),
    "config outside": (outside("config.json"), "config.json: a link to a file outside the directory"),
    "tokenizer outside": (outside("tokenizer.json"), "tokenizer.json: a link to a file outside the directory"),
    "no tokenizer": (lambda d: (d / "tokenizer.json").unlink(), "no tokenizer.json in it; save it:"),
    "a pipe": (a_pipe, "tokenizer.json: not a file"),
    "a broken tokenizer": (file_with("tokenizer.json", b'{"version": "1.0"}'), "tokenizer.json: not a tokenizer.json ("),
    "a panic": (
        file_with("tokenizer.json", json.dumps({
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": None, "post_processor": None, "decoder": None,
            "model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]},
        }).encode()),
        "tokenizer.json: not a tokenizer.json (",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("breaking", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_directory_is_one_line(breaking, message, bert, monkeypatch):
    monkeypatch.chdir(bert)
    breaking(bert)
    with pytest.raises(InputError) as error:
        models.load(str(bert))
    assert message in str(error.value)
    assert str(bert) in str(error.value)
    assert "\n" not in str(error.value)
    assert not Path("executed").exists()


def panicking(path: Path, **changes) -> None:
    path.write_text(
        json.dumps({**json.loads(path.read_text()), "truncation": None, "padding": None, **changes})
    )


NO_SECOND = {  # a template that wants a second text where there is none
    "type": "TemplateProcessing", "single": [{"Sequence": {"id": "B", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "ABCD"}}, "Cannot parse precompiled_charsmap"),
        ({"post_processor": NO_SECOND}, "index out of bounds"),
    ],
    ids=["when it is opened", "when it reads"],
)  # fmt: skip
def test_a_tokenizer_that_panics_is_one_line(bert, warm, changes, said):
    """Rust tells the story of a panic on the standard error of the process, before Python hears of it."""
    panicking(bert / "tokenizer.json", **changes)
    done = subprocess.run(
        [warm, "attend", "--text", "the cat", "--model", str(bert)],
        env={**os.environ, "RUST_BACKTRACE": "1"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("attn: error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_tokenizer_of_another_model(bert):
    tokenizer = json.loads((bert / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["cat"] = 50
    (bert / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(InputError, match=r"tokenizer\.json has token number 50, but the model has only 50"):
        models.load(str(bert)).attend("the cat")


@pytest.mark.parametrize(
    ("scaling", "message"),
    [
        ({"rope_type": "longrope", "factor": 4.0}, "rope_type 'longrope', only default, linear, dynamic, yarn and llama3"),
        ({"type": "yarn", "factor": 4.0, "beta_fast": 16}, "yarn with beta_fast 16, only 32 is read"),
        ({"rope_type": "linear", "factor": "4"}, 'factor is "4", expected a number above 0'),
        ([], "rope_parameters is [], expected an object"),
    ],
)  # fmt: skip
def test_rotary_scalings_that_are_not_read(tmp_path, scaling, message):
    directory = saved(tmp_path, "llama")
    config_with(rope_parameters=scaling)(directory)
    with pytest.raises(InputError) as error:
        models.load(str(directory))
    assert f"config.json: {message}" in str(error.value)


def test_no_part_of_torch_that_is_slow_to_load_is_loaded(bert):
    """Initial values on the meta device would import torch's compiler, which doubles the time to start."""
    script = f"import sys; from attn_cli import models; models.load({str(bert)!r}).attend('the'); print('torch._dynamo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
