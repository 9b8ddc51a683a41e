"""Images: read from files, prepared as their models were trained, attended to by ViT, and drawn."""

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from attn_cli import files, models
from attn_cli.errors import AttnNote, InputError
from attn_cli.models.native.preprocessing import Preprocessing
from attn_cli.models.reading import Reading
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import Image
from attn_cli.render.figure import image as view
from attn_cli.render.figure.figure import draw as figure_of
from attn_cli.render.figure.sheet import Picture, Stroke
from attn_cli.render.look import Look
from attn_cli.render.page.page import page
from attn_cli.render.terminal.terminal import attention_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from rich.console import Console
from test_huggingface import saved
from test_model_directories import config_with

transformers = pytest.importorskip("transformers")
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def encoded(pixels=PIXELS, kind="PNG", **options) -> bytes:
    buffer = io.BytesIO()
    (pixels if isinstance(pixels, Pillow.Image) else Pillow.fromarray(pixels)).save(buffer, kind, **options)
    return buffer.getvalue()


def written(folder: Path, content: bytes, name: str = "photo.png") -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    """20 × 20 pixels in 4 × 4 patches of 5 × 5, 3 layers of 4 heads."""
    return saved(tmp_path_factory.mktemp("models") / "tiny-vit", "vit")


@pytest.fixture(scope="module")
def attention(vit):
    return models.load(str(vit)).attend(Image(PIXELS), Reading(layers="last"))


# ---- files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.png", "a", "a.csv"])
def test_an_image_is_known_by_its_bytes(tmp_path, name):
    read = files.read(written(tmp_path, encoded(), name))
    assert isinstance(read, Image)
    np.testing.assert_array_equal(read.pixels, PIXELS)


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {}), ("WEBP", {"lossless": True}), ("WEBP", {})])
def test_jpeg_and_webp_are_what_pillow_makes_of_them(tmp_path, kind, options):
    content = encoded(kind=kind, **options)
    expected = np.asarray(Pillow.open(io.BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(files.read(written(tmp_path, content, "a.jpg")).pixels, expected)


def test_a_photo_is_turned_as_its_camera_says(tmp_path):
    exif = Pillow.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn a quarter to the right
    read = files.read(written(tmp_path, encoded(exif=exif)))
    np.testing.assert_array_equal(read.pixels, np.rot90(PIXELS, -1))


def test_what_is_transparent_is_white(tmp_path):
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0]]], np.uint8)
    with pytest.warns(AttnNote, match="transparent pixels are read as white"):
        read = files.read(written(tmp_path, encoded(pixels)))
    assert read.pixels.tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_grey_of_8_and_of_16_bits(tmp_path):
    grey = np.array([[0, 7, 255]], np.uint8)
    for pixels in (grey, grey.astype(np.uint16) * 257):
        assert files.read(written(tmp_path, encoded(pixels))).pixels.tolist() == [
            [[0] * 3, [7] * 3, [255] * 3]
        ]


def bomb() -> bytes:
    """A PNG that says it has 3.6 billion pixels."""
    chunks = (
        b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0),
        b"IDAT" + zlib.compress(bytes(99)),
    )
    framed = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


WRONG = {
    "cut": (encoded()[:-40], "is damaged or truncated ("),
    "cut jpeg": (encoded(kind="JPEG")[:-40], "is damaged or truncated ("),
    "cut webp": (encoded(kind="WEBP")[:-40], "is damaged or truncated ("),
    "only a beginning": (b"\x89PNG\r\n\x1a\n" + b"x" * 30, "is damaged or truncated ("),
    "bomb": (bomb(), "is an image of more than 67,108,864 pixels; make it smaller"),
    "large": (encoded(Pillow.new("1", (8200, 8200))), "is an image of more than 67,108,864 pixels; make it"),
    "gif": (encoded(kind="GIF"), "is a GIF; save it as JPEG, PNG or WebP"),
    "tiff": (encoded(kind="TIFF"), "is a TIFF; save it as JPEG, PNG or WebP"),
    "text": (b"hello", "has the suffix .png but is not a .png file"),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_a_file_that_is_no_image_is_one_line(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(InputError) as error:
        files.read(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


@given(
    st.sampled_from(["PNG", "JPEG", "WEBP"]), st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=3)))
)
@settings(max_examples=60)
def test_a_damaged_image_is_an_image_or_one_line(tmp_path_factory, kind, damages):
    content = encoded(kind=kind)
    for at, put in damages:
        content = content[:at] + put + content[at + len(put) :]
    path = written(tmp_path_factory.getbasetemp(), content, "damaged.png")
    try:
        files.read(path)
    except InputError as problem:
        message = str(problem)
    else:
        message = ""
    assert "\n" not in message


def test_an_image_is_neither_vectors_nor_a_matrix(tmp_path, run):
    path = written(tmp_path, encoded())
    with pytest.raises(InputError, match="is an image, expected a matrix"):
        files.read_matrix(path)
    done = run("encode", path)
    assert done.code == 2
    assert "image, expected text or vectors" in done.stderr


# ---- preprocessing ----------------------------------------------------------------------------------

CONFIGS = {
    "as ViT": {},
    "as saved": {
        "size": {"height": 20, "width": 20},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
    },
    "of old": {"size": 20, "feature_extractor_type": "ViTFeatureExtractor"},
    "bicubic, of ImageNet": {
        "resample": 3,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    },
    "lanczos, up to 1": {"resample": 1, "do_normalize": False},
    "nearest, as it is": {"resample": 0, "do_rescale": False, "do_normalize": False},
    "one number": {"image_mean": 0.1, "image_std": 2, "rescale_factor": 0.01},
}


@pytest.mark.parametrize("shape", [(12, 17, 3), (50, 31, 3)])
@pytest.mark.parametrize("given", CONFIGS.values(), ids=CONFIGS)
def test_preprocessing_is_that_of_transformers(tmp_path, given, shape):
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    if given:
        config_at(tmp_path, given)
    options = {k: v for k, v in given.items() if k not in ("size", "feature_extractor_type")}
    theirs = transformers.ViTImageProcessorPil(size={"height": 20, "width": 20}, **options)
    expected = theirs(Pillow.fromarray(pixels), return_tensors="pt")["pixel_values"]
    ours = Preprocessing.of(tmp_path, side=20, channels=3)(Image(pixels))
    torch.testing.assert_close(ours, expected.float(), rtol=0, atol=1e-5)


def config_at(directory: Path, given: dict) -> None:
    (directory / "config.json").write_text("{}")
    config_with(**given)(directory)
    (directory / "config.json").rename(directory / "preprocessor_config.json")


UNREAD = {
    "crop": ({"do_center_crop": True, "crop_size": 9}, "crop_size is 9, the model takes 20 × 20"),
    "half a size": (
        {"do_center_crop": True, "size": {"longest_edge": 20}},
        'size is {"longest_edge": 20}, the model takes 20 × 20',
    ),
    "pad": ({"do_pad": True}, "do_pad is true, only false or null is read"),
    "edge": ({"size": {"shortest_edge": 20}}, 'size is {"shortest_edge": 20}, the model takes 20 × 20'),
    "size": ({"size": 224}, "size is 224, the model takes 20 × 20"),
    "filter": ({"resample": 9}, "resample is 9, only 0 or 1 or 2"),
    "mean": ({"image_mean": [0.5, 0.5]}, "image_mean is [0.5, 0.5], expected 3 numbers"),
    "std": ({"image_std": [1, 0, 1]}, "image_std is [1, 0, 1], expected 3 numbers above 0"),
    "factor": ({"rescale_factor": "x"}, 'rescale_factor is "x", expected a number above 0'),
}


@pytest.mark.parametrize(("given", "message"), UNREAD.values(), ids=UNREAD)
def test_what_is_not_read_of_a_preprocessor(tmp_path, given, message):
    config_at(tmp_path, given)
    with pytest.raises(InputError) as error:
        Preprocessing.of(tmp_path, side=20, channels=3)
    assert f"preprocessor_config.json: {message}" in str(error.value)


def test_without_resizing_an_image_must_fit(tmp_path):
    config_at(tmp_path, {"do_resize": False})
    prepare = Preprocessing.of(tmp_path, side=20, channels=3)
    assert prepare(Image(np.zeros((20, 20, 3), int))).shape == (1, 3, 20, 20)
    with pytest.raises(
        InputError, match="an image of 17 × 12, the model takes 20 × 20; its preprocessor_config"
    ):
        prepare(Image(PIXELS))


def test_a_model_of_one_channel_looks_in_grey(tmp_path):
    grey = Preprocessing.of(tmp_path, side=20, channels=1)(Image(PIXELS))
    expected = Pillow.fromarray(PIXELS).convert("L").resize((20, 20), Pillow.Resampling.BILINEAR)
    np.testing.assert_allclose(grey[0, 0], np.asarray(expected) / 127.5 - 1, atol=1e-6)


# ---- attention --------------------------------------------------------------------------------------


def test_attention_to_a_photo_is_that_of_transformers(vit):
    processor = transformers.ViTImageProcessorPil(size={"height": 20, "width": 20})
    model = transformers.ViTModel.from_pretrained(vit, attn_implementation="eager")
    with torch.no_grad():
        inputs = processor(Pillow.fromarray(PIXELS), return_tensors="pt")
        expected = model(**inputs, output_attentions=True).attentions
    ours = models.load(str(vit)).attend(Image(PIXELS))
    assert ours.weights.shape == (3, 4, 17, 17)
    np.testing.assert_allclose(ours.weights, torch.cat(expected), rtol=0, atol=1e-5)


def test_patches_are_called_by_row_and_column(attention):
    assert attention.query_tokens == attention.key_tokens
    assert attention.key_tokens[:3] + attention.key_tokens[-2:] == ("[CLS]", "0,0", "0,1", "3,2", "3,3")
    assert attention.patches == (4, 4)
    np.testing.assert_array_equal(attention.image, PIXELS)
    assert attention.provenance == "ViT: tiny-vit, 3 layers × 4 heads, layer 2"


def test_a_large_photo_is_kept_small(vit):
    large = np.zeros((600, 1000, 3), np.uint8)
    assert models.load(str(vit)).attend(Image(large)).image.shape == (307, 512, 3)


def test_layers_beyond_the_wanted_do_not_run(vit):
    model = models.load(str(vit))
    model.model.encoder.layers[1].register_forward_hook(lambda *_: pytest.fail("it ran"))
    assert model.attend(Image(PIXELS), Reading(layers=(0,))).layers == (0,)


def test_the_command_gives_the_last_layer_unless_told(vit, run, tmp_path):
    path = written(tmp_path, encoded(kind="JPEG"), "photo.jpg")
    lines = run("attend", path, "--model", str(vit)).stdout.splitlines()
    assert lines[0].split("\t")[3:7] == ["query", "0:[CLS]", "1:0,0", "2:0,1"]
    assert {line.split("\t")[0] for line in lines[1:]} == {"2"}
    every = run("attend", "-", "--model", str(vit), "--layer", "all", stdin=Path(path).read_bytes())
    assert {line.split("\t")[0] for line in every.stdout.splitlines()[1:]} == {"0", "1", "2"}


@pytest.mark.parametrize("model", [[], ["--model", "none"]])
def test_an_image_without_a_model(run, tmp_path, model):
    done = run("attend", written(tmp_path, encoded()), *model)
    assert done.code == 2
    assert done.stderr.count("\n") == 1
    assert "image input needs a vision model; give --model DIR, the directory of a ViT" in done.stderr


def test_an_image_for_a_model_that_reads_text(run, tmp_path):
    from test_model_directories import wordpiece

    bert = wordpiece(saved(tmp_path / "bert", "bert"))
    done = run("heatmap", written(tmp_path, encoded()), "--model", str(bert), "-o", str(tmp_path / "x.png"))
    assert done.code == 2
    assert (
        done.stderr
        == f"attn: error: --model {bert} reads text, not images; give --model DIR, the directory of a ViT or CLIP\n"
    )


def test_a_text_for_a_model_that_looks_at_images(run, vit):
    done = run("attend", "--text", "a cat", "--model", str(vit))
    assert done.code == 2
    assert done.stderr == "attn: error: ViT reads images, not text; give a JPEG, PNG or WebP file\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pair", "x"], "--pair does not apply to images"),
        (["--special", "drop"], "--special does not apply to images"),
        (["--too-long", "chunk"], "--too-long does not apply to images"),
        (["--target", "x"], "ViT has no decoder that reads a target"),
        (["--kind", "cross"], "no cross attention in this model"),
        (["--heads", "2"], "--heads does not apply to images"),
        (["--layer", "3"], "no layer 3; give 0 to 2, last or all"),
    ],
)
def test_options_that_are_not_for_images(run, vit, tmp_path, options, message):
    done = run("attend", written(tmp_path, encoded()), "--model", str(vit), *options)
    assert done.code == 2
    assert done.stderr.startswith(f"attn: error: {message}")


def test_attn_models_says_what_a_vit_takes(run, vit):
    told = dict(line.split("\t") for line in run("models", str(vit)).stdout.splitlines())
    assert (told["image"], told["patches"], told["channels"]) == ("20 × 20", "4 × 4 of 5 × 5", "3")
    assert told["read"] == "natively"
    assert "vocab" not in told


def test_an_image_that_patches_do_not_fill(tmp_path):
    directory = saved(tmp_path, "vit")
    config_with(image_size=22)(directory)
    with pytest.raises(InputError, match="image_size 22 is no multiple of patch_size 5"):
        models.load(str(directory))


# ---- records ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["json", "npz", "safetensors"])
def test_a_saved_record_keeps_the_image(tmp_path, attention, name):
    files.write(path := str(tmp_path / f"x.{name}"), files.FORMATS[name](attention))
    back = files.read(path)
    assert back.patches == (4, 4)
    assert back.image.dtype == np.uint8
    np.testing.assert_array_equal(back.image, attention.image)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"patches": (4, 5)}, r"patches \[4, 5\] among 17 keys"),
        ({"patches": (4,)}, r"patches \[4\] among 17 keys"),
        ({"patches": ("a", "b")}, r"patches \['a', 'b'\] among 17 keys"),
        ({"patches": None}, "an image needs its patches"),
        ({"image": np.zeros((2, 2))}, r"an image \[2, 2\] of float64, expected \[height, width, 3\]"),
        ({"image": np.full((1, 1, 3), 256)}, "an image with numbers beyond 0 to 255"),
    ],
)
def test_a_record_whose_image_cannot_be(attention, parts, message):
    with pytest.raises(InputError, match=message):
        replace(attention, **parts)


# ---- pictures ---------------------------------------------------------------------------------------


def tiny(n_layers=1, n_heads=2, **parts) -> Attention:
    """[CLS] and 1 × 2 patches: head 0 looks at the right one, head 1 at both alike."""
    tokens = ("[CLS]", "0,0", "0,1")
    rows = np.array([[0.2, 0.0, 0.8], [0.2, 0.4, 0.4]])[:n_heads]
    weights = np.broadcast_to(rows[None, :, None], (n_layers, n_heads, 3, 3))
    image = np.full((10, 20, 3), 200, np.uint8)
    return Attention(
        tokens, tokens, weights, provenance="a ViT", **{"patches": (1, 2), "image": image, **parts}
    )


def pictures(sheet):
    return [mark.rgb for mark in sheet.marks if isinstance(mark, Picture)][:-1]  # the last is the colour bar


def test_panels_are_the_image_the_mean_and_each_head():
    sheet = view.lay_out(tiny(), Look())
    assert [w for w in sheet.words() if w in ("image", "mean of heads", "head 0", "head 1")] == [
        "image", "mean of heads", "head 0", "head 1",
    ]  # fmt: skip
    assert "layer 0 · attention of [CLS]" in sheet.words()
    assert "a ViT" in sheet.words()
    assert "not drawn: the weight on [CLS], 0.2 of each head's 1" in sheet.words()
    image, mean, first, second = pictures(sheet)
    assert (image == 200).all()
    halves = [
        [panel[:, : panel.shape[1] // 2], panel[:, panel.shape[1] // 2 :]] for panel in (mean, first, second)
    ]
    light = [[half.mean() for half in panel] for panel in halves]
    assert light[1][0] > light[0][0] > light[0][1] > light[1][1]  # the more weight, the darker
    assert light[2][0] == light[2][1]
    assert halves[1][0].std() == 0  # no weight, no colour: grey
    assert abs(image.shape[1] - 2 * image.shape[0]) < 2  # as the image, whatever the model was given


def test_the_patch_that_is_the_query_has_a_frame():
    sheet = view.lay_out(tiny(), Look(query_token="2"))
    assert "layer 0 · attention of patch 0,1, framed" in sheet.words()
    frames = [mark for mark in sheet.marks if isinstance(mark, Stroke) and mark.colour == "#d01c1f"]
    assert len(frames) == 4
    assert not [m for m in view.lay_out(tiny(), Look()).marks if isinstance(m, Stroke) and m.width > 1]


def test_a_row_of_panels_for_each_layer():
    sheet = view.lay_out(tiny(n_layers=2), Look())
    assert {"layer 0", "layer 1", "head 0"} <= set(sheet.words())
    assert "image" not in sheet.words()
    assert sheet.words().count("head 0") == 1
    assert len(pictures(sheet)) == 6


def test_one_head_has_no_mean():
    assert "mean of heads" not in view.lay_out(tiny(n_heads=1), Look()).words()


def test_a_scale_for_each_panel():
    sheet = view.lay_out(tiny(), Look(color_scale="panel"))
    assert "of its peak" in sheet.words()
    mean, first, second = pictures(sheet)[1:]
    assert mean.min() == first.min() == second.min()


def test_an_image_is_drawn_over_unless_a_map_is_asked_for(vit, run, tmp_path):
    path, out = written(tmp_path, encoded()), tmp_path / "x.svg"
    for options, there, absent in (
        ([], "attention of [CLS]", "masked"),
        (["--query-range", "3:4"], "attention of patch 0,2, framed", ">query</text>"),
        (["--view", "map"], "layer 2", "attention of [CLS]"),
    ):
        done = run("heatmap", path, "--model", str(vit), "-o", str(out), *options)
        assert (done.code, done.stderr) == (0, "")
        assert there in out.read_text()
        assert absent not in out.read_text()
        assert "ViT: tiny-vit" in out.read_text()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"image": None, "patches": None}, "this attention has no image to draw over; give one to a ViT"),
        (
            {"show": "scores", "scores": np.zeros((1, 2, 3, 3))},
            "scores cannot be drawn over an image; draw a map: --view map",
        ),
    ],
)
def test_what_cannot_be_drawn_over_an_image(parts, message):
    with pytest.raises(InputError, match=message):
        figure_of(tiny(**parts), Look(view="image"))


def test_scores_of_an_image_are_drawn_as_a_map():
    figure_of(tiny(show="scores", scores=np.zeros((1, 2, 3, 3))), Look())


def test_keys_that_are_cut_out_are_no_image_any_more(run, vit, tmp_path):
    path, out = written(tmp_path, encoded()), str(tmp_path / "x.png")
    assert run("heatmap", path, "--model", str(vit), "--key-range", "0:9", "-o", out).code == 0


def test_the_page_and_the_terminal_show_patches(attention):
    assert b'"3,3"' in page(attention)
    console = Console(width=60, file=io.StringIO(), color_system=None)
    console.print(attention_picture(attention))
    shown = console.file.getvalue()
    assert "attention of [CLS] to patches" in shown
    assert "head 3" in shown
    assert "ViT: tiny-vit" in shown
    assert " 17 " not in shown
