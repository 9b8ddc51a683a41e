"""Toy tasks learned by a small model in a second or two, looking where it should; in full: benchmarks/tasks.py.

One of each kind in every run, all of them in a thorough one (--hypothesis-profile=thorough).
What must be reached is far above what guessing gives, and a little below what was reached when this was written.
"""

from dataclasses import replace

import pytest
from attn_cli.sources.training import Learner, config_for
from attn_cli.toy import TASKS, find, needs_data
from attn_cli.toy.evaluation import evaluate
from attn_cli.toy.settings import Options
from attn_cli.toy.training import Training, new_model
from benchmarks.tasks import ROWS
from hypothesis import settings


def learned(spec, steps, sizes):
    """What a small model does before and after so many steps, by default 32 wide, with a head for each 16."""
    make, recipe = find(spec)
    dataset = replace(make(None, 4000, 0), longer=())
    width = sizes.get("dim", 32)
    recipe = replace(recipe, **{"dim": width, "heads": width // 16} | sizes)
    model = new_model(config_for(dataset, recipe, Learner()), seed=0)
    before = evaluate(model.eval(), dataset, recipe, most=100)
    batch, lr = (64, 0.006) if width > 32 else (32, 0.01)
    training = Training(model, dataset, recipe, Options(steps, lr, 0, batch=batch, evaluate_every=steps))
    assert len(list(training.run())) == steps
    return before, training.finish()


def reached(evaluation):
    """The measure of the task, and the attention of the best head where it is expected."""
    mass = evaluation.expected_mass
    measure = evaluation.exact_match if evaluation.f1 is None else evaluation.f1
    return measure, None if mass is None else mass.max()


# The task, how many steps, a model of which sizes, what it must reach, and how much attention where expected.
LEARNED = [
    ("copy:longest=4", 80, {}, 0.95, 0.9),
    ("sort:longest=4", 150, {}, 0.9, 0.7),
    ("addition:digits=2", 400, {"dim": 64}, 0.8, 0.9),
    ("parity:longest=8", 300, {}, 0.85, None),
    ("sum:length=3", 300, {}, 0.8, None),
    ("dates:first=1990,last=1999", 200, {}, 0.9, 0.55),
    ("induction:longest=6", 300, {}, 0.9, 0.8),
    ("recall:longest=3", 200, {"dim": 48}, 0.85, 0.7),
    ("sentiment", 100, {}, 0.95, 0.5),
    ("ner", 300, {}, 0.7, 0.5),
    ("relation", 100, {}, 0.95, 0.6),
    ("summary:longest=2", 120, {}, 0.9, 0.7),
    ("dialogue", 300, {}, 0.65, 0.3),
    ("shapes:noise=0", 200, {}, 0.9, 0.85),
    ("tones:notes=2,noise=0", 200, {"layers": 1}, 0.8, 0.5),
]

ALWAYS = ("copy", "induction", "sentiment", "shapes")  # text, in context, a class, pictures
THOROUGH = settings.default.max_examples >= 1000
TRIED = [row for row in LEARNED if THOROUGH or row[0].partition(":")[0] in ALWAYS]


@pytest.mark.parametrize(("spec", "steps", "sizes", "least", "mass"), TRIED, ids=[row[0] for row in TRIED])
def test_a_small_model_learns_it_by_looking_where_it_should(spec, steps, sizes, least, mass):
    before, after = learned(spec, steps, sizes)
    assert reached(before)[0] < 0.6 * least
    assert reached(after)[0] >= least
    if mass is not None:
        assert reached(after)[1] >= mass > 1.1 * after.uniform_mass


@pytest.mark.parametrize(
    ("spec", "steps", "sizes", "most"),
    [("induction:longest=6", 300, {}, 0.5), ("recall:longest=3", 200, {"dim": 48}, 0.5)][: 1 + THOROUGH],
)
def test_one_layer_cannot_learn_in_context(spec, steps, sizes, most):
    _, after = learned(spec, steps, {**sizes, "layers": 1})
    assert reached(after)[0] < most
    assert reached(after)[1] < 0.5


def test_no_task_is_left_out():
    elsewhere = {"reverse"}  # in full in test_train_toy.py
    small = {spec.partition(":")[0] for spec, *_ in LEARNED} | elsewhere
    assert small == {name for name in TASKS if not needs_data(name)}
    assert {row.spec for row in ROWS} | {"translate"} == set(TASKS)  # translate: benchmarks/mini.py
    assert [(row.spec, *row.options) for row in ROWS if row.fails] == [
        ("induction", "--layers", "1"),
        ("recall", "--layers", "1"),
    ]
