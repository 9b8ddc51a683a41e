"""`attn heatmap run.npz --film`: every step of a recording a frame, and what is no film refused."""

import json
import re
from types import SimpleNamespace

import attn_cli as attn
import numpy as np
import pytest
import torch
from attn_cli import files
from attn_cli.attention.recorder import record
from attn_cli.errors import AttnNote
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


def steps_in(path):
    """The steps that a page has, and the one that it shows first."""
    header = json.loads(re.search(r'id="header">(.*?)</script>', path.read_text())[1])
    return header.get("times"), header.get("time")


def test_a_page_has_every_step_unless_one_is_chosen(run, home):
    said = "attn: note: 1 of 4 steps have another size and are left out\n"
    for options in (("-o", "all.html"), ("--film", "-o", "film.html", "--title", "Sharper")):
        done = run("heatmap", "run.npz", *options, cwd=home)
        assert (done.code, done.stderr) == (0, said)
        assert steps_in(home / options[-1 if len(options) == 2 else 2]) == ([1, 2, 3], 3)
    assert "<h1>Sharper</h1>" in (home / "film.html").read_text()
    assert "3 steps from 1 to 3" in (home / "all.html").read_text()
    assert run("heatmap", "run.npz", "--step", "1", "-o", "one.html", cwd=home).stderr == ""
    assert steps_in(home / "one.html") == (None, None)
    with pytest.warns(AttnNote, match="another size"):
        document = attn.page(attn.read(home / "run.npz"))
    assert document == (home / "all.html").read_bytes()
    wrong = run("heatmap", "run.npz", "-o", "x.html", "--cmap", "hot", cwd=home)
    assert "--cmap does not apply to html" in wrong.stderr


def test_of_more_steps_than_fit_a_page_has_some_and_says_so(run, home, monkeypatch):
    from attn_cli.render.page import page as module

    for size, most in ((1, 60), (72 * 128**2, 21), (72 * 512**2, 6), (144 * 1024**2, 2)):
        assert module.most_steps(SimpleNamespace(shown=SimpleNamespace(size=size))) == most
    monkeypatch.setattr(module, "MOST_STEPS", 2)
    monkeypatch.setattr(module, "FEWEST_STEPS", 1)
    done = run("heatmap", "run.npz", "--head", "0", "-o", "few.html", cwd=home)
    assert "2 of 4 steps are shown, evenly spread" in done.stderr
    assert steps_in(home / "few.html") == (None, None)  # the first is of another size


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
        ("run.npz --film -o run.txt", "unknown format 'txt'; known are gif, png"),
        ("--text a --film", "--film needs a recording; give the .npz that attn record wrote"),
    ],
)
def test_what_is_no_film_is_one_line(run, home, typed, said):
    done = run("heatmap", *typed.split(), "-q", cwd=home)
    assert done.code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
