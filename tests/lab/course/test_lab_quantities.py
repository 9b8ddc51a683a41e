"""What labs ask of models, worked out here from the maps themselves; and what a student has not trained yet."""

import functools
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from attn_cli import api
from attn_cli.errors import InputError
from attn_cli.lab.course.quantities import QUANTITIES, Place, mirror, pairs, pooled_needle
from attn_cli.sources import lab_quantities, labs  # noqa: F401 (registers)
from hypothesis import settings

from conftest import run_attn

TEXT = "My father is free this afternoon."
NOWHERE = Place(None, {}, "")


def asked(name, place=NOWHERE, **options):
    return QUANTITIES[name](place, **options)


pytestmark = pytest.mark.filterwarnings("ignore::attn_cli.errors.AttnWarning")


@pytest.fixture
def trained(run, tmp_path_factory):
    """A student's folder with a run of reverse that has hardly been trained; trained once for all tests."""
    if "folder" not in _TRAINED:
        folder = tmp_path_factory.mktemp("student")
        done = run("train-toy", "reverse", "--steps", "2", "--layers", "1", "-q", "-o", str(folder / "run"))
        assert done.code == 0, done.stderr
        _TRAINED["folder"] = folder
    return Place(None, {}, str(_TRAINED["folder"]))


_TRAINED = {}


def test_words_and_weights_are_those_of_the_map():
    found = api.load("mini")(TEXT, layer="last", head="mean")
    weights = found.weights[0, 0]
    assert asked("weight", text=TEXT, query=1, key=3) == pytest.approx(float(weights[1, 3]))
    assert asked("heaviest_key", text=TEXT, query=2) == found.key_tokens[np.argsort(weights[2])[-1]]
    norms = api.load("mini")(TEXT, layer="last", head="mean", show="norms")
    assert (
        asked("heaviest_key", text=TEXT, query=2, show="norms")
        == found.key_tokens[int(np.argmax(norms.weights[0, 0, 2]))]
    )
    rolled = api.load("mini")(TEXT, reduce="rollout").weights[0, 0]
    assert (
        asked("heaviest_key", text=TEXT, query=2, reduce="rollout")
        == found.key_tokens[int(rolled[2].argmax())]
    )


def test_alignment_and_doubt_are_those_of_the_cross_attention():
    found = api.load("mini")(TEXT, kind="cross", layer="last", head="mean")
    rows = [
        row / row.sum()
        for row, token in zip(found.weights[0, 0], found.query_tokens, strict=True)
        if token != "[end]"
    ]
    assert asked("aligned", text=TEXT).split() == [found.key_tokens[int(np.argmax(row))] for row in rows]
    entropies = [-(row * np.log(row)).sum() for row in found.weights[0, 0].astype(float)]
    assert asked("least_sure", text=TEXT) == found.query_tokens[int(np.argmax(entropies))]


def test_what_was_left_out():
    long, short = "我妹妹有两只狗和一只猫。", "我妹妹有两只狗。"
    text = "My sister has two dogs and a cat."
    maps = [api.load("mini")(text, kind="cross", target=t, layer="last", head="mean") for t in (long, short)]
    lost = maps[0].weights[0, 0].sum(0) - maps[1].weights[0, 0].sum(0)
    word = asked("loses_most", text=text, target=short, instead_of=long)
    assert word == maps[0].key_tokens[int(lost.argmax())]


def test_heads_are_those_of_the_figures():
    whole = api.load("mini")(TEXT)
    behind = np.array([[np.diagonal(head, -1).mean() for head in layer] for layer in whole.weights])
    layer, head = np.unravel_index(behind.argmax(), behind.shape)
    assert asked("head_most", text=TEXT, column="previous") == f"L{layer}H{head}"
    assert asked("figure", text=TEXT, column="previous") == pytest.approx(float(behind.max()), rel=1e-5)
    received = whole.weights.mean(axis=-2)  # every query may attend to every key
    assert (
        asked("sink_token", text=TEXT)
        == whole.key_tokens[int(np.unravel_index(received.argmax(), received.shape)[-1])]
    )


def test_a_run_of_the_students_own(trained):
    folder = Path(trained.folder)
    results = json.loads((folder / "run" / "config.json").read_text())["results"]
    assert asked("trained", trained, run="run", of="loss") == results["loss"]
    best = int(np.argmax(results["expected_mass"][0]))
    assert asked("best_head", trained, run="run") == f"L0H{best}"
    weights = api.load(folder / "run")("3 1 4 1 5").weights
    got = asked("weight", trained, model="run", head="best", text="3 1 4 1 5", query=1, key=3)
    assert got == pytest.approx(float(weights[0, best, 1, 3]), rel=1e-5)


def test_another_model_may_stand_in_the_folder(trained, tmp_path):
    (tmp_path / "model.txt").write_text(f"{trained.folder}/run\n")
    assert asked("heaviest_key", Place(None, {}, str(tmp_path)), text="3 1 4", query=0) in ("3", "1", "4")


def test_a_student_who_is_graded_leads_to_no_model_elsewhere(trained, tmp_path):
    graded = Place(None, {}, str(tmp_path), trusted=False)
    (tmp_path / "model.txt").write_text(f"{trained.folder}/run\n")
    with pytest.raises(InputError, match="outside this folder"):
        asked("heaviest_key", graded, text="3 1 4", query=0)
    (tmp_path / "run").symlink_to(f"{trained.folder}/run")
    with pytest.raises(InputError, match="train it first"):
        asked("trained", graded, run="run")
    (tmp_path / "run").unlink()
    shutil.copytree(f"{trained.folder}/run", tmp_path / "run")
    (tmp_path / "model.txt").write_text("run\n")
    assert asked("heaviest_key", graded, text="3 1 4", query=0) in ("3", "1", "4")


def test_what_is_not_trained_yet_is_said(tmp_path):
    for place in (NOWHERE, Place(None, {}, str(tmp_path))):
        with pytest.raises(InputError, match="train it first"):
            asked("trained", place, run="run")
        with pytest.raises(InputError, match="train it first"):
            asked("weight", place, model="run", text="1 2", query=0, key=1)


def test_formulas_by_hand():
    assert [mirror(None, seq_len=5, position=p) for p in range(5)] == [4, 3, 2, 1, 0]
    assert pooled_needle(None, seq_len=8192, cells=1024) == 1 / 64  # 8 × 8 weights under a cell
    assert pooled_needle(None, seq_len=8192, cells=1024, against_uniform=True) == 8192 / 64
    i, j = np.arange(100)[:, None], np.arange(100)
    d = i - j  # as hint 3 of the lab `long` has it
    assert pairs(None, seq_len=100, mask="strided:stride=20") == int(
        ((d >= 0) & ((d < 20) | (d % 20 == 0))).sum()
    )
    assert pairs(None, seq_len=100, mask="window:size=8") == 100 * 8 - 8 * 7 // 2


# ---- the labs themselves ------------------------------------------------------------------------------------

MODELS = ("translate", "read-a-model", "long")
LANGUAGES = ("en", "zh")


def course(name, folder=""):
    return labs.course_of(labs.find(name), name, "ada", str(folder))


def written(right):
    return f"{right:.6g}" if isinstance(right, float) else str(right)


def done_rightly(one):
    answers = {task.id: written(one.right(task)) for task in one.lab.tasks}
    verdict = one.mark(answers)
    assert verdict.right, verdict.lines()
    return answers


def done_wrongly(one, answers):
    """Each known wrong answer is explained in both languages, where it is another one."""
    explained = 0
    for task in one.lab.tasks:
        for name, also in task.wrong.items():
            wrong = one._quantity(task, {**task.options, **also})
            if written(wrong) == answers[task.id]:
                continue
            verdict = one.judged(task, {task.id: written(wrong)})
            assert verdict.verdict == "wrong", (task.id, name)
            for language in LANGUAGES:
                said = one.texts[language].tasks[task.id].if_wrong[name]
                assert said.split("{{")[0].split("\n")[0] in " ".join(verdict.lines(3, language)), (
                    task.id,
                    name,
                )
            explained += 1
    return explained


@pytest.mark.parametrize("name", MODELS)
def test_a_lab_is_done_rightly_and_wrongly(name):
    one = course(name)
    assert 4 <= len(one.lab.tasks) <= 6
    assert done_wrongly(one, done_rightly(one)) >= 1


def test_reverse_is_judged_from_the_students_own_runs(trained, tmp_path):
    one = course("reverse", tmp_path)
    untrained = one.mark({"train": "0.5", "mirror": written(one.right(one.lab.task("mirror")))})
    words = {stage.task: stage.verdict for stage in untrained.stages}
    assert (words["train"], words["mirror"]) == ("unreadable", "right")
    for name in ("run", "one"):
        shutil.copytree(Path(trained.folder) / "run", tmp_path / name)
    assert done_wrongly(one, done_rightly(one)) >= 2


def test_the_key_of_what_depends_on_a_training_says_so(run):
    shown = run("lab", "key", "reverse", "--lang", "zh").stdout
    assert "由学生自己的训练决定。" in shown
    assert '"train": null' in run("lab", "key", "reverse", "--format", "json").stdout


@functools.cache
def whole_help(command):
    return run_attn(command, "--help-all").stdout


@pytest.mark.parametrize("name", ["reverse", *MODELS])
@pytest.mark.parametrize("language", LANGUAGES)
def test_commands_within_the_text_have_the_options_they_name(name, language):
    """What is typed in blocks and hints: its command is there, and so is each of its options."""
    text = (labs.find(name) / f"{language}.md").read_text()
    lines = re.findall(r"`(attn [^`]+)`", text) + re.findall(r"^(attn .*)$", text, re.MULTILINE)
    for line in set(lines):
        _, command, *words = shlex.split(line)
        known = whole_help(command)
        for option in [word for word in words if word.startswith("--")]:
            assert re.search(rf"{option}\b", known), line


def test_the_commands_of_long_inputs_run(run):
    for line in re.findall(r"^(attn mask .*)$", (labs.find("long") / "en.md").read_text(), re.MULTILINE):
        done = run(*shlex.split(line)[1:])
        assert (done.code, len(done.stdout.splitlines())) == (0, 7), line


THOROUGH = settings().max_examples >= 1000  # trainings and pictures: a minute for each lab


@pytest.mark.skipif(not THOROUGH, reason="--hypothesis-profile=thorough")
@pytest.mark.parametrize("name", ["reverse", *MODELS])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lab_is_done_with_its_commands_as_they_are_printed(run, tmp_path, name, language):
    assert run("lab", "start", name, "--seed", "ada", "--lang", language, cwd=tmp_path).code == 0
    folder = tmp_path / name
    text = (folder / "README.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    trainings = re.findall(r"`(attn train-toy [^`]+)`", text)
    for line in [*"".join(blocks).splitlines(), *trainings]:
        done = run(*shlex.split(line)[1:], cwd=folder)
        assert done.code == 0 or line == "attn lab check", (line, done.stderr)
    one = labs.opened(folder).course
    for task in one.lab.tasks:
        (folder / task.answer).write_text(written(one.right(task)))
    done = run("lab", "check", cwd=folder)
    assert done.code == 0, done.stdout
    if name == "reverse":  # what its texts claim: two layers learn it, one does not
        assert one.right(one.lab.task("train")) > 0.9
        assert one.right(one.lab.task("one-layer")) < 0.5
