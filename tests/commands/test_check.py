"""`attn check` as students, instructors and graders type it, and `attn.check` in Python."""

import csv
import io
import json
import re

import attn_cli as attn
import numpy as np
import pytest
from attn_cli.commands.io.environment import Environment
from attn_cli.lab.exercise import proposed
from browser import PROGRAM
from junitparser import JUnitXml

from students import work_of

HAND = [
    "--query",
    "samples/check/Q.csv",
    "--key",
    "samples/check/K.csv",
    "--value",
    "samples/check/V.csv",
    "--heads",
    "2",
]
ANSWER = "samples/check/answer.csv"
X = proposed()


@pytest.fixture(autouse=True)
def english(monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(Environment, "to_terminal", property(lambda self: True))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Answers of a class: right, wrong in several ways, and unreadable ones."""
    folder = tmp_path_factory.mktemp("answers")
    for spec in ("", "scale_d_model", "softmax_over_queries", "scale_twice", "heads_by_view"):
        name = spec or "right"
        np.savetxt(folder / f"{name}.csv", work_of(spec, X)["weights"].reshape(-1, 7), "%.4f", ",")
    made = work_of("no_scale", X)
    np.savez(folder / "three.npz", **{name: made[name].round(3) for name in ("scores", "weights", "output")})
    np.savetxt(folder / "nan.csv", np.full((10, 7), np.nan), delimiter=",")
    (folder / "text.csv").write_text("I did not\nfinish\n")
    (folder / "empty.csv").write_text("")
    np.savetxt(folder / "shape.csv", np.eye(3), "%.1f", ",")
    np.save(folder / "pickled.npy", np.array([{}]), allow_pickle=True)
    return folder


def rows(text):
    return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


# ---- one answer ------------------------------------------------------------------------------------------


def test_the_sample_names_its_mistake(run):
    done = run("check", ANSWER, *HAND)
    (row,) = rows(done.stdout)
    assert done.code == 1
    assert (row["verdict"], row["what"], row["stage"], row["mistakes"], row["tied"], row["cell"]) == (
        "wrong", "weights", "weights", "scale_d_model", "1", "0,4,1",
    )  # fmt: skip
    assert float(row["max_error"]) == pytest.approx(0.8822 - 0.7579, abs=1e-4)


def test_a_terminal_gets_lines(run, terminal):
    lines = run("check", ANSWER, *HAND).stdout.splitlines()
    assert lines[0] == "weights: wrong."
    assert "  scale_d_model: divided by √d_model = √6 instead of √d_head = √3." in lines
    assert lines[-1] == "  More: attn check --mistake scale_d_model"
    assert run("check", ANSWER, *HAND, "--lang", "zh").stdout.splitlines()[-1].endswith("--lang zh")
    assert run("check", ANSWER, *HAND, "--hint", "0").stdout == "weights: wrong.\n"


def test_several_on_a_terminal_get_a_line_each_and_why_one_cannot_be_read(run, terminal, files):
    gone = str(files / "gone.csv")
    shown = run("check", str(files / "right.csv"), gone, *HAND).stdout.splitlines()
    assert [re.split(r" {2}", line)[1] for line in shown[:2]] == ["right", "unreadable"]
    assert shown[1].startswith(gone)
    assert shown[2:] == ["  the answer: cannot be judged.", "  no such file; check its name and folder."]


def test_a_file_that_is_not_there_is_named_on_a_terminal(run, terminal):
    shown = run("check", "gone.csv", *HAND).stdout.splitlines()
    assert shown == [
        "gone.csv  unreadable  0/1  ",
        "the answer: cannot be judged.",
        "  no such file; check its name and folder.",
    ]


@pytest.mark.parametrize(("lang", "words"), [("en", "weights: wrong."), ("zh", "注意力权重：有误。")])
def test_the_language_is_asked_for_or_the_locale_s(run, monkeypatch, lang, words):
    assert words in run("check", ANSWER, *HAND, "--lang", lang).stdout
    monkeypatch.setenv("LANG", f"{lang}_XX.UTF-8")
    assert words in run("check", ANSWER, *HAND).stdout


def test_a_record_is_a_truth_and_an_answer(run, tmp_path):
    key = str(tmp_path / "key.npz")
    run("attend", *HAND, "-o", key)
    assert run("check", key, "--against", key).code == 0
    assert "scale_d_model" in run("check", ANSWER, "--against", key).stdout
    assert run("check", "samples/check/V.csv", "--against", key, "--what", "value").code == 0


def test_tolerance_is_taken_as_given(run):
    assert run("check", ANSWER, *HAND, "--tolerance", "0.2").code == 0
    assert run("check", ANSWER, *HAND, "--tolerance", "0.1").code == 1


def test_a_mask_and_a_table_alone(run, tmp_path):
    mask, table = str(tmp_path / "mask.csv"), str(tmp_path / "pe.csv")
    np.savetxt(mask, np.triu(np.ones((3, 4))), "%d", ",")
    done = run("check", mask, "--mask", "causal")
    assert done.code == 1
    assert rows(done.stdout)[0]["what"] == "mask"
    run("posenc", "--len", "6", "--dim", "8", "-o", table)
    assert run("check", table, "--posenc", "sinusoidal").code == 0
    assert "pe_base" in run("check", table, "--posenc", "sinusoidal:base=1000").stdout
    assert run("check", table, "--posenc", "sinusoidal", "--len", "5", "--dim", "8").code == 2
    run("posenc", "alibi", "--len", "6", "--dim", "4", "-o", table)
    assert run("check", table, "--posenc", "alibi").code == 0


def test_the_truth_of_a_text(run, tmp_path):
    options = ["--text", "to be or not", "--embed", "onehot", "--mask", "causal"]
    path = str(tmp_path / "a.tsv")
    run("attend", *options, "-o", path)
    assert run("check", path, *options).code == 0


# ---- a class ---------------------------------------------------------------------------------------------


def test_one_bad_file_never_stops_the_rest(run, files):
    names = sorted(path.name for path in files.iterdir())
    done = run("check", *(str(files / name) for name in [*names, "gone.csv"]), *HAND)
    found = {row["file"].rpartition("/")[2]: row for row in rows(done.stdout)}
    assert done.code == 1
    assert done.stderr == ""
    assert {name for name, row in found.items() if row["verdict"] == "unreadable"} == {
        "text.csv", "empty.csv", "shape.csv", "pickled.npy", "gone.csv",
    }  # fmt: skip
    assert found["right.csv"]["verdict"] == "right"
    assert found["scale_twice.csv"]["mistakes"] == "scale_d_k_not_root|scale_twice"
    assert found["scale_twice.csv"]["tied"] == "2"
    assert (found["three.npz"]["mistakes"], found["three.npz"]["score"]) == ("no_scale", "0.66667")
    assert found["nan.csv"]["verdict"] == "wrong"
    assert "column 1 holds 'I'" in found["text.csv"]["message"]


@pytest.mark.parametrize(
    ("names", "code"), [(["right"], 0), (["right", "text"], 2), (["text", "scale_twice"], 1)]
)
def test_exit_codes(run, files, names, code):
    assert run("check", *(str(files / f"{name}.csv") for name in names), *HAND).code == code


@pytest.mark.parametrize(
    "format", ["tsv", "csv", "json", "jsonl", "md", "tex", "gradescope", "prairielearn", "junit"]
)
def test_every_format_can_be_had(run, files, format):  # noqa: A002
    done = run("check", str(files / "scale_d_model.csv"), *HAND, "--format", format)
    assert done.code == 1
    assert done.stdout
    if format in ("json", "gradescope", "prairielearn"):
        assert json.loads(done.stdout)


def test_suffixes_choose_the_format(run, files, tmp_path):
    answer = str(files / "scale_d_model.csv")
    run("check", answer, *HAND, "-o", str(tmp_path / "x.xml"))
    assert JUnitXml.fromstring((tmp_path / "x.xml").read_bytes()).failures == 1
    run("check", answer, *HAND, "-o", str(tmp_path / "x.json"))
    assert json.loads((tmp_path / "x.json").read_text())["type"] == "check"


def test_points(run, files):
    three = str(files / "three.npz")
    (row,) = rows(run("check", three, *HAND, "--points", "scores=2,weights=2,output=1").stdout)
    assert (row["score"], row["max"]) == ("3.0", "5.0")
    (row,) = rows(run("check", three, *HAND, "--points", "12").stdout)
    assert (row["score"], row["max"]) == ("8.0", "12.0")
    assert "give a number" in run("check", three, *HAND, "--points", "many").stderr


# ---- pictures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "svg", "html"])
def test_a_picture_of_the_answer_beside_the_truth(run, files, tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    done = run("check", str(files / "scale_d_model.csv"), *HAND, "-o", str(path), "--lang", "zh")
    assert (done.code, done.stderr) == (1, "")
    if suffix != "png":
        assert "你的" in path.read_text()
    if suffix == "html":
        assert "除以了 √d_model = √6" in path.read_text()
        assert "<script" not in path.read_text()
        assert path.read_text().count(" = √6") == 1  # a phone has its own picture, not its own words


@pytest.mark.skipif(PROGRAM is None, reason="no browser")
def test_on_a_phone_the_maps_of_an_answer_stand_below_one_another(run, browser, tmp_path):
    path = tmp_path / "x.html"
    assert run("check", ANSWER, *HAND, "-o", str(path)).code == 1
    seen = """[...document.querySelectorAll('figure')].filter((one) => one.checkVisibility()).map((one) =>
        [one.className, one.scrollWidth - one.clientWidth,
        new Set([...one.querySelectorAll('text')].filter((text) => text.textContent.startsWith('head'))
            .map((text) => Math.round(text.getBoundingClientRect().x))).size])"""
    for width, shown in ((390, ["narrow", 0, 1]), (1280, ["broad", 0, 3])):
        browser.resize(width, 844, touch=width == 390)
        browser.send("Page.navigate", url=path.as_uri())
        browser.wait("document.readyState === 'complete' && document.querySelector('figure')")
        assert browser.run(seen) == [shown]


def test_what_has_no_picture_is_said(run, files, tmp_path):
    path = str(tmp_path / "x.png")
    assert "could not be judged" in run("check", str(files / "text.csv"), *HAND, "-o", path).stderr
    two = [str(files / "right.csv")] * 2
    assert "a picture shows one answer, got 2" in run("check", *two, *HAND, "-o", path).stderr


def test_a_page_of_several_answers_opens_each_from_its_row(run, files, tmp_path):
    path = tmp_path / "x.html"
    names = ("scale_d_model.csv", "text.csv")
    done = run("check", *(str(files / name) for name in names), *HAND, "-o", str(path), "--lang", "zh")
    assert (done.code, done.stderr) == (1, "")
    page = path.read_text()
    assert "<h1>答案评判</h1>" in page
    assert ">文件</button>" in page
    assert "<td>有误</td>" in page
    (links,) = re.findall(r'id="links">(.*?)<', page)
    assert json.loads(links) == [[0, ""], [1, ""]]
    (pages,) = re.findall(r'id="pages">(.*?)<', page)
    wrong, unreadable = ("".join(p for p in one if isinstance(p, str)) for one in json.loads(pages))
    assert "<svg" in wrong
    assert "<svg" not in unreadable


# ---- exercises and mistakes ------------------------------------------------------------------------------


def test_what_an_exercise_cannot_tell(run, terminal):
    by_hand = [f"--{name}=samples/by-hand/{name[0].upper()}.csv" for name in ("query", "key", "value")]
    shown = run("check", "--exercise", *by_hand).stdout
    assert "There is one head" in shown
    assert "scale_d_model" in shown
    assert "Take 5 queries, 7 keys, 2 heads of width 3" in shown


def test_what_an_exercise_cannot_tell_as_a_table(run):
    done = run("check", "--exercise", *HAND)
    shows = {row["mistake"]: row["shows"] for row in rows(done.stdout)}
    assert done.code == 0
    assert shows["scale_d_model"] == "true"
    assert shows["mask_upper"] == "false"


def test_a_mistake_is_explained(run):
    assert "1/√n_heads" in run("check", "--mistake", "scale_d_model").stdout
    assert "怎么改：" in run("check", "--mistake", "scale_d_model", "--lang", "zh").stdout
    assert "did you mean 'scale_d_model'?" in run("check", "--mistake", "scale_d_modle").stderr
    assert len(run("check", "--mistake", "help").stdout.splitlines()) > 65


# ---- what cannot be asked --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([ANSWER], "there is no right answer to compare with"),
        ([], "no ANSWER"),
        ([ANSWER, *HAND, "--format", "xls"], "unknown format 'xls'"),
        ([ANSWER, *HAND, "--what", "wieghts"], "no stage 'wieghts'"),
        ([ANSWER, "--against", ANSWER], "is no saved attention"),
        ([ANSWER, "--query", "gone.csv"], "gone.csv"),
        ([ANSWER, *HAND, "-o", "gone/x.csv"], "no such folder"),
        ([ANSWER, *HAND, "--mask", "casual"], "did you mean 'causal'?"),
        ([ANSWER, *HAND, "--lang", "fr"], "give en or zh"),
        ([ANSWER, *HAND, "--points", "wieghts=2"], "no stage 'wieghts'"),
    ],
)
def test_what_cannot_be_asked_is_one_line(run, arguments, said):
    done = run("check", *arguments)
    assert done.code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert len(done.stderr) <= 301


# ---- in Python -------------------------------------------------------------------------------------------


def test_python_gives_the_same_verdict():
    query, key, value = X.inputs
    verdict = attn.check(ANSWER, query=query, key=key, value=value, heads=2)
    assert (verdict.right, verdict.score, verdict.mistakes) == (False, 0.0, "scale_d_model")
    assert repr(verdict) == "Verdict(weights: wrong, 0 of 1: scale_d_model)"
    assert "<li>scale_d_model:" in verdict._repr_html_()
    with pytest.raises(AssertionError, match="divided by √d_model"):
        verdict.require()


def test_python_takes_tensors_records_and_names():
    import torch

    query, key, value = X.inputs
    truth = attn.attend(query, key, value, heads=2)
    assert attn.check(torch.tensor(truth.weights[0]).bfloat16(), truth).right
    assert attn.check({"S": truth.scores[0], "A": truth.weights[0]}, truth).right
    assert attn.check(truth, truth).right
    assert attn.check([[1, 0], [1, 1]], mask="causal").right
    assert attn.check(attn.posenc(len=4, dim=6), posenc="sinusoidal").right


def test_what_python_cannot_be_asked():
    with pytest.raises(attn.InputError, match="there is no right answer to compare with"):
        attn.check([[1.0]])
