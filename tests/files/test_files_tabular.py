"""Tables in files: numbers exactly, texts so that nothing in them acts, JSON as its schema says."""

import csv
import io
import json
from importlib.resources import files

import numpy as np
import pytest
from attn_cli.files import TABLES
from attn_cli.records.table import Table

from schemas import check

TABLE = Table(
    {
        "layer": [0, 10],
        "token": ["a\tb", 'c,"d'],
        "entropy": np.array([1 / 3, np.nan]),
        "half": np.array([0.1, 1e-9], dtype=np.float32),
        "ok": [True, False],
    },
    about="stats",
    provenance="a model, seed 0",
    units={"entropy": "nats"},
)


def written(name, table=TABLE):
    return b"".join(TABLES[name](table)).decode()


@pytest.mark.parametrize("name", TABLES)
def test_a_format_gives_the_same_bytes_each_time_and_says_what_it_is(name):
    assert written(name) == written(name)
    assert TABLES[name].__doc__.partition("\n")[0].endswith(".")


def test_tsv_holds_every_number_exactly():
    header, *rows = written("tsv").splitlines()
    assert header == "layer\ttoken\tentropy\thalf\tok"
    assert rows[0].split("\t") == ["0", r"a\tb", "0.3333333333333333", repr(float(np.float32(0.1))), "true"]
    assert rows[1].split("\t")[2] == ""  # no number there


def test_csv_is_read_by_a_reader_of_csv():
    _, first, second = csv.reader(io.StringIO(written("csv")))
    assert first[1] == r"a\tb"
    assert second[1] == 'c,"d'
    assert float(first[2]) == 1 / 3


def test_markdown_and_latex_are_for_people():
    assert written("md").splitlines()[:4] == [
        "a model, seed 0",
        "",
        "| layer | token | entropy |  half | ok    |",
        "| ----: | ----- | ------: | ----: | ----- |",
    ]
    assert "|  0.3333 |" in written("md")
    assert {len(line) for line in written("md").splitlines()[2:]} == {43}
    assert r"$1\times10^{-9}$" in written("tex")
    assert r"\caption{a model, seed 0}" in written("tex")


def test_json_is_what_its_schema_says():
    value = json.loads(written("json"))
    check(value, json.loads(files("attn_cli.files").joinpath("schemas/table.json").read_text()))
    assert value["rows"][0]["entropy"] == 1 / 3
    assert value["rows"][1]["entropy"] is None
    assert value["units"] == {"entropy": "nats"}
    assert written("json", Table({"a": [np.inf]})).count("null") == 1  # JSON has no infinity


def test_the_check_of_schemas_finds_what_is_wrong():
    schema = json.loads(files("attn_cli.files").joinpath("schemas/table.json").read_text())
    for change in ({"schema_version": 2}, {"more": 1}, {"rows": [{"a": []}]}, {"units": {"a": 1}}):
        with pytest.raises(AssertionError):
            check(json.loads(written("json")) | change, schema)
