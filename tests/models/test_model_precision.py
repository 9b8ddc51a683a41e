"""Models in the precision that was asked for: in double, what the library gives in double."""

import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.errors import InputError
from attn_cli.models.precision import as_wanted
from attn_cli.models.reading import WHOLE, Reading
from attn_cli.records.encoding import Image
from test_huggingface import make_exact, saved
from test_model_directories import wordpiece
from test_through_transformers import TARGET, TEXT, written_out
from test_through_transformers import numbers as numbers_of
from test_through_transformers import saved as library_saved  # noqa: F401 (a fixture)
from torch import nn

transformers = pytest.importorskip("transformers")
DOUBLE = Reading(dtype="float64")
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)


def in_double(directory, inputs, implementation="exact"):
    """What the library gives of a directory in double, its attention written out where it rounds its own."""
    model = transformers.AutoModel.from_pretrained(
        directory, attn_implementation=implementation, dtype=torch.float64, local_files_only=True
    ).eval()
    make_exact(model)
    with torch.no_grad():
        return torch.cat(model(**inputs, output_attentions=True).attentions).numpy()


@pytest.mark.parametrize(
    "name",
    [
        "bert",
        "roberta",
        "distilbert",
        "gpt2",
        "llama 3",
        "mistral",
        "qwen2",
        "qwen2, window",
        "gpt2, by layer",
    ],
)
def test_a_text_natively(tmp_path, name):
    directory = wordpiece(saved(tmp_path, name))
    model = models.load(str(directory))
    attention = model.attend("the cat sat, the embedding", DOUBLE)
    tokens = torch.tensor([model.tokenizer.encode("the cat sat, the embedding").ids])
    assert attention.weights.dtype == attention.scores.dtype == attention.output.dtype == np.float64
    np.testing.assert_allclose(attention.weights, in_double(directory, {"input_ids": tokens}), atol=1e-10)
    single = model.attend("the cat sat, the embedding")
    assert single.weights.dtype == np.float32
    np.testing.assert_allclose(single.weights, attention.weights, atol=1e-5)


def test_an_image_natively(tmp_path):
    directory = saved(tmp_path, "vit")
    model = models.load(str(directory))
    attention = model.attend(Image(PIXELS), DOUBLE)
    inputs = {"pixel_values": model.preprocessing(Image(PIXELS)).double()}
    np.testing.assert_allclose(attention.weights, in_double(directory, inputs), atol=1e-10)


LIBRARY = [("t5", "cross", "cross_attentions"), ("bart", "decoder", "decoder_attentions")]
LIBRARY += [(name, None, "attentions") for name in ("modernbert", "gemma2", "albert", "bloom")]


@pytest.mark.parametrize(("name", "kind", "field"), LIBRARY, ids=[name for name, *_ in LIBRARY])
def test_through_the_library(library_saved, name, kind, field):  # noqa: F811
    """Bloom cannot be watched: its weights are the library's own."""
    model = models.load(str(library_saved(name)))
    target = TARGET if kind else None
    attention = model.attend(TEXT, Reading(kind=kind, target=target, dtype="float64"))
    assert attention.weights.dtype == np.float64
    transformers.AttentionInterface.register("written out", written_out)
    eager = transformers.masking_utils.ALL_MASK_ATTENTION_FUNCTIONS["eager"]
    transformers.AttentionMaskInterface.register("written out", eager)
    theirs = model.model.double()
    theirs.set_attn_implementation("eager" if name == "bloom" else "written out")
    inputs = {"input_ids": torch.tensor([numbers_of(TEXT)])}
    if kind:
        start = theirs.config.decoder_start_token_id
        inputs["decoder_input_ids"] = torch.tensor([[start, *numbers_of(TARGET)[:-1]]])
    with torch.no_grad():
        expected = getattr(theirs(**inputs, output_attentions=True), field)
    np.testing.assert_allclose(attention.weights, torch.cat(expected).numpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["t5", "albert"])
def test_half_precision_is_watched_too(library_saved, name):  # noqa: F811
    model = models.load(str(library_saved(name)))
    half, single = (model.attend(TEXT, Reading(dtype=dtype)) for dtype in ("bfloat16", None))
    assert half.scores.dtype == np.float32
    np.testing.assert_allclose(half.weights[0], single.weights[0], atol=0.05)
    assert np.abs(half.weights - single.weights).max() > 1e-4


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_of_mini(kind):
    model = models.load("mini")
    target = None if kind == "encoder" else "他有一只猫"
    double, single = (
        model.attend("She has a cat.", Reading(kind=kind, target=target, dtype=dtype))
        for dtype in ("float64", None)
    )
    assert (double.weights.dtype, single.weights.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(double.weights, single.weights, atol=1e-5)
    np.testing.assert_allclose(double.weights.sum(-1), 1, atol=1e-14)


# ---- copies -----------------------------------------------------------------------------------------


def tied():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.BatchNorm1d(3))
    model[1].weight = model[0].weight
    return model.requires_grad_(False)


def test_what_is_asked_for_is_made_once_and_the_model_stays_as_it_is():
    model = tied()
    assert as_wanted(model, WHOLE) is model
    assert as_wanted(model, Reading(dtype="float32")) is model
    double = as_wanted(model, DOUBLE)
    assert as_wanted(model, DOUBLE) is double
    assert (double[0].weight.dtype, model[0].weight.dtype) == (torch.float64, torch.float32)
    assert double[1].weight is double[0].weight
    assert double[2].running_mean.dtype == torch.float64
    assert double[2].num_batches_tracked.dtype == torch.long
    assert not double[0].weight.requires_grad
    torch.testing.assert_close(double[0].weight, model[0].weight.double())


def test_what_is_not_there_is_named():
    with pytest.raises(InputError, match="dtype 'float8'; give float64 or float32 or bfloat16 or float16"):
        as_wanted(tied(), Reading(dtype="float8"))
    with pytest.raises(InputError, match="device 'tpu' is not available"):
        as_wanted(tied(), Reading(device="tpu"))
