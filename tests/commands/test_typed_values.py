"""What is typed becomes a value of the option's kind, or one line that says what to give."""

from typing import Annotated

import pytest
import typer
from attn_cli.commands.io.values import NoSuchValue, read_plainly


def given(argument, kind, **limits):
    """What a command gets for an option that is typed once."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def run(option: Annotated[kind, typer.Option("--n", **limits)] = None):
        return option

    command = typer.main.get_command(app)
    read_plainly(command.params)
    return command.main(["--n", argument], standalone_mode=False)


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("3", int, 3),
        (" -3 ", int, -3),
        ("3.0", int, 3),
        ("3.", int, 3),
        ("1_000", int, 1000),
        ("1e-3", float, 0.001),
        ("2", float, 2.0),
        ("3", str, "3"),
        ("3", list[str], ["3"]),
    ],
)
def test_what_is_typed_is_read(typed, kind, value):
    assert given(typed, kind) == value
    assert type(given(typed, kind)) is type(value)


@pytest.mark.parametrize(
    ("typed", "kind", "limits", "wanted"),
    [
        ("x", int, {}, "a whole number"),
        ("3.5", int, {}, "a whole number"),
        (".0", int, {}, "a whole number"),
        ("9" * 5000, int, {}, "a smaller number"),
        ("x", float, {}, "a number"),
        ("0", int, {"min": 1, "max": 4}, "at least 1"),
        ("5", int, {"min": 1, "max": 4}, "at most 4"),
        ("nan", float, {"min": 0.5}, "at least 0.5"),
    ],
)
def test_what_cannot_be_read_is_answered(typed, kind, limits, wanted):
    with pytest.raises(NoSuchValue) as refused:
        given(typed, kind, **limits)
    assert refused.value.format_message() == f"--n {typed!r}; give {wanted}"
