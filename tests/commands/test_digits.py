"""How many digits numbers have: as many as they have for machines, a few for people, or what --digits says."""

import re

import pytest
from attn_cli.commands.io.environment import Environment

ATTEND = ("attend", "--text", "a b", "--embed", "onehot", "-q")
OF = {
    ATTEND: {None: "0.6697615493266569", "2": "0.67", "0": "0.6697615493266569"},  # 1 / (1 + exp(-1 / √2))
    ("encode", "--text", "a", "--dim", "1", "-q"): {None: "-1.9936186001976504", "3": "-1.99"},
    ("posenc", "--len", "2", "--dim", "2"): {None: "0.8414709848078965", "3": "0.841", "0": "0.8414709848"},
    ("posenc", "--view", "wavelengths", "--dim", "2"): {None: "6.283185307179586", "2": "6.3"},
    ("stats", "--text", "a b", "--model", "none", "--embed", "onehot", "-q"): {"3": "0.634"},
}


@pytest.mark.parametrize(("command", "digits", "number"), [
    (command, digits, number) for command, said in OF.items() for digits, number in said.items()
])  # fmt: skip
def test_a_pipe_gets_all_digits_or_those_asked_for(run, command, digits, number):
    done = run(*command, *(() if digits is None else ("--digits", digits)))
    assert done.code == 0, done.stderr
    assert number in done.stdout
    exact = len(number) > 8
    assert exact or not re.search(r"\d\.\d{9}", done.stdout)


@pytest.mark.parametrize("form", ["md", "tex"])
def test_tables_for_a_document_have_four_or_those_asked_for(run, form):
    assert "0.6698" in run(*ATTEND, "--format", form).stdout
    assert "0.67 " in run(*ATTEND, "--format", form, "--digits", "2").stdout
    assert "0.6697615493266569" in run(*ATTEND, "--format", form, "--digits", "0").stdout
    assert "$" not in run(*ATTEND, "--format", form).stdout


def test_a_terminal_too(run, monkeypatch):
    monkeypatch.setattr(Environment, "to_terminal", property(lambda self: True))
    for digits, number in (
        ((), " 0.6698 "),
        (("--digits", "2"), " 0.67 "),
        (("--digits", "0"), "0.6697615493"),
    ):
        assert number in run(*ATTEND, *digits).stdout.replace("\n", " \n")
    assert re.search(r" 0\.63? ", run(*next(c for c in OF if c[0] == "stats"), "--digits", "2").stdout)


@pytest.mark.parametrize(
    ("given", "name"), [(("-o", "x.png"), "png"), (("--format", "json"), "json"), (("-o", "no/x.npz"), "npz")]
)
def test_formats_for_machines_refuse_them_before_anything_is_read(run, given, name):
    done = run("attend", "no-such-file", "--digits", "3", *given)
    said = f"attn: error: --digits does not apply to {name}; write tsv, csv, tidy, md or tex\n"
    assert (done.code, done.stderr) == (2, said)
