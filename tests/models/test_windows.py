"""Swin, tiny and random: what a patch sees within its window, against the library's own weights put back by hand."""

import warnings

import attn_cli as attn
import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from torch import nn

transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

SIDE, HEADS = 4, (2, 4)  # of a window; in each stage
# 24 pixels in patches of 2: 12 × 12 in three windows a side; then 6 × 6, which are padded to two windows a side.
DEPTHS = {"shifting": [2, 2], "still": [1, 1]}
pytestmark = pytest.mark.filterwarnings("ignore:rows sum to less than 1")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the directories of two models, and an image."""
    home = tmp_path_factory.mktemp("swin")
    for name, depths in DEPTHS.items():
        torch.manual_seed(0)
        config = transformers.SwinConfig(
            image_size=24, patch_size=2, embed_dim=8, depths=depths, num_heads=list(HEADS), window_size=SIDE
        )
        model = transformers.SwinForImageClassification(config)
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.3)
        with warnings.catch_warnings(action="ignore"):
            model.save_pretrained(home / name)
            transformers.ViTImageProcessor(size={"height": 24, "width": 24}).save_pretrained(home / name)
    rng = np.random.default_rng(0)
    Pillow.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).save(home / "a.png")
    return home


def theirs(home, name, stage, dtype):
    """Of the last block of a stage, the weights that the library gives: [window, head, place, place]."""
    with warnings.catch_warnings(action="ignore"):
        model = transformers.SwinModel.from_pretrained(home / name, attn_implementation="eager", dtype=dtype)
    pixels = (np.asarray(Pillow.open(home / "a.png"), np.float32) * np.float32(1 / 255) - 0.5) / np.float32(
        0.5
    )
    with torch.no_grad():
        made = model.eval()(torch.tensor(pixels).permute(2, 0, 1)[None].to(dtype), output_attentions=True)
    return made.attentions[stage].numpy()


def by_hand(weights, n, shift):
    """All n × n patches to all, and which may see which: patch by patch, wherever the shift has put it."""
    padded = -(-n // SIDE) * SIDE
    where = {}
    for row in range(n):
        for column in range(n):
            y, x = (row - shift) % padded, (column - shift) % padded
            window, place = y // SIDE * (padded // SIDE) + x // SIDE, y % SIDE * SIDE + x % SIDE
            where[row, column] = (
                window,
                place,
                (row < shift, column < shift),
            )  # and the edges it has come from
    whole = np.zeros((weights.shape[1], n * n, n * n))
    allowed = np.zeros((n * n, n * n), bool)
    for i, (window, place, edge) in enumerate(where.values()):
        for j, (other, there, from_) in enumerate(where.values()):
            if window == other and edge == from_:
                whole[:, i, j] = weights[window, :, place, there]
                allowed[i, j] = True
    return whole, allowed


CASES = [("still", 0, 0), ("still", 1, 0), ("shifting", 0, 2), ("shifting", 1, 2)]


@pytest.mark.parametrize(("name", "stage", "shift"), CASES)
@pytest.mark.parametrize(("dtype", "off"), [("float32", 1e-5), ("float64", 1e-10)])
def test_every_patch_sees_its_window_as_in_the_library(home, name, stage, shift, dtype, off):
    n, layer = (12, 6)[stage], sum(DEPTHS[name][: stage + 1]) - 1
    whole, allowed = by_hand(theirs(home, name, stage, getattr(torch, dtype)), n, shift)
    got = attn.attend(
        attn.read(home / "a.png"), model=str(home / name), layer=layer, query_range=f"0:{n * n}", dtype=dtype
    )
    np.testing.assert_allclose(got.weights[0], whole, atol=off, rtol=0)
    np.testing.assert_array_equal(got.mask[0, 0], allowed)
    assert (got.patches, got.layers) == ((n, n), (layer,))
    assert got.query_tokens == got.key_tokens


def test_unless_told_it_is_the_window_around_the_middle(home):
    got = attn.attend(attn.read(home / "a.png"), model=str(home / "still"), layer=0)
    rows = tuple(
        f"{row},{column}" for row in range(4, 8) for column in range(4, 8)
    )  # 6,6 is in the second of three
    assert got.query_tokens == rows
    assert "the window of patches 4,4 to 7,7 of 12 × 12" in got.provenance
    assert {key for key, seen in zip(got.key_tokens, got.mask[0, 0, 0], strict=True) if seen} == set(rows)
    np.testing.assert_allclose(got.weights.sum(-1), 1, atol=1e-6)
    last = attn.attend(attn.read(home / "a.png"), model=str(home / "still"))
    assert (last.layers, last.patches, last.weights.shape[1]) == ((1,), (6, 6), 4)


def test_a_patch_that_is_asked_for_is_drawn_over_the_picture(run, home):
    typed = ("heatmap", "a.png", "--model", "still", "--layer", "0")
    assert run(*typed, "--query-token", "1,10", "-o", "x.svg", cwd=home).code == 0
    assert "attention of patch 1,10, framed" in (home / "x.svg").read_text()
    assert run(*typed, "-o", "y.svg", cwd=home).code == 0
    assert "attention of patch 5,5, framed" in (home / "y.svg").read_text()
    told = run("models", "still", cwd=home).stdout
    assert "reads\timages\n" in told


def test_layers_of_one_stage_go_together_and_padding_takes_its_share(home):
    two = attn.attend(attn.read(home / "a.png"), model=str(home / "shifting"), layer=(2, 3))
    assert (two.layers, two.weights.shape[:2]) == ((2, 3), (2, 4))
    assert (two.weights.sum(-1) < 0.99).any()
    part = attn.attend(
        attn.read(home / "a.png"), model=str(home / "still"), layer=0, head=1, key_range="40:60"
    )
    whole = attn.attend(attn.read(home / "a.png"), model=str(home / "still"), layer=0)
    np.testing.assert_array_equal(part.weights, whole.weights[:, 1:, :, 40:60])
    np.testing.assert_array_equal(part.mask, whole.mask[..., 40:60])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "--layer all",
            "layers of different stages, whose patches differ in size; give layers of one stage: 0-1, 2-3",
        ),
        ("--layer 4", "no layer 4"),
        ("--show norms", "norms need values and W_o, and this family gives weights alone"),
        ("--pair a", "--pair does not apply to images"),
        ("--query-token 9,9", "no query '9,9' (--query-token); give a patch as ROW,COLUMN, to 5,5"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(run, home, typed, said):
    done = run("heatmap", "a.png", "--model", "shifting", *typed.split(), "-o", "no.png", cwd=home)
    assert (done.code, len(done.stderr.splitlines())) == (2, 1)
    assert said in done.stderr
