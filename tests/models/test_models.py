"""Run directories: written, read back, and refused when they are not what `train-toy` writes."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.errors import InputError
from attn_cli.models.runs.directory import to_files
from attn_cli.models.runs.run import Run
from attn_cli.toy.training import new_model
from attn_cli.transformer.model import Config
from safetensors.torch import load, save

SIZES = {"vocab": 3, "max_len": 4, "d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 16}
CONFIG = Config(**SIZES)


def a_run() -> Run:
    model, words = new_model(CONFIG, seed=1), ("a", "b", "注")
    return Run("train-toy reverse", model, words, 1, "exact match 99.5 %", "encoder")


def files_of(run: Run) -> dict[str, bytes]:
    return to_files(run, "reverse", {"steps": 5}, {"n_examples": 2})


@pytest.fixture
def directory(tmp_path):
    for name, content in files_of(a_run()).items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


# ---- what a run is ----------------------------------------------------------------------------------


def test_a_run_comes_back_as_it_was(directory):
    run, loaded = a_run(), models.load(str(directory))
    assert loaded.provenance == run.provenance
    assert loaded.provenance == "train-toy reverse, 2 layers × 2 heads, seed 1, exact match 99.5 %"
    one, other = run.attend("注 a a"), loaded.attend("注 a a")
    for name in ("weights", "scores", "output", "query", "key", "value"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_the_same_run_makes_the_same_bytes():
    assert files_of(a_run()) == files_of(a_run())


def test_its_config_can_be_read_by_people_and_programs(directory):
    config = json.loads((directory / "config.json").read_text("utf-8"))
    assert config["model"] == vars(CONFIG)
    assert config["training"] == {"steps": 5, "seed": 1}
    assert config["results"] == {"n_examples": 2}
    assert config["learned"] == "exact match 99.5 %"
    assert config["versions"]["torch"] == torch.__version__
    assert "注" in (directory / "config.json").read_text("utf-8")


def test_what_it_attends_to(directory):
    run = models.load(str(directory))
    outputs = []
    for layer in run.model.encoder.layers:
        layer.attention.register_forward_hook(lambda part, given, output: outputs.append(output.detach()))
    attention = run.attend("  b\n注 b ")
    assert attention.query_tokens == attention.key_tokens == ("b", "注", "b")
    assert attention.kind == "encoder"
    assert attention.weights.shape == attention.scores.shape == (2, 2, 3, 3)
    np.testing.assert_allclose(attention.weights.sum(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(attention.output, torch.cat(outputs).numpy(), rtol=1e-5, atol=1e-7)
    scores = attention.query @ attention.key.swapaxes(-1, -2) / np.sqrt(4)  # d_head is 8 / 2
    np.testing.assert_allclose(attention.scores, scores, rtol=1e-4, atol=1e-6)
    odds = np.exp(scores)
    np.testing.assert_allclose(attention.weights, odds / odds.sum(-1, keepdims=True), rtol=1e-4)
    assert attention.value.shape == (2, 2, 3, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the text contains no token; give some of a b 注, with spaces between"),
        ("a x\x1b x\x1b [/red]", r"the model does not know x\u001b [/red]; it was trained on a b 注, with"),
        ("a a a a a", "5 tokens, the model reads at most 4; give a shorter text"),
    ],
)
def test_text_that_a_run_cannot_take(text, message):
    with pytest.raises(InputError) as error:
        a_run().attend(text)
    assert str(error.value).startswith(message)


def test_a_long_vocabulary_is_not_all_told():
    many = tuple(map(str, range(100)))
    run = Run("train-toy reverse", new_model(Config(100, 4, 8, 2, 1, 16), seed=0), many, 0, "", "encoder")
    with pytest.raises(InputError, match=r"trained on 0 1 2 .* 19 and 80 more"):
        run.attend("x")


# ---- what is no model -------------------------------------------------------------------------------


def config_with(**changes):
    """A change to config.json; `model__d_model=3` reaches into an object."""

    def change(directory: Path) -> None:
        config = json.loads((directory / "config.json").read_text("utf-8"))
        for path, value in changes.items():
            *objects, last = path.split("__")
            inner = config
            for name in objects:
                inner = inner[name]
            if value is ...:
                del inner[last]
            else:
                inner[last] = value
        (directory / "config.json").write_text(json.dumps(config), "utf-8")

    return change


def weights_with(**changes):
    """A change to the tensors; `...` removes one."""

    def change(directory: Path) -> None:
        tensors = load((directory / "model.safetensors").read_bytes()) | changes
        kept = {name: tensor for name, tensor in tensors.items() if tensor is not ...}
        (directory / "model.safetensors").write_bytes(save(kept))

    return change


def file_with(name, content):
    return lambda directory: (directory / name).write_bytes(content)


def cut(name, n):
    return lambda directory: (directory / name).write_bytes((directory / name).read_bytes()[:n])


class Opens:
    """Unpickling one writes a file, which no test may find."""

    def __reduce__(self):
        return (open, ("executed", "w"))


BOMB = b'{"embedding.weight":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'

BROKEN = {
    "config is cut": (cut("config.json", 20), "config.json: not JSON (Expecting"),
    "config is a list": (file_with("config.json", b"[]"), "config.json: not a JSON object"),
    "config is deep": (file_with("config.json", b"[" * 10**6), "config.json: not JSON ("),
    "config is binary": (file_with("config.json", b"\xff\xfe\x00\xd8"), "config.json: not JSON ("),
    "config is another's": (
        file_with("config.json", b'{"model": "x"}'),
        "its config.json describes no model",
    ),
    "config is missing": (lambda d: (d / "config.json").unlink(), "no config.json in it"),
    "config is a folder": (
        lambda d: [(d / "config.json").unlink(), (d / "config.json").mkdir()],
        "config.json: not a file",
    ),
    "version": (config_with(attn_run=1), "config.json: attn_run 1, this attn reads 2"),
    "no title": (config_with(title=...), "config.json: no 'title'"),
    "title": (config_with(title=3), "config.json: title is 3, expected a text"),
    "attends": (config_with(attends="all"), "config.json: attends 'all', expected encoder or decoder or"),
    "sides": (config_with(sides="01"), "config.json: sides do not fit the vocabulary"),
    "outputs": (config_with(outputs=["x"]), "config.json: 1 tokens come out, outputs None"),
    "no start": (config_with(model__stack="both"), "config.json: no token '[end]' in the vocabulary"),
    "stack": (config_with(model__stack="tower"), 'config.json: stack is "tower"'),
    "positions": (config_with(model__positions="x"), "unknown"),
    "dropout": (config_with(model__dropout=1.0), "config.json: dropout 1.0; give 0 or more"),
    "unknown size": (config_with(model__width=3), "config.json: an unknown size 'width'"),
    "no tokenizer": (config_with(vocabulary=None), "no tokenizer.json in it"),
    "no seed": (config_with(training__seed=...), "config.json: no 'seed'"),
    "training": (config_with(training=[]), "config.json: training is [], expected an object"),
    "learned": (config_with(learned=1.5), "config.json: learned is 1.5, expected a text"),
    "vocabulary": (config_with(vocabulary=["a", "a", "b"]), "config.json: the vocabulary is not a list of"),
    "vocabulary of lists": (config_with(vocabulary=["a", [], "b"]), "config.json: the vocabulary is not a"),
    "vocab": (config_with(model__vocab=4), "config.json: 3 tokens in the vocabulary, vocab 4"),
    "no d_ff": (config_with(model__d_ff=...), "config.json: no 'd_ff'"),
    "heads": (config_with(model__n_heads=3), "config.json: 3 heads do not divide d_model 8"),
    "yes": (config_with(model__n_heads=True), "config.json: n_heads is true"),
    "half": (config_with(model__d_ff=0.5), "config.json: d_ff is 0.5"),
    "negative": (config_with(model__max_len=-1), "config.json: max_len -1; give at least 1"),
    "huge": (config_with(model__d_ff=2**40), "config.json: d_ff 1099511627776, at most 1048576"),
    "wide": (
        config_with(model__d_ff=2**20),
        "feed_forward.up.weight [16, 8] of F32, expected [1048576, 8] of F32",
    ),
    "many layers": (config_with(model__n_layers=2**20), "38 tensors for 1048576 layers"),
    "a layer more": (config_with(model__n_layers=3), "no tensor 'encoder.layers.2.attention.key.bias'"),
    "no weights": (lambda d: (d / "model.safetensors").unlink(), "model.safetensors: no such file"),
    "empty": (cut("model.safetensors", 0), "model.safetensors: not whole ("),
    "cut": (cut("model.safetensors", -1), "model.safetensors: not whole ("),
    "garbage": (file_with("model.safetensors", b"\xff" * 64), "model.safetensors: not whole ("),
    "pickle": (file_with("model.safetensors", pickle.dumps(Opens())), "model.safetensors: not whole ("),
    "bomb": (
        file_with("model.safetensors", len(BOMB).to_bytes(8, "little") + BOMB),
        "model.safetensors: not whole (",
    ),
    "one too few": (weights_with(**{"unembedding.bias": ...}), "no tensor 'unembedding.bias'"),
    "one too many": (weights_with(a=torch.ones(1)), "an unknown tensor 'a'; the run is not as it was"),
    "shape": (
        weights_with(**{"unembedding.bias": torch.ones(4)}),
        "unembedding.bias [4] of F32, expected [3] of F32",
    ),
    "type": (
        weights_with(**{"unembedding.bias": torch.ones(3, dtype=torch.float64)}),
        "unembedding.bias [3] of F64, expected [3] of F32",
    ),
    "not a number": (
        weights_with(**{"unembedding.bias": torch.tensor([1, torch.inf, 1])}),
        "model.safetensors: unembedding.bias holds NaN or infinity",
    ),
}


@pytest.mark.parametrize(("breaking", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_directory_is_one_line(breaking, message, directory, monkeypatch):
    monkeypatch.chdir(directory)
    breaking(directory)
    with pytest.raises(InputError) as error:
        models.load(str(directory))
    assert message in str(error.value)
    assert str(directory) in str(error.value)
    assert "\n" not in str(error.value)
    assert not Path("executed").exists()


def test_a_path_that_is_no_directory(directory):
    with pytest.raises(InputError, match=r"config\.json: not a directory"):
        models.load(str(directory / "config.json"))
    with pytest.raises(InputError, match="nowhere: no such directory; train a model: attn train-toy"):
        models.load(str(directory / "nowhere"))


def test_a_long_config_is_not_read(directory):
    with (directory / "config.json").open("r+b") as file:
        file.truncate(2**30)
    with pytest.raises(
        InputError, match=r"config\.json: 1,073,741,824 bytes long, at most 16,777,216 are read"
    ):
        models.load(str(directory))


def test_saying_what_is_wrong_needs_no_torch(tmp_path):
    script = f"""
import sys
from attn_cli import models
from attn_cli.errors import InputError
try:
    models.load({str(tmp_path)!r})
except InputError as problem:
    print(problem.what, "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "no config.json in it False\n"
