"""Every lab done by a scripted student: right, with each typical mistake, and with the numbers of many students."""

import re

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.lab.course.data import PLACE
from attn_cli.lab.course.layout import parsed
from attn_cli.lab.course.marking import Course
from attn_cli.lab.course.single import InEach, judged
from attn_cli.lab.course.texts import with_data
from attn_cli.sources import labs
from scripted import WORKED, numbers, typical_mistakes

LABS = [name for name in labs.bundled() if name in ("by-hand", "masks", "heads", "positions")]
LANGUAGES = ("en", "zh")


def course(name, student="ada"):
    return labs.course_of(labs.find(name), name, student)


def right_answers(one):
    """All answers of a student who makes no mistake."""
    found = {}
    for task in one.lab.tasks:
        worked = WORKED.get((one.lab.name, task.id))
        if task.what:
            found[task.id] = numbers(one, task).round(4) + 0.0
        else:
            found[task.id] = str(worked(one.data)) if worked else str(np.atleast_1d(one.right(task))[0])
    return found


@pytest.mark.parametrize("name", LABS)
def test_right_answers_are_right_for_every_student(name):
    for student in ("ada", "bob", "小明", "s1234567"):
        one = course(name, student)
        verdict = one.mark(right_answers(one))
        assert verdict.right, verdict.lines()
        assert verdict.score == verdict.max


@pytest.mark.parametrize("name", LABS)
def test_typical_mistakes_are_named(name):
    one = course(name)
    right, named = right_answers(one), 0
    for task in one.lab.tasks:
        for mistake, made in typical_mistakes(one, task) if task.what else ():
            stage = one.judged(task, {**right, task.id: made.round(4) + 0.0})
            assert stage.verdict == "wrong", (task.id, mistake)
            assert mistake in {name for ids in stage.alternatives for name in ids}, (
                task.id,
                mistake,
                stage.mistakes,
            )
            for language in LANGUAGES:
                assert mistake in " ".join(stage.lines(2, language))
            named += 1
    assert named >= 8


@pytest.mark.parametrize("name", LABS)
def test_a_mistake_costs_once(name):
    """Whoever follows from wrong scores rightly has lost the points of the scores alone."""
    one = course(name)
    for task in one.lab.tasks:
        if task.follows:
            first = one.lab.task(task.follows[0])
            mistake, made = next(iter(typical_mistakes(one, first)))
            answers = {
                first.id: made.round(5) + 0.0,
                task.id: followed(one, first, task, made).round(4) + 0.0,
            }
            stages = {stage.task: stage for stage in one.mark(answers).stages}
            assert stages[first.id].verdict == "wrong", (task.id, mistake)
            assert stages[task.id].verdict == "right", (task.id, mistake, stages[task.id].lines())
            break


def followed(one, first, task, made):
    """What a student gets who goes on rightly from these numbers."""
    from attn_cli.lab.course.attention import exercise
    from attn_cli.lab.course.data import filled_in
    from attn_cli.lab.pipeline import RIGHT, Work

    x = exercise(task.what, filled_in(task.options, one.data), task.id)
    return Work(x, RIGHT, {first.what: made})[task.what]


def test_known_wrong_numbers_are_explained():
    one = course("heads")
    d = one.data["d_model"]
    for answer, says in ((4 * d * d, "biases"), (3 * d * d + 3 * d, "W_o"), (5, "5")):
        stage = one.judged(one.lab.task("parameters"), {"parameters": str(answer)})
        assert stage.verdict == "wrong"
        assert says in " ".join(stage.lines(2))


def test_open_and_unreadable_answers_lose_nobody_else():
    one = course("masks")
    answers = right_answers(one) | {"window": InputError("holds no numbers")}
    del answers["prefix"]
    verdict = one.mark(answers)
    assert [stage.verdict for stage in verdict.stages].count("right") == 4
    assert verdict.verdict == "unreadable"


@pytest.mark.parametrize(
    ("typed", "right", "verdict"),
    [
        ("12", 12, "right"),
        ("1,050,624", 1050624, "right"),
        ("12.5", 12, "wrong"),
        ("0.333", 1 / 3, "right"),
        ("0.34", 1 / 3, "wrong"),
        ("0", 1 / 3, "unreadable"),
        ("1.23e6", 1234567.5, "right"),
        ("a third", 1 / 3, "unreadable"),
        ("nan", 1.0, "unreadable"),
        ("No scale.", ("no_scale", "scale_twice"), "right"),
        ("scale", ("no_scale",), "wrong"),
    ],
)
def test_one_number_or_word(typed, right, verdict):
    assert judged(typed, right, {}, {}, 1.0).verdict == verdict


def test_a_text_that_lacks_in_a_language_is_said_in_another():
    assert InEach({"en": "No."}).text("zh") == "No."


def test_an_option_that_a_quantity_lacks_is_said_at_once():
    lab = parsed("mine", {"exercise": [{"id": "a", "quantity": "pairs", "seq_ln": 3}]})
    with pytest.raises(InputError, match="did you mean 'seq_len'"):
        Course(lab, "0", {}).check()


# ---- texts -----------------------------------------------------------------------------------------------


def outline(texts):
    """What must be the same in every language."""
    parts = [texts.intro]
    shape = []
    for name, task in texts.tasks.items():
        shape.append((name, len(task.hints), sorted(task.if_wrong), bool(task.right), bool(task.text)))
        parts += [task.text, *task.hints, *task.if_wrong.values(), task.right]
    places = [sorted(PLACE.findall(part)) for part in parts]
    code = [sorted(re.findall(r"`[^`\n]+`", part)) for part in parts]
    blocks = [re.findall(r"```.*?```", part, re.DOTALL) for part in parts]
    return shape, places, code, blocks


@pytest.mark.parametrize("name", labs.bundled())
def test_a_lab_says_the_same_in_every_language(name):
    outlines = [outline(texts) for texts in course(name).texts.values()]
    for other in outlines[1:]:
        assert other == outlines[0]


@pytest.mark.parametrize("name", labs.bundled())
def test_texts_name_only_data_that_there_are(name):
    one = course(name)
    for texts in one.texts.values():
        for task in texts.tasks.values():
            for part in (texts.intro, task.text, *task.hints, *task.if_wrong.values(), task.right):
                assert not PLACE.search(with_data(part, one.data)), part
        assert 4 <= len(texts.tasks) <= 6
        assert all(len(task.hints) >= 2 and task.right for task in texts.tasks.values())
