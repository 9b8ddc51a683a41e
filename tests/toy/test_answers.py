"""What a trained toy answers, in its film and to what it never saw: longer texts, drawings of one's own."""

import json

import numpy as np
import pytest
from attn_cli.commands.training.train_report import _answered, _changing
from attn_cli.models.runs.drawing import strokes
from attn_cli.toy.answering import answer
from attn_cli.toy.evaluation import evaluate
from attn_cli.toy.examples import TASKS, Example, draw, recipe
from attn_cli.toy.film import Frame
from attn_cli.toy.settings import Options
from attn_cli.toy.training import Training, new_model
from attn_cli.transformer.model import Config
from PIL import Image, ImageDraw

SMALL = ("--dim", "8", "--heads", "2", "--layers", "1", "--batch", "8", "--steps", "2", "-q")


@pytest.mark.parametrize("name", ["reverse", "recall", "tones"])
def test_an_answer_is_right_as_often_as_was_measured(name):
    task = TASKS[name]
    dataset, learner = draw(task, 300, seed=0), recipe(task)
    drawn = dataset.train[0].image
    config = Config(
        len(dataset.vocabulary) if drawn is None else len(drawn), 256, 16, 2, 1, d_ff=32,
        stack=learner.stack, patch=learner.patch, outputs=len(dataset.outputs) or None,
    )  # fmt: skip
    training = Training(new_model(config, 0), dataset, learner, Options(steps=30, lr=0.01, seed=0, batch=16))
    list(training.run())
    right = [list(answer(training.model, dataset, learner, one)) == one.written for one in dataset.held_out]
    assert np.mean(right) == pytest.approx(evaluate(training.model, dataset, learner).exact_match)


def test_a_film_leaves_out_frames_in_which_nothing_is_to_be_seen():
    def frame(step, weight, *said):
        return Frame(step, np.full((1, 1, 1, 1), weight), said)

    frames = [
        frame(0, 0.5, "a"), frame(1, 0.501, "a"), frame(2, 0.501, "b"), frame(3, 0.6, "b"), frame(9, 0.6, "b")
    ]  # fmt: skip
    assert [one.step for one in _changing(frames)] == [0, 2, 3, 9]
    assert [one.step for one in _changing(frames[:2])] == [0, 1]


def test_what_was_right_stands_beside_what_was_answered():
    example = Example(("x", "y"), ("a", "b"))
    assert _answered(("a", "b"), example) == "answer: a b (right)"
    assert _answered(("a", "a"), example) == "answer: a a; right: a b"
    assert _answered((), example) == "answer: nothing; right: a b"


def test_a_longer_text_than_in_training_is_warned_about(run, tmp_path):
    assert run("train-toy", "reverse:longest=4", *SMALL, "-o", str(tmp_path)).code == 0
    assert json.loads((tmp_path / "config.json").read_text())["longest"] == 4
    said = "attn: warning: 5 tokens, and the longest text in training had 4: more was not learned\n"
    for text, expected in (("1 2 3 4", ""), ("1 2 3 4 5", said)):
        done = run("attend", "--model", str(tmp_path), "--text", text)
        assert (done.code, done.stderr) == (0, expected)


def test_a_drawing_is_made_as_large_as_those_that_were_learned_from():
    for size, ground, ink in (((200, 100), 255, 0), ((64, 64), 10, 200)):
        picture = Image.new("L", size, ground)
        ImageDraw.Draw(picture).rectangle((20, 20, 59, 59), outline=ink, width=5)
        read = strokes(np.stack([np.asarray(picture)] * 3, axis=-1), 20)
        assert (read.min(), read.max()) == (0, 1)
        inked = np.argwhere(read > 0.5)
        assert (inked.min(axis=0).tolist(), inked.max(axis=0).tolist()) == ([2, 2], [17, 17])
        assert read[6:14, 6:14].max() == 0  # the inside of the square is paper


def test_a_run_that_learned_pictures_looks_at_a_drawing(run, tmp_path):
    folder, drawing = str(tmp_path / "run"), tmp_path / "mine.png"
    assert run("train-toy", "shapes", *SMALL, "--film", "-o", folder).code == 0
    with Image.open(tmp_path / "run" / "film.gif") as film:
        assert film.n_frames >= 2
    picture = Image.new("RGB", (80, 60), "white")
    ImageDraw.Draw(picture).ellipse((10, 10, 50, 50), outline="black", width=4)
    picture.save(drawing)
    done = run("heatmap", str(drawing), "--model", folder, "-o", str(tmp_path / "x.svg"))
    assert done.code == 0
    said = done.stderr.removeprefix("attn: note: answer: ").strip()
    assert said in ("line", "cross", "square", "circle", "triangle")
    assert f"answer &quot;{said}&quot;" in (tmp_path / "x.svg").read_text().replace('"', "&quot;")
    refused = run("heatmap", "--text", "a", "--model", folder)
    hint = "this run looks at pictures, not at text; give a PNG, JPEG or WebP file"
    assert (refused.code, refused.stderr) == (2, f"attn: error: {hint}\n")
