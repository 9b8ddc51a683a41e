"""The table that stats, diff, explain and check give: checked when it is made, plain when it is read."""

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.records.table import Table


def test_rows_hold_plain_values_and_none_where_there_is_no_number():
    table = Table(
        {"head": np.arange(2), "max": np.array([0.5, np.nan]), "role": ["", "sink"], "ok": [True, False]}
    )
    assert list(table.rows()) == [
        {"head": 0, "max": 0.5, "role": "", "ok": True},
        {"head": 1, "max": None, "role": "sink", "ok": False},
    ]
    assert len(table) == 2
    assert repr(table) == "Table: 2 rows × head max role ok"


def test_a_column_is_found_by_name_and_a_misspelt_one_is_answered():
    table = Table({"entropy": [0.5]}, units={"entropy": "nats"})
    assert table["entropy"].tolist() == [0.5]
    with pytest.raises(InputError, match="no column 'entropie'; there are entropy; did you mean 'entropy'"):
        table["entropie"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": [1, 2], "b": [1]}, "columns of different lengths: a 2, b 1; give each a cell per row"),
        ({"a": np.eye(2)}, r"column 'a' \[2, 2\] of float64, expected a value per row"),
        ({"a": np.array([1j])}, "column 'a' .* of complex128"),
        ({}, "columns of different lengths: none"),
    ],
)
def test_what_is_no_column_is_refused(columns, said):
    with pytest.raises(InputError, match=said):
        Table(columns)


def test_a_unit_belongs_to_a_column():
    with pytest.raises(InputError, match="a unit for 'b', which is no column"):
        Table({"a": [1]}, units={"b": "nats"})
    assert Table({"a": [1], "b": [2]}, units={"a": "nats", "b": "tokens"}).only(["b"]).units == {
        "b": "tokens"
    }
