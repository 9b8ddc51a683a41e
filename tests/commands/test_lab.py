"""`attn lab`: a student goes from the list to the last right answer, with the commands as they are printed."""

import json
import re
import shutil
import threading
from pathlib import Path

import attn_cli.lab.course
import numpy as np
import pytest
from attn_cli.lab.course.readme import key
from attn_cli.lab.course.texts import with_data
from attn_cli.sources import labs

from schemas import check

DONE = ("by-hand", "masks", "heads", "positions")


@pytest.fixture
def started(run, tmp_path):
    """`started("masks")` is the folder of a lab that has just begun."""

    def start(name, *options, seed="ada"):
        done = run("lab", "start", name, "--seed", seed, *options, cwd=tmp_path)
        assert done.code == 0, done.stderr
        return tmp_path / name

    return start


def typed(x):
    if not isinstance(x, np.ndarray):
        return f"{x[0] if isinstance(x, tuple) else x}\n"
    return "".join(",".join(f"{one:.4f}" for one in row) + "\n" for row in x.reshape(-1, x.shape[-1]))


def answer(folder, *ids):
    """Write right answers, of all exercises or of some."""
    one = labs.opened(folder)
    for task in one.course.lab.tasks:
        if not ids or task.id in ids:
            (folder / task.answer).write_text(typed(key(one.course)[task.id]))


def commands(folder):
    """What the text tells a student to type."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (folder / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return [line.split() for block in blocks for line in block.splitlines()]


def rows(text):
    head, *lines = (line.split("\t") for line in text.splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", DONE)
def test_a_lab_from_top_to_bottom(run, tmp_path, started, name, lang):
    folder = started(name, "--lang", lang)
    assert {"README.md", "data", "lab.json"} <= {path.name for path in folder.iterdir()}
    assert run("lab", "check", cwd=folder).code == 1
    first = labs.opened(folder).course.lab.tasks[0]
    for level in (1, 2, 3, 3):
        said = run("lab", "hint", cwd=folder).stdout
        assert {"en": f"Hint {level} of", "zh": f"提示 {level}/"}[lang] in said
    assert json.loads((folder / "lab.json").read_text())["hints"] == {first.id: 3}
    for task in labs.opened(folder).course.lab.tasks:
        answer(folder, task.id)
    for attn, *arguments in commands(folder):
        assert attn == "attn"
        done = run(*arguments, cwd=folder)
        assert done.code == (1 if arguments[0] == "check" else 0), (arguments, done.stderr)
    judged = rows(run("lab", "check", cwd=folder).stdout)
    assert {row["verdict"] for row in judged} == {"right"}
    assert {"en": "All 6 exercises", "zh": "6 道练习"}[lang] in run("lab", "hint", cwd=folder).stdout
    listed = {row["lab"]: row for row in rows(run("lab", cwd=tmp_path).stdout)}
    assert listed[name]["right"] == listed[name]["exercises"]
    assert listed[name]["folder"] == name


def test_a_mistake_is_named_and_hints_say_how_much(run, started):
    folder = started("by-hand")
    answer(folder)
    wrong = key(labs.opened(folder).course)["two-heads"]
    q, k = (np.loadtxt(folder / f"data/{name}.csv", delimiter=",") for name in ("Q2", "K2"))
    scores = np.stack([q[:, part] @ k[:, part].T / np.sqrt(6) for part in (slice(3), slice(3, 6))])
    parts = np.exp(scores)
    (folder / "two-heads.csv").write_text(typed(parts / parts.sum(-1, keepdims=True)))
    assert wrong.shape == parts.shape
    row = {row["what"]: row for row in rows(run("lab", "check", cwd=folder).stdout)}["two-heads"]
    assert (row["verdict"], row["mistakes"]) == ("wrong", "scale_d_model")
    assert "0.3" not in row["message"].replace("√", "")  # nothing is given away
    by_level = [
        run("lab", "check", "--hint", str(n), "--format", "jsonl", cwd=folder).stdout for n in range(4)
    ]
    assert ["scale_d_model" in said for said in by_level] == [False, False, True, True]


def test_chinese_is_spoken_where_it_is_asked_for(run, started):
    folder = started("masks", "--lang", "en")
    assert "没有提交" in run("lab", "check", "--lang", "zh", cwd=folder).stdout
    assert "提示 1/3" in run("lab", "hint", "--lang", "zh", cwd=folder).stdout


@pytest.mark.parametrize("command", ["check", "hint", "watch"])
def test_a_language_that_is_not_spoken_is_refused_before_anything_is_said(run, started, command):
    folder = started("by-hand")
    before = (folder / "lab.json").read_text()
    done = run("lab", command, ".", "--lang", "zz", cwd=folder)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == "attn: error: language 'zz' is not available; give en or zh\n"
    assert (folder / "lab.json").read_text() == before


def test_a_folder_that_is_there_is_never_written_into(run, tmp_path):
    (tmp_path / "masks").mkdir()
    done = run("lab", "start", "masks", cwd=tmp_path)
    assert (done.code, list((tmp_path / "masks").iterdir())) == (2, [])
    assert "masks: is there already" in done.stderr
    assert run("lab", "start", "masks", "-o", "no/where", cwd=tmp_path).code == 2
    assert not (tmp_path / "no").exists()


def test_errors_name_what_there_is(run, tmp_path):
    assert "did you mean 'masks'" in run("lab", "start", "maks", cwd=tmp_path).stderr
    assert "no command 'strat'" in run("lab", "strat", cwd=tmp_path).stderr
    assert "holds no lab" in run("lab", "check", cwd=tmp_path).stderr
    (tmp_path / "lab.json").write_text("{}")
    assert "is damaged" in run("lab", "check", cwd=tmp_path).stderr


def test_an_answer_may_be_of_another_format_and_one_that_cannot_be_read_is_said(run, started):
    folder = started("masks")
    answer(folder)
    causal = key(labs.opened(folder).course)["causal"]
    (folder / "causal.csv").write_text("")
    np.save(folder / "causal.npy", causal)
    assert run("lab", "check", cwd=folder).code == 0
    (folder / "causal.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in causal.astype(bool)))
    assert "True,True,True,False" in (folder / "causal.csv").read_text()
    assert run("lab", "check", cwd=folder).code == 0
    (folder / "window.csv").write_text("one, two\n")
    done = run("lab", "check", cwd=folder)
    assert done.code == 2
    assert {row["what"] for row in rows(done.stdout) if row["verdict"] == "unreadable"} == {"window"}


def test_a_grade_says_what_is_wrong_and_what_cannot_be_read_and_what_is_not_there(run, tmp_path, started):
    folder = started("masks")

    def graded():
        return rows(run("lab", "grade", "masks", cwd=tmp_path).stdout)[0]

    assert (graded()["verdict"], graded()["message"]) == ("unreadable", "Nothing was handed in.")
    answer(folder, "causal")
    causal, window, *others = [stage.called() for stage in labs.opened(folder).marked().stages]
    assert graded()["message"] == f"Not handed in: {', '.join([window, *others])}."
    (folder / "window.csv").write_bytes(b"\xff\x01\x9c\x80")
    assert (graded()["verdict"], graded()["stage"]) == ("unreadable", "window")
    (folder / "causal.csv").write_text("1,1,1,1,1,1,1\n" * 5)
    found = graded()
    assert (found["verdict"], found["stage"]) == ("wrong", "causal")
    assert found["message"].startswith(f"{causal}: wrong.")
    assert f"{window}: cannot be judged. masks/window.csv:1: is neither UTF-8" in found["message"]
    assert "; save it as UTF-8. " in found["message"]
    assert found["message"].endswith(f"Not handed in: {', '.join(others)}.")


def test_an_instructor_says_which_lab_and_whose_numbers(run, tmp_path, started):
    ada = started("masks", "-o", "bob", seed="ada").parent / "bob"
    answer(ada)
    graded = lambda *options: rows(run("lab", "grade", "bob", *options, cwd=tmp_path).stdout)[0]  # noqa: E731
    assert graded()["verdict"] == "right"
    assert graded("--by-name")["verdict"] == "wrong"  # the numbers are ada's
    assert graded("--lab", "masks")["verdict"] == "right"
    assert "holds the lab 'masks'" in graded("--lab", "heads")["message"]
    assert run("lab", "grade", "bob", "--lab", "maks", cwd=tmp_path).code == 2


def test_a_shell_completes_commands_and_labs(run, tmp_path):
    def offered(typed):
        told = {
            "_ATTN_COMPLETE": "complete_bash",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(typed.split(" ")) - 1),
        }
        return run(env=told, cwd=tmp_path).stdout.split()

    assert offered("attn lab st") == ["start"]
    assert offered("attn lab start m") == ["masks"]


def test_students_have_numbers_of_their_own(started):
    one, two = (labs.opened(started("heads", "-o", seed, seed=seed).parent / seed) for seed in ("ada", "bob"))
    assert not np.array_equal(one.course.data["X"], two.course.data["X"])


def test_watch_moves_on_when_it_is_right(run, started):
    folder = started("masks")
    ids = [task.id for task in labs.opened(folder).course.lab.tasks]
    answer(folder, *ids[:-1])
    saving = threading.Timer(0.5, answer, (folder, ids[-1]))
    saving.start()
    done = run("lab", "watch", "--every", "0.05", cwd=folder)
    saving.join()
    assert done.code == 0
    assert f"All {len(ids)} exercises are right." in done.stdout


# ---- for instructors -------------------------------------------------------------------------------------


def test_many_students_are_graded_and_a_bad_folder_stops_nobody(run, tmp_path, started):
    for seed in ("ada", "bob"):
        started("masks", "-o", f"s-{seed}", seed=seed)
    answer(tmp_path / "s-ada")
    answer(tmp_path / "s-bob", "causal")
    (tmp_path / "s-bob" / "window.csv").write_text(typed(1 - np.tri(6)))
    (tmp_path / "empty").mkdir()
    done = run("lab", "grade", "s-ada", "s-bob", "empty", cwd=tmp_path)
    ada, bob, empty = rows(done.stdout)
    assert (done.code, ada["verdict"], ada["score"]) == (1, "right", ada["max"])
    assert (bob["verdict"], bob["stage"], float(bob["score"])) == ("wrong", "window", 1.0)
    assert empty["verdict"] == "unreadable"
    tests = json.loads(run("lab", "grade", "s-bob", "--format", "gradescope", cwd=tmp_path).stdout)["tests"]
    assert [test["max_score"] for test in tests] == [1, 1, 1, 1, 3, 2]
    assert [test["tags"][0] for test in tests][:2] == ["causal", "window"]
    assert b"<testsuite " in run("lab", "grade", "s-bob", "--format", "junit", cwd=tmp_path).output


def schema(name):
    return json.loads((Path(attn_cli.lab.course.__file__).parent / "schemas" / f"{name}.json").read_text())


def test_what_is_json_is_as_its_schema_says(run, started):
    folder = started("masks")
    run("lab", "hint", cwd=folder)
    check(json.loads((folder / "lab.json").read_text()), schema("lab"))
    for name in ("by-hand", "masks", "heads", "reverse"):
        check(json.loads(run("lab", "key", name, "--format", "json").stdout), schema("key"))


def test_the_key_is_what_is_right(run, tmp_path, started):
    folder = started("heads")
    run("lab", "key", "heads", "--seed", "ada", "-o", "key.npz", cwd=tmp_path)
    held = json.loads(run("lab", "key", "heads", "--seed", "ada", "--format", "json", cwd=tmp_path).stdout)[
        "answers"
    ]
    run("lab", "key", "heads", "--seed", "ada", "-o", "again.npz", cwd=tmp_path)
    assert (tmp_path / "key.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()
    with np.load(tmp_path / "key.npz") as arrays:
        for name in ("scores", "grouped"):
            np.testing.assert_allclose(arrays[name], held[name])
            (folder / f"{name}.csv").write_text(typed(arrays[name]))
    (folder / "cache.txt").write_text(str(held["cache"]))
    judged = {row["what"]: row["verdict"] for row in rows(run("lab", "check", cwd=folder).stdout)}
    assert [judged[name] for name in ("scores", "grouped", "cache")] == ["right"] * 3
    assert run("lab", "key", "heads", "--seed", "ada").stdout.startswith("# Heads · Answers")


@pytest.mark.parametrize(
    ("name", "begins"),
    [("x.html", b"<!doctype html>"), ("x.tex", b"% Set this"), ("x.md", b"# ")],
)
def test_worksheets(run, tmp_path, name, begins):
    for i in range(2):
        done = run(
            "lab", "sheet", "masks", "--seed", "ada", "-o", f"{i}-{name}", *["--answers"] * i, cwd=tmp_path
        )
        assert done.code == 0, done.stderr
    blank, answers = ((tmp_path / f"{i}-{name}").read_bytes() for i in range(2))
    assert blank.startswith(begins)
    assert b"Right answer" in answers
    assert b"Right answer" not in blank


def test_a_lab_is_written_as_a_page_with_a_model(run, tmp_path):
    done = run("lab", "page", "masks", "--seed", "ada", "--lang", "zh", cwd=tmp_path)
    assert (done.code, done.stdout) == (0, "masks.html\n")
    page = (tmp_path / "masks.html").read_text("utf-8")
    assert "<h2>掩码</h2>" in page
    assert page.count('<details class="question"') == 6
    assert "attn lab check" not in page  # what is typed in a folder, and the sentence that leads there
    assert "下面是四个词元的" not in page
    done = run("lab", "page", "masks", "-o", "x.png", cwd=tmp_path)
    assert (done.code, "html" in done.stderr) == (2, True)


@pytest.mark.parametrize("given", [("nope",), ("masks", "--lang", "fr")])
def test_a_page_that_is_not_written_is_not_named(run, tmp_path, given):
    done = run("lab", "page", *given, cwd=tmp_path)
    assert (done.code, done.stdout) == (2, "")


def test_a_lab_about_what_one_trains_has_no_page(run, tmp_path):
    (tmp_path / "mine").mkdir()
    toml = '[[exercise]]\nid = "loss"\nquantity = "trained"\nrun = "run"\nof = "loss"\n'
    (tmp_path / "mine" / "lab.toml").write_text(toml)
    (tmp_path / "mine" / "en.md").write_text("# Mine\n\n## loss: Loss\n\nWhich?\n\n### hint 1\n\nLook.\n")
    done = run("lab", "page", "./mine", "-o", "x.html", cwd=tmp_path)
    assert done.code == 2
    assert "has no question that a page can judge; attn lab start ./mine" in done.stderr


def test_a_worksheet_as_pdf(run, tmp_path):
    assert run("lab", "sheet", "masks", "-o", "x.pdf", cwd=tmp_path).code == 0
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")


OWN = """
[data]
w = { choose = [2, 3] }
words = { file = "words.txt" }

[[exercise]]
id = "band"
what = "mask"
mask = "window:size={{w}}"
shape = [5, 5]
"""


def test_a_lab_of_ones_own(run, tmp_path):
    own = tmp_path / "mine"
    own.mkdir()
    (own / "lab.toml").write_text(OWN)
    (own / "words.txt").write_text("to be")
    (own / "en.md").write_text(
        "# Mine\n\nRead {{words}}.\n\n## band: A band\n\n{{w}} keys.\n\n### hint 1\n\nNo.\n"
    )
    assert run("lab", "start", "./mine", "-o", "a", cwd=tmp_path).code == 0
    shutil.move(own, tmp_path / "elsewhere")
    assert (
        "give its folder: --lab" in run("lab", "grade", "a", cwd=tmp_path).stdout
    )  # a student could have changed it
    folder = tmp_path / "a"
    assert "Read to be." in (folder / "README.md").read_text()
    assert (folder / "data" / "words.txt").read_text() == "to be"
    answer(folder)
    assert run("lab", "check", "a", cwd=tmp_path).code == 0
    graded = run("lab", "grade", "a", "--lab", "elsewhere", cwd=tmp_path)
    assert graded.code == 0, graded.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("lab.toml", "[[exercise]\n", "is not valid TOML"),
        ("lab.toml", OWN.replace("band", "brand"), "en.md: has the exercises band"),
        ("lab.toml", OWN + 'answer = "../elsewhere.csv"\n', "file '../elsewhere.csv'"),
        ("lab.toml", OWN + 'points = "many"\n', "is not as a lab is written"),
        ("lab.toml", OWN.replace("[5, 5]", '["a", 5]'), "'band' cannot be computed"),
        ("lab.toml", OWN.replace("[2, 3]", "[]"), "data 'w' cannot be drawn"),
        ("lab.toml", OWN.replace("words.txt", "/etc/passwd"), "file '/etc/passwd'"),
        ("en.md", "# T\n## band: A band\nDo.\n", "has no hint"),
    ],
)
def test_what_does_not_fit_in_a_lab_of_ones_own_is_said(run, tmp_path, name, text, said):
    own = tmp_path / "mine"
    own.mkdir()
    (own / "lab.toml").write_text(OWN)
    (own / "words.txt").write_text("to be")
    (own / "en.md").write_text("# T\n## band: A band\nDo.\n### hint 1\nNo.\n")
    (own / name).write_text(text)
    done = run("lab", "start", "./mine", "-o", "a", cwd=tmp_path)
    assert done.code == 2
    assert said in done.stderr
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("masks", "causal"),
        ("masks", "window"),
        ("masks", "prefix"),
        ("masks", "polarity"),
        ("positions", "alibi"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_the_last_hint_computes_is_right(started, monkeypatch, name, task, lang):
    folder = started(name, "--lang", lang)
    monkeypatch.chdir(folder)
    one = labs.opened(folder).course
    hint = with_data(one.texts[lang].tasks[task].hints[-1], one.data)
    (code,) = re.findall(r"`(-?np\.[^`]+|1 - np[^`]+|\(np[^`]+)`", hint)
    np.testing.assert_allclose(eval(code, {"np": np}) + 0.0, key(one)[task])
