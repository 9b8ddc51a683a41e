"""The JSON of every record is what its schema says, and the schemas know every field."""

import json
from importlib.resources import files as resources

import attn_cli as attn
import numpy as np
import pytest
from attn_cli import files
from attn_cli.files.fields import TYPES
from attn_cli.records.fields import parts

from schemas import check

pytestmark = pytest.mark.filterwarnings("ignore:untrained")

RECORDS = {
    "encoding": lambda: attn.encode("a b", dim=2),
    "position_table": lambda: attn.posenc(len=2, dim=2),
    "attention": lambda: attn.attend(np.eye(3), mask="causal", show="scores"),
}


def schema(name):
    return json.loads(resources("attn_cli.files").joinpath(f"schemas/{name}.json").read_text())


@pytest.mark.parametrize("name", TYPES)
def test_a_record_is_what_its_schema_says(name):
    value = json.loads(b"".join(files.FORMATS["json"](RECORDS[name]())))
    check(value, schema(name))
    with pytest.raises(AssertionError):
        check(value | {"schema_version": 2}, schema(name))


@pytest.mark.parametrize("name", TYPES)
def test_a_schema_knows_every_field(name):
    assert {"type", "schema_version", *parts(TYPES[name])} == set(schema(name)["properties"])


def test_worked_steps_are_what_their_schema_says():
    worked = attn.steps(attn.attend(np.eye(3), mask="causal", show="scores"), cell=(1, 0))
    check(json.loads(b"".join(files.WORKED["json"](worked))), schema("steps"))
