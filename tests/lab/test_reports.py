"""Reports against the published forms of what reads them; schemas here are written from their documentation."""

import csv
import io
import json
import re
from importlib.resources import files

import numpy as np
import pytest
from attn_cli.files import TABLES
from attn_cli.lab.exercise import proposed
from attn_cli.lab.judging import Judge, unreadable
from attn_cli.lab.reports import COLUMNS, REPORTS, table
from junitparser import Error, Failure, JUnitXml

from schemas import check
from students import work_of

X = proposed(mask="causal")
JUDGE = Judge(X)


def stages(spec, digits=3):
    return {stage: work_of(spec, X)[stage].round(digits) for stage in ("scores", "weights", "output")}


ANSWERS = [
    JUDGE(work_of("", X)["weights"].round(3), file="right.csv"),
    JUDGE(stages("scale_twice"), file="three.npz"),
    JUDGE(work_of("softmax_over_queries", X)["weights"].round(3), file="学生 <1>.csv"),
    JUDGE(work_of("nan_blind_row", proposed(mask="causal", n_query=7, n_key=5))["weights"], file="shape.csv"),
    JUDGE(np.full((2, 5, 7), np.nan), file="nan.csv"),
    unreadable("a\tb\x1b[31m.csv", "line 3: 'x' is no number"),
]
LANGUAGES = ("en", "zh")


def report(name, verdicts=ANSWERS, **options):
    return REPORTS[name](verdicts, **options)


# ---- tables ----------------------------------------------------------------------------------------------


def test_the_table_has_the_columns_that_are_documented():
    rows = list(csv.DictReader(io.StringIO(b"".join(TABLES["csv"](table(ANSWERS))).decode())))
    assert tuple(rows[0]) == COLUMNS
    assert [row["verdict"] for row in rows] == [
        "right",
        "wrong",
        "wrong",
        "unreadable",
        "wrong",
        "unreadable",
    ]
    assert rows[1]["mistakes"] == "scale_d_k_not_root|scale_twice"
    assert (rows[1]["tied"], rows[1]["stage"], rows[1]["what"]) == ("2", "scores", "scores+weights+output")
    assert (float(rows[1]["score"]), float(rows[1]["max"])) == (0.66667, 1.0)
    assert rows[2]["cell"] == "0,4,6"
    assert rows[0]["stage"] == rows[0]["mistakes"] == rows[0]["cell"] == ""


def test_a_row_stays_a_row_whatever_a_file_is_called():
    lines = b"".join(TABLES["tsv"](table(ANSWERS))).decode().splitlines()
    assert len(lines) == len(ANSWERS) + 1
    assert {line.count("\t") for line in lines} == {len(COLUMNS) - 1}
    assert "\x1b" not in "".join(lines)


def test_hints_keep_the_mistake_back():
    row = list(table(ANSWERS, hint=1).rows())[2]
    assert row["mistakes"] == ""
    assert "softmax" not in row["message"]


# ---- JSON ------------------------------------------------------------------------------------------------

SCHEMA = json.loads(files("attn_cli.lab.reports").joinpath("schemas/check.json").read_text())


@pytest.mark.parametrize("hint", range(4))
@pytest.mark.parametrize("lang", LANGUAGES)
def test_json_is_what_its_schema_says(lang, hint):
    value = json.loads(report("json", hint=hint, lang=lang), parse_constant=pytest.fail)
    check(value, SCHEMA)
    assert [answer["file"] for answer in value["answers"]] == [verdict.file for verdict in ANSWERS]


def test_json_names_the_alternatives():
    stage = json.loads(report("json"))["answers"][1]["stages"][0]
    assert [[one["id"] for one in ids] for ids in stage["alternatives"]] == [
        ["scale_d_k_not_root"],
        ["scale_twice"],
    ]
    assert stage["confidence"] == "one of several"
    assert stage["tolerance"] == {"value": 0.0005, "from": "decimals"}
    assert stage["cell"]["given"] == pytest.approx(stage["cell"]["expected"] / 3**0.5, abs=0.001)


def test_jsonl_has_a_line_for_each_with_its_version():
    lines = report("jsonl").splitlines()
    whole = json.loads(report("json"))["answers"]
    assert [json.loads(line) for line in lines] == [{"schema_version": 1} | answer for answer in whole]


# ---- Gradescope ------------------------------------------------------------------------------------------

FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["visible", "hidden", "after_due_date", "after_published"]}
GRADESCOPE = {
    "type": "object",
    "required": ["tests"],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "value"],
                "properties": {"order": {"enum": ["asc", "desc"]}},
            },
        },
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string"},
                    "number": {"type": "string"},
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "output": {"type": "string"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_gradescope(lang):
    value = json.loads(report("gradescope", lang=lang), parse_constant=pytest.fail)
    check(value, GRADESCOPE)
    assert value["score"] == pytest.approx(sum(test["score"] for test in value["tests"]), abs=1e-4)
    assert all(0 <= test["score"] <= test["max_score"] for test in value["tests"])
    assert len({test["number"] for test in value["tests"]}) == len(value["tests"])


def test_gradescope_tells_students_where_but_not_what():
    value = json.loads(report("gradescope"))
    wrong = next(test for test in value["tests"] if test["name"].startswith("学生"))
    assert wrong["status"] == "failed"
    assert "head 0, query 4, key 6" in wrong["output"]
    assert "softmax" not in wrong["output"]
    assert "softmax_over_queries" in json.dumps(value["extra_data"])


# ---- PrairieLearn ----------------------------------------------------------------------------------------

PRAIRIELEARN = {
    "type": "object",
    "required": ["score"],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "gradable": {"type": "boolean"},
        "format_errors": {"type": ["string", "array"], "items": {"type": "string"}},
        "message": {"type": "string"},
        "output": {"type": "string"},
        "images": {"type": "array", "items": {"type": "object", "required": ["label", "url"]}},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string"},
                    "description": {"type": "string"},
                    "points": {"type": "number"},
                    "max_points": {"type": "number"},
                    "message": {"type": "string"},
                    "output": {"type": "string"},
                    "images": {"type": "array"},
                },
            },
        },
    },
}


@pytest.mark.parametrize("verdict", ANSWERS, ids=lambda verdict: ascii(verdict.file))
@pytest.mark.parametrize("lang", LANGUAGES)
def test_prairielearn(verdict, lang):
    value = json.loads(report("prairielearn", [verdict], lang=lang), parse_constant=pytest.fail)
    check(value, PRAIRIELEARN)
    assert 0 <= value["score"] <= 1
    assert value["gradable"] == (verdict.verdict != "unreadable")
    assert ("format_errors" in value) == (verdict.verdict == "unreadable")
    assert value["score"] == pytest.approx(verdict.score / verdict.max, abs=1e-5)


def test_prairielearn_stays_below_a_megabyte():
    text = report("prairielearn", ANSWERS * 700, hint=3)
    assert len(text) < 1_000_000
    check(json.loads(text), PRAIRIELEARN)


# ---- JUnit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_junit(lang):
    suites = list(JUnitXml.fromstring(report("junit", lang=lang)))
    assert len(suites) == len(ANSWERS)
    for suite, verdict in zip(suites, ANSWERS, strict=True):
        words = [stage.verdict for stage in verdict.stages]
        assert (suite.tests, suite.failures, suite.errors) == (
            len(words),
            words.count("wrong"),
            words.count("unreadable"),
        )
        for case, stage in zip(suite, verdict.stages, strict=True):
            kinds = {"right": [], "wrong": [Failure], "unreadable": [Error]}[stage.verdict]
            assert [type(result) for result in case.result] == kinds
            assert case.name == stage.stage
            assert case.time == 0


def test_junit_holds_no_character_that_xml_forbids():
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", report("junit"))


# ---- all -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_the_same_each_time_and_takes_no_answers(name):
    assert report(name) == report(name)
    assert isinstance(report(name, []), bytes)
