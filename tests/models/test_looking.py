"""Images through `transformers`: the other tower of CLIP, and encoders of patches that are not read natively."""

import shutil
from functools import cache

import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.errors import InputError
from attn_cli.models.native.preprocessing import Preprocessing
from attn_cli.models.reading import Reading
from attn_cli.records.encoding import Image
from PIL import Image as Pillow
from test_images import config_at
from test_through_transformers import BERT, TEXT, words
from torch import nn

transformers = pytest.importorskip("transformers", reason="the extra attn-cli[hf] is not installed")
PIXELS = np.random.default_rng(0).integers(0, 256, (30, 47, 3), dtype=np.uint8)
VISION = {
    "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 3, "num_attention_heads": 4,
    "image_size": 24, "patch_size": 8,
}  # fmt: skip
CLIP = {"size": {"shortest_edge": 24}, "crop_size": {"height": 24, "width": 24}}
SMALL = {"size": {"height": 24, "width": 24}}
FAMILIES = {  # the model, its sizes, its processor and what that is given, how many tokens are no patches
    "clip": ("CLIP", {"text_config": BERT, "vision_config": VISION, "projection_dim": 8}, "CLIP", CLIP, 1),
    "siglip": ("Siglip", {"text_config": BERT, "vision_config": VISION}, "Siglip", SMALL, 0),
    "deit": (
        "DeiT",
        VISION,
        "DeiT",
        {"size": {"height": 30, "width": 30}, "crop_size": CLIP["crop_size"]},
        2,
    ),
    "dino": ("Dinov2WithRegisters", VISION, "Bit", {**CLIP, "size": {"shortest_edge": 28}}, 5),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Gives the directory of a random model of one of the FAMILIES, and its processor."""

    @cache
    def save(name: str):
        directory = tmp_path_factory.mktemp("models") / name
        kind, sizes, processor, given, _ = FAMILIES[name]
        torch.manual_seed(0)
        model = getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**sizes))
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.3)
        model.save_pretrained(directory)
        words(directory)
        made = getattr(transformers, f"{processor}ImageProcessorPil")(**given)
        made.save_pretrained(directory)
        return directory, made

    return save


@pytest.mark.parametrize("name", FAMILIES)
def test_attention_to_an_image_is_that_of_the_library(saved, name):
    directory, processor = saved(name)
    model = transformers.AutoModel.from_pretrained(directory, attn_implementation="eager").eval()
    pixels = processor(Pillow.fromarray(PIXELS), return_tensors="pt")
    with torch.no_grad():
        expected = getattr(model, "vision_model", model)(**pixels, output_attentions=True).attentions
    attention = models.load(str(directory)).attend(Image(PIXELS))
    np.testing.assert_allclose(attention.weights, torch.cat(expected), rtol=0, atol=1e-5)
    others = ("[CLS]", "[1]", "[2]", "[3]", "[4]")[: FAMILIES[name][4]]
    assert attention.key_tokens[: len(others) + 4] == (*others, "0,0", "0,1", "0,2", "1,0")
    assert (attention.kind, attention.patches) == ("encoder", (3, 3))


def test_both_towers_of_clip(saved, run, tmp_path):
    directory, _ = saved("clip")
    model = models.load(str(directory))
    assert models.describe(str(directory))["reads"] == "text and images"
    assert "clip (its text tower), 2 layers" in model.attend(TEXT).provenance
    last = model.attend(Image(PIXELS), Reading(layers="last"))
    assert last.provenance.endswith("clip (its image tower), 3 layers × 4 heads, last layer")
    model.model.vision_model.encoder.layers[1].register_forward_hook(lambda *_: pytest.fail("it ran"))
    assert model.attend(Image(PIXELS), Reading(layers=(0,))).layers == (0,)
    Pillow.fromarray(PIXELS).save(tmp_path / "photo.png")
    options = ("--model", str(directory), "--query-token", "2,1", "-o", "p.svg")
    done = run("heatmap", "photo.png", *options, cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    drawn = (tmp_path / "p.svg").read_text()
    assert "attention of patch 2,1, framed" in drawn
    assert "its image tower" in drawn


def test_only_the_middle_that_is_seen_is_drawn(saved):
    """30 × 47 pixels become 24 × 37, of which the middle 24 are seen: 30 columns of the original, from the 8th."""
    attention = models.load(str(saved("clip")[0])).attend(Image(PIXELS), Reading(layers="last"))
    np.testing.assert_array_equal(attention.image, PIXELS[:, 8:38])


@pytest.mark.parametrize("shape", [(30, 47, 3), (61, 25, 3), (24, 24, 3)])
@pytest.mark.parametrize(
    ("processor", "given"),
    [
        ("CLIP", CLIP),
        ("CLIP", {**CLIP, "size": {"shortest_edge": 33}, "resample": 2}),
        ("DeiT", {**CLIP, "size": {"height": 30, "width": 40}}),
    ],
)
def test_the_middle_is_cut_out_as_the_library_does(tmp_path, processor, given, shape):
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    theirs = getattr(transformers, f"{processor}ImageProcessorPil")(**given)
    theirs.save_pretrained(tmp_path)
    expected = theirs(Pillow.fromarray(pixels), return_tensors="pt")["pixel_values"]
    ours = Preprocessing.of(tmp_path, side=24, channels=3)(Image(pixels))
    torch.testing.assert_close(ours, expected.float(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "size"),
    [({"image_processor_type": "CLIPImageProcessor"}, 30), ({"feature_extractor_type": "DeiT"}, (30, 30))],
)
def test_a_size_written_as_one_number(tmp_path, given, size):
    config_at(tmp_path, {"do_center_crop": True, "crop_size": 24, "size": 30, **given})
    assert Preprocessing.of(tmp_path, side=24, channels=3).size == size


def test_what_cannot_be_looked_at(saved, tmp_path):
    directory = shutil.copytree(saved("clip")[0], tmp_path / "clip")
    model = models.load(str(directory))
    with pytest.raises(InputError, match="--special does not apply to images"):
        model.attend(Image(PIXELS), Reading(special="drop"))
    (directory / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match=r"no preprocessor_config\.json in it; save it: AutoImageProcessor"):
        model.attend(Image(PIXELS))
    sizes = {
        "image_size": 8,
        "patch_size": 2,
        "embed_dim": 8,
        "depths": [1],
        "num_heads": [2],
        "window_size": 2,
    }
    transformers.Swinv2Model(transformers.Swinv2Config(**sizes)).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="Swinv2 attends within windows of patches that shift and merge"):
        models.load(str(tmp_path)).attend(Image(PIXELS))
    assert models.describe(str(tmp_path))["read"].startswith("no, it attends within windows")
    transformers.T5EncoderModel(
        transformers.T5Config(vocab_size=12, d_model=16, d_kv=4, d_ff=20, num_layers=1, num_heads=4)
    ).save_pretrained(tmp_path / "t5")
    words(tmp_path / "t5")
    with pytest.raises(InputError, match="T5 reads text, not images; give a ViT or CLIP directory"):
        models.load(str(tmp_path / "t5")).attend(Image(PIXELS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--query-token", "x", "--model", "DIR", "PHOTO"], "no query 'x' (--query-token); give a patch as ROW,COLUMN, to 2,2"),
        (["--query-token", "0,3", "--model", "DIR", "PHOTO"], "no query '0,3' (--query-token); give a patch as ROW,COLUMN, to 2,2"),
        (["--query-token", "0,1", "--query-range", "1:", "--model", "DIR", "PHOTO"], "--query-token cannot be combined with --query-range; give one"),
    ],
)  # fmt: skip
def test_patches_that_cannot_be_chosen(saved, run, tmp_path, options, message):
    Pillow.fromarray(PIXELS).save(tmp_path / "photo.png")
    there = {"DIR": str(saved("deit")[0]), "PHOTO": "photo.png"}
    text = () if "PHOTO" in options else ("--text", "a b")
    done = run("attend", *text, *(there.get(option, option) for option in options), cwd=tmp_path)
    assert done.code == 2
    assert done.stderr.startswith(f"attn: error: {message}")
