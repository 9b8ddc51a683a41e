"""`attn heatmap run.npz --film`: every step of a recording a frame, and what is no film refused."""

import attn_cli as attn
import numpy as np
import pytest
import torch
from attn_cli import files
from attn_cli.attention.recorder import record
from attn_cli.files.recording import recording_npz
from PIL import Image
from torch.nn.functional import scaled_dot_product_attention


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a recording of four steps, in which two heads attend ever more sharply, the first to 2 tokens."""

    class Sharper(torch.nn.Module):
        def forward(self, x, scale):
            return scaled_dot_product_attention(x, x, x, scale=scale)

    folder, model = tmp_path_factory.mktemp("films"), Sharper()
    with record() as seen:
        for step in range(4):
            model(torch.eye(2 if step == 0 else 3).expand(1, 2, -1, -1), float(step * step))
    files.write(str(folder / "run.npz"), recording_npz(seen.recording()))
    return folder


def test_a_film_has_a_frame_for_each_step(run, home):
    done = run("heatmap", "run.npz", "--film", cwd=home)
    assert (done.code, done.stdout) == (0, "run.gif\n"), done.stderr
    assert done.stderr == "attn: note: 1 of 4 steps have another size and are left out\n"
    with Image.open(home / "run.gif") as film:
        assert film.n_frames == 3
        shares = []
        for frame in range(3):
            film.seek(frame)
            pixels = np.asarray(film.convert("L"), dtype=float)
            shares.append((pixels < 100).mean())  # the diagonal becomes dark
    assert shares[0] < shares[-1]


def test_side_by_side_it_is_one_head(run, home):
    done = run("heatmap", "run.npz", "--film", "--head", "1", "-o", "run.svg", "-q", cwd=home)
    assert done.code == 0, done.stderr
    svg = (home / "run.svg").read_text()
    assert [f"step {step}" in svg for step in range(4)] == [False, True, True, True]
    assert "layer 0 · head 1<" in svg
    assert "steps 1 to 3" in svg


def test_its_steps_are_those_that_step_picks(home):
    recording = attn.read(home / "run.npz")
    for step in (1, 2, 3):
        scores = torch.eye(3) * step * step
        expected = scores.softmax(dim=-1).expand(1, 2, -1, -1)
        np.testing.assert_allclose(attn.attend(recording, step=step).weights, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "run.npz --film -o run.png",
            "2 heads over 3 steps; choose one with --layer and --head, or write a .gif",
        ),
        ("run.npz --film --step 1", "--film cannot be combined with --step; give one of them"),
        ("run.npz --film --show scores", "--film cannot be combined with --show scores; leave --show out"),
        ("run.npz --film --view grid", "--film cannot be combined with --view grid; leave --view out"),
        ("run.npz --film -o run.html", "unknown format 'html'; known are gif, png"),
        ("--text a --film", "--film needs a recording; give the .npz that attn record wrote"),
    ],
)
def test_what_is_no_film_is_one_line(run, home, typed, said):
    done = run("heatmap", *typed.split(), "-q", cwd=home)
    assert done.code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
