"""The commands as a shell sees them: streams, exit codes, one-line errors, and what the environment may not change."""

import json
import os
import pty
import subprocess
import sys

import numpy as np
import pytest
from attn_cli.commands.io.environment import Environment

ATTN = [sys.executable, "-m", "attn_cli"]
HAND = "samples/by-hand"


def table(text):
    """A TSV as its header and its rows."""
    header, *rows = (line.split("\t") for line in text.splitlines())
    return header, rows


def numbers(text, labels):
    return np.array([row[labels:] for row in table(text)[1]], float)


# ---- the numbers of the issue, from the command line ------------------------------------------------


def test_query_key_value_by_hand(run):
    files = [f"--{name}={HAND}/{name[0].upper()}.csv" for name in ("query", "key", "value")]
    weights = [[0.489394989, 0.510605011], [0.475271454, 0.524728546]]
    output = [[0.902121002, 1.002121002], [0.904945709, 1.004945709]]
    np.testing.assert_allclose(numbers(run("attend", *files).stdout, 4), weights, rtol=0, atol=1e-9)
    shown = run("attend", *files, "--show", "output").stdout
    np.testing.assert_allclose(numbers(shown, 2), output, rtol=0, atol=1e-9)


def test_transformer_is_powerful(run):
    weights = [
        [0.263784231, 0.297785973, 0.438429796],
        [0.188272877, 0.309331531, 0.502395592],
        [0.125066175, 0.226674206, 0.648259619],
    ]
    positions = f"--posenc={HAND}/powerful-positions.csv"
    result = run("attend", f"{HAND}/powerful.txt", f"--embed={HAND}/powerful.vec", positions)
    assert table(result.stdout)[0][4:] == ["0:Transformer", "1:is", "2:powerful"]
    np.testing.assert_allclose(numbers(result.stdout, 4), weights, rtol=0, atol=1e-9)


# ---- what flows through a pipe ----------------------------------------------------------------------


def test_a_pipeline_gives_what_the_steps_through_files_give(run, tmp_path):
    e, a, x = (str(tmp_path / name) for name in ("e.tsv", "a.tsv", "x.png"))
    run("encode", "samples/sentence.txt", "-o", e)
    run("attend", e, "--heads", "4", "-o", a)
    run("heatmap", a, "-o", x)
    encoded = run("encode", "samples/sentence.txt").stdout
    attended = run("attend", "--heads", "4", stdin=encoded).stdout
    y = str(tmp_path / "y.png")
    run("heatmap", "-o", y, stdin=attended)
    assert (tmp_path / "y.png").read_bytes() == (tmp_path / "x.png").read_bytes()
    assert (tmp_path / "e.tsv").read_text() == encoded
    assert (tmp_path / "a.tsv").read_text() == attended


def test_show_chooses_the_table_and_json_holds_all(run):
    source = ("attend", "--text", "a b", "--mask", "causal")
    weights, scores = (numbers(run(*source, "--show", show).stdout, 4) for show in ("weights", "scores"))
    record = json.loads(run(*source, "--show", "scores", "--format", "json").stdout)
    assert weights[0].tolist() == [1, 0]
    assert np.array(record["weights"])[0, 0].tolist() == weights.tolist()
    assert np.array(record["scores"])[0, 0].tolist() == scores.tolist()
    assert (scores != 0).all()


def test_cross_attention_has_the_tokens_of_the_context_as_keys(run, tmp_path):
    (tmp_path / "context.txt").write_text("x y z")
    header, rows = table(run("attend", "--text", "a b", "--context", str(tmp_path / "context.txt")).stdout)
    assert header[4:] == ["0:x", "1:y", "2:z"]
    assert [row[3] for row in rows] == ["a", "b"]


def test_lines_are_one_sequence_everywhere(run):
    for command in ("encode", "attend"):
        broken, joined = (run(command, "--text", text).stdout for text in ("one\ntwo", "one two"))
        assert broken == joined


def test_named_arrays_are_query_key_value(run, tmp_path):
    np.savez(tmp_path / "qkv.npz", query=np.eye(2), key=np.eye(2) * 2, value=np.ones((2, 3)))
    assert numbers(run("attend", str(tmp_path / "qkv.npz"), "--show", "output").stdout, 2).shape == (2, 3)


def test_a_mask_file(run, tmp_path):
    (tmp_path / "mask.csv").write_text("1,0\n1,1\n")
    shown = run("attend", "--text", "a b", "--mask", str(tmp_path / "mask.csv")).stdout
    assert shown == run("attend", "--text", "a b", "--mask", "causal").stdout


# ---- pictures ---------------------------------------------------------------------------------------


def test_heatmap_names_its_picture_after_its_input(run, tmp_path):
    (tmp_path / "my text.txt").write_text("a b c")
    result = run("heatmap", "my text.txt", cwd=tmp_path)
    assert result.stdout == "my text.png\n"
    assert (tmp_path / "my text.png").read_bytes().startswith(b"\x89PNG")
    assert result.stderr == ""


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_suffix_chooses_the_format_and_bytes_repeat(run, tmp_path, suffix, start):
    for name in ("a", "b"):
        run("heatmap", "samples/sentence-zh.txt", "-o", str(tmp_path / f"{name}.{suffix}"))
    first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert first.startswith(start)
    assert first == second


def test_untrained_is_said_in_the_picture(run, tmp_path):
    untrained = ("heatmap", "--text", "a b", "--model", "untrained")
    saved = run(*untrained, "--format", "json")
    assert "untrained" in saved.stderr
    assert "untrained" in json.loads(saved.stdout)["provenance"]
    run(*untrained, "-o", str(tmp_path / "x.json"))
    assert (tmp_path / "x.json").read_text() == saved.stdout


def test_options_of_vectors_do_not_change_the_model_unsaid(run):
    result = run("heatmap", "--text", "a b", "--score", "dot")
    assert result.stderr == (
        "attn: error: --score does not apply to --model mini; give --model none or untrained too, or leave it out\n"
    )


def test_heatmap_of_a_bare_matrix(run, tmp_path):
    (tmp_path / "w.csv").write_text("0.5,0.5\n0,1\n")
    assert (
        numbers(run("heatmap", "--weights", str(tmp_path / "w.csv"), "--format", "tsv").stdout, 4)[1, 1] == 1
    )


# ---- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "no command 'nope'; the commands are encode, attend"),
        (["heatmpa"], "did you mean 'heatmap'?"),
        (["attend", "--hads", "2"], "No such option: --hads"),
        (["attend", "--heads", "two"], "--heads 'two'; give a whole number"),
        (["attend", "missing.txt"], "missing.txt: no such file; check its name and folder\n"),
        (
            ["heatmap", "The cat sat."],
            "The cat sat.: no such file; if it is the text itself, put --text before it\n",
        ),
        (
            ["heatmap", "a cat. " * 99],
            "a cat. : no such file; if it is the text itself, put --text before it\n",
        ),
        (["encode", "我爱你"], "我爱你: no such file; if it is the text itself, put --text before it\n"),
        (["attend", "--text", "a", "--heads", "3"], "3 heads do not divide d_model 64"),
        (
            ["attend", "--text", "a", "--show", "wights"],
            "unknown --show 'wights'; give weights, scores, norms, gradients, zeroing, alti or output",
        ),
        (["attend", "--text", "a", "--mask", "casual"], "did you mean 'causal'?"),
        (["attend", "--text", "a", "--mask", "window:sise=3"], "did you mean 'size'?"),
        (["attend", "--text", "a", "--mask", "window:size=x"], "'x' is not a whole number"),
        (["attend", "--text", "a", "--model", "nowhere"], "nowhere"),
        (["attend", "--text", "a", "x.txt"], "INPUT 'x.txt' cannot be combined with --text"),
        (["attend", "--text", "a", "--show", "output", "-o", "x.png"], "an encoding has no picture"),
        (["attend", "--text", "a", "--seed", "-1"], "--seed"),
        (["attend", "--text", "a", "--scale", "1e308"], "scores overflow this dtype"),
        (
            ["attend", "--query", f"{HAND}/Q.csv", "--model", "x"],
            "--query, --key, --value cannot be combined with --model; leave --model out",
        ),
        (["attend", "--key", f"{HAND}/K.csv"], "--key or --value without --query"),
        (["encode", "--text", "a", "--tokenizer", "wrod"], "did you mean 'word'?"),
        (["encode", "--text", " \n "], "the text contains no token"),
        (["encode", "--text", "a", "-o", "x.png"], "an encoding has no picture"),
        (["encode", "--text", "a", "-o", "x.xyz"], "xyz"),
        (["posenc", "--len", "0"], "--len"),
        (["posenc", "sinusiodal"], "did you mean 'sinusoidal'?"),
        (["attend", "--text", "a", "--color", "pink"], "give auto, always or never"),
    ],
)
def test_an_error_is_one_line_and_exit_2(run, tmp_path, arguments, message):
    result = run(*arguments)
    assert result.code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("attn: error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_options_that_could_have_no_effect_are_refused(run):
    saved = run("attend", "--text", "a b", "--format", "json").stdout
    result = run("heatmap", "--heads", "2", stdin=saved)
    assert result.code == 2
    assert "--heads does not apply to saved attention" in result.stderr


def test_attn_alone_shows_its_help(run):
    assert run().stdout == run("--help").stdout
    assert run().stdout.startswith("Usage: attn")
    assert run().code == 0


def test_a_file_name_cannot_act_on_the_terminal(run):
    assert run("attend", "a\x1b[31m.txt").stderr.startswith("attn: error: a\\u001b[31m.txt: no such file")


def test_debug_shows_the_traceback_and_nothing_else_does(run):
    debugged = run("attend", "missing.txt", "--debug")
    assert "Traceback" in debugged.stderr
    assert debugged.code == 2
    assert "Traceback" not in run("attend", "missing.txt").stderr


def test_a_failed_run_leaves_the_previous_output(run, tmp_path):
    (tmp_path / "x.tsv").write_text("precious")
    assert run("attend", "--text", "a", "--heads", "3", "-o", str(tmp_path / "x.tsv")).code == 2
    assert (tmp_path / "x.tsv").read_text() == "precious"
    assert os.listdir(tmp_path) == ["x.tsv"]


# ---- streams ----------------------------------------------------------------------------------------


def test_a_reader_that_leaves_early_is_no_error(warm):
    command = f"{warm} posenc --len 5000 --dim 64 | head -1 | cut -c 1-3; echo ${{PIPESTATUS[@]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("pos\n0 0 0\n", "")


@pytest.mark.parametrize(
    "arguments", ["--help", "attend --help", "--version", "attend --mask help", "models"]
)
def test_a_reader_that_left_before_the_first_line_is_no_error(warm, arguments):
    """Typer prints help by itself, and ended with 1."""
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run([warm, *arguments.split()], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", [["posenc"], ["--help"], ["attend", "--mask", "help"], ["--version"]])
def test_a_full_disk_is_exit_2_and_one_line(warm, arguments):
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [warm, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 2
    assert result.stderr.startswith("attn: error: standard output: no space left")
    assert result.stderr.count("\n") == 1


def test_a_closed_stdout_is_exit_2():
    result = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m attn_cli posenc >&-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("attn: error: standard output")


def test_quiet_silences_remarks_but_not_errors(run, tmp_path):
    assert run("heatmap", "--text", "a", "-q", cwd=tmp_path).stderr == ""
    assert run("-q", "heatmap", "--text", "a", cwd=tmp_path).stderr == ""
    assert run("attend", "missing.txt", "-q").stderr.startswith("attn: error: ")


def test_empty_standard_input_is_one_line(run):
    result = run("attend", stdin="")
    assert result.code == 2
    assert result.stderr.startswith("attn: error: standard input")


def on_terminal(*command, encoding="utf-8", **environment):
    """Run with a terminal as standard input and output; what it shows, and the exit code."""
    leader, follower = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    variables |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "80", **environment}
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=variables)
    os.close(follower)
    shown = b""
    while True:
        try:
            if not (part := os.read(leader, 65536)):
                break
        except OSError:  # the other end is gone
            break
        shown += part
    os.close(leader)
    return shown.decode(encoding).replace("\r\n", "\n"), process.wait()


@pytest.mark.parametrize("command", ["encode", "attend", "heatmap", "train-toy"])
def test_nothing_to_read_on_a_terminal_shows_the_help_at_once(warm, command):
    shown, code = on_terminal(warm, command)
    assert code == 2
    assert shown.startswith(f"Usage: attn {command}")


def test_options_without_a_task_are_not_answered_with_the_help(warm):
    shown, code = on_terminal(warm, "train-toy", "--steps", "5")
    assert (code, shown) == (2, "attn: error: no TASK; give one of those that attn train-toy --list shows\n")


def test_a_terminal_gets_a_table_and_a_picture(warm, tmp_path, monkeypatch):
    shown, code = on_terminal(warm, "attend", "--text", "注意 力")
    assert code == 0
    assert "注" in shown
    assert "\t" not in shown
    monkeypatch.chdir(tmp_path)
    shown, code = on_terminal(warm, "heatmap", "--text", "注意 力", "-q")
    assert code == 0
    assert "\x1b[48;2;" in shown
    assert shown.endswith("attention.png\n")


def test_no_color_and_color_never(warm, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for shown, _ in (
        on_terminal(warm, "heatmap", "--text", "a b", "-q", NO_COLOR="1"),
        on_terminal(warm, "heatmap", "--text", "a b", "-q", "--color", "never"),
    ):
        assert "38;2;" not in shown
        assert "48;" not in shown


def test_force_color_shows_the_picture_in_a_pipe(run, tmp_path, monkeypatch):
    assert "\x1b[" in run("heatmap", "--text", "a b", "--color", "always", cwd=tmp_path).stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("heatmap", "--text", "a b", cwd=tmp_path).stdout
    monkeypatch.delenv("FORCE_COLOR")
    assert "\x1b[" not in run("attend", "--text", "a b", "--color", "always").stdout


HOSTILE = ["[/red]", r"$\frac{$", "\x1b[31m", "</script>", "注意力", "😀", "\u202e", "%s", "{x}", "a" * 300]


def test_hostile_tokens_in_every_output(run, tmp_path):
    text = " ".join(HOSTILE)
    result = run("attend", "--text", text, "--tokenizer", "whitespace")
    assert result.code == 0
    assert "\x1b" not in result.stdout
    record = json.loads(run("attend", "--text", text, "--tokenizer", "whitespace", "--format", "json").stdout)
    assert record["query_tokens"] == HOSTILE
    whole, pieces = ("--model", "untrained", "--tokenizer", "whitespace"), ("--too-long", "truncate")
    every = [(suffix, whole) for suffix in ("png", "svg", "pdf", "md", "tex", "html")]
    for suffix, options in [*every, ("svg", pieces), ("html", pieces)]:
        result = run("heatmap", "--text", text, *options, "-q", "-o", str(tmp_path / f"x.{suffix}"))
        assert (result.code, result.stderr) == (0, ""), suffix


def test_hostile_tokens_cannot_move_the_cursor(warm, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in ("attend", "heatmap", "encode"):
        shown, code = on_terminal(warm, command, "--text", "\x1b[2J \x1b]8;;http://x\x07 [/red]")
        assert code == 0
        assert "\x1b[2J" not in shown
        assert "\x1b]8" not in shown


# ---- the environment changes nothing ----------------------------------------------------------------


NOWHERE = {"HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent"}


ENVIRONMENTS = (
    {
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "MPLBACKEND": "module://no_such_backend",
        **NOWHERE,
    },
    {"PYTHONIOENCODING": "gbk", "MPLBACKEND": "TkAgg"},
)


def test_the_environment_changes_nothing(run, tmp_path):
    """A whole run in the first; in each what is printed and drawn, of a saved record, for which torch is not loaded."""
    record, plain, again = (tmp_path / name for name in ("x.npz", "plain.png", "again.png"))
    attend, encode = (
        (command, "samples/sentence-zh.txt", "-q", "--format", "tsv") for command in ("attend", "encode")
    )
    printed = {command: run(*command) for command in (attend, encode)}
    run("attend", "samples/sentence-zh.txt", "-q", "-o", str(record))
    assert run("heatmap", str(record), "-q", "-o", str(plain)).code == 0
    for environment, command in zip(ENVIRONMENTS, (attend, encode), strict=True):
        assert run(*command, env=environment) == printed[command]
        drawn = run("heatmap", str(record), "-q", "-o", str(again), env=environment)
        assert (drawn.code, drawn.stderr) == (0, "")
        assert again.read_bytes() == plain.read_bytes()


def test_a_matplotlibrc_in_the_folder_changes_nothing(run, tmp_path):
    (tmp_path / "matplotlibrc").write_text("figure.facecolor: red\nno.such.key: 1\n")
    bare = tmp_path / "bare"
    bare.mkdir()
    for folder in (tmp_path, bare):
        assert run("heatmap", "--text", "a b", "-q", "-o", "x.png", cwd=folder).code == 0
    assert (tmp_path / "x.png").read_bytes() == (bare / "x.png").read_bytes()


def test_a_gbk_terminal_shows_what_it_can(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("attend", "--text", "注意 😀", "-q", "-o", "x.npz", cwd=tmp_path)
    shown, code = on_terminal(*ATTN, "heatmap", "x.npz", encoding="gbk", PYTHONIOENCODING="gbk", COLORTERM="")
    assert code == 0
    assert "注" in shown


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_text_in_any_common_encoding(run, tmp_path, encoding):
    (tmp_path / "s.txt").write_bytes("注意力机制\r\n让模型看".encode(encoding))
    result = run("encode", str(tmp_path / "s.txt"), "--embed", "onehot")
    assert [row[1] for row in table(result.stdout)[1]] == list("注意力机制让模型看")
    said = {"utf-16": "UTF-16", "gb18030": "GB18030"}.get(encoding)
    note = f"attn: note: {tmp_path / 's.txt'}: read as {said}; --encoding sets it\n"
    assert result.stderr == (note if said else "")


# ---- several inputs -------------------------------------------------------------------------------------


def test_each_line_is_read_by_itself(run, tmp_path):
    (tmp_path / "s.txt").write_text("the cat\n\nit sat down\n")
    tables = run("attend", "s.txt", "--lines", "--embed", "onehot", cwd=tmp_path).stdout.split("layer\t")[1:]
    assert [table.splitlines()[0].split("\t")[3:] for table in tables] == [
        ["0:the", "1:cat"],
        ["0:it", "1:sat", "2:down"],
    ]
    done = run("heatmap", "s.txt", "--lines", "-q", cwd=tmp_path)
    assert done.stdout.split() == ["s-1.png", "s-2.png"]
    done = run("encode", "s.txt", "--lines", "--embed", "onehot", "-o", "x.npz", cwd=tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["x-1.npz", "x-2.npz"]


def test_an_option_that_says_nothing_to_the_model_of_several_texts(run):
    done = run("heatmap", "--text", "a b", "--text", "b c", "--embed", "onehot")
    said = "--embed does not apply to a model; give --model none or untrained too, or leave it out"
    assert done.stderr == f"attn: error: {said}\n"


def test_each_picture_is_called_as_its_own_input(run, tmp_path):
    (tmp_path / "more").mkdir()
    for name in ("a.txt", "b.txt", "more/a.txt", "c-attention.txt", "c.txt"):
        (tmp_path / name).write_text("a\nb\n")
    (tmp_path / "c.png").write_bytes(b"a photograph")

    def drawn(*given):
        done = run("heatmap", *given, "--model", "none", "--embed", "onehot", "-q", cwd=tmp_path)
        assert done.code == 0, done.stderr
        return done.stdout.split()

    assert drawn("a.txt", "b.txt") == ["a.png", "b.png"]
    assert drawn("a.txt", "b.txt", "more/a.txt") == ["a-1.png", "b.png", "a-2.png"]
    assert drawn("a.txt", "b.txt", "--lines") == ["a-1.png", "a-2.png", "b-1.png", "b-2.png"]
    assert drawn("--text", "a b", "--text", "b c") == ["attention-1.png", "attention-2.png"]
    # what is no picture of attn's stays, and so does what was drawn just before
    assert drawn("c.txt", "c-attention.txt") == ["c-attention.png", "c-attention-2.png"]
    assert (tmp_path / "c.png").read_bytes() == b"a photograph"


def test_several_texts_are_one_page_with_a_picker(run, tmp_path):
    (tmp_path / "s.txt").write_text("the cat\n\nit sat down\n")
    for command, output in (("heatmap", ("-o", "x.html")), ("attend", ("--format", "html"))):
        done = run(command, "s.txt", "--lines", "--model", "none", *output, cwd=tmp_path)
        document = done.stdout or (tmp_path / "x.html").read_text()
        assert [name in document for name in ('"s.txt:1: the cat"', '"s.txt:3: it sat down"')] == [True] * 2
        assert done.stderr.count("untrained") == 1  # what is true of all is said once
    assert [path.name for path in tmp_path.glob("*.html")] == ["x.html"]


def test_of_two_texts_or_two_files_none_is_dropped(run, tmp_path):
    (tmp_path / "a.txt").write_text("a b")
    (tmp_path / "b.txt").write_text("c")
    for given in (("--text", "a b", "--text", "c"), ("a.txt", "b.txt")):
        done = run("attend", *given, "--embed", "onehot", cwd=tmp_path)
        assert done.stdout.count("layer\t") == 2
    done = run("steps", "a.txt", "b.txt", cwd=tmp_path)
    assert (done.code, done.stderr) == (2, "attn: error: 2 inputs, but this command reads one; give one\n")


@pytest.mark.parametrize("command", ["encode", "attend"])
def test_on_a_terminal_each_of_several_texts_stands_over_its_table(run, monkeypatch, tmp_path, command):
    monkeypatch.setattr(Environment, "to_terminal", True)
    (tmp_path / "t.txt").write_text("the cat\n\na dog\n")
    shown = run(command, "t.txt", "--lines", "--dim", "2", cwd=tmp_path).stdout.splitlines()
    assert [line for line in shown if line.startswith("t.txt")] == ["t.txt:1: the cat", "t.txt:3: a dog"]
    assert shown[0].startswith("t.txt")
    assert shown[shown.index("t.txt:3: a dog") - 1] == ""
    assert "t.txt" not in run(command, "t.txt", "--dim", "2", cwd=tmp_path).stdout


def test_pooling_that_changes_nothing_is_told(run):
    assert "--pool max has no effect" in run("attend", "--text", "a b", "--pool", "max").stderr


def test_help_is_a_word_too(run):
    assert run("help").stdout == run("--help").stdout
    assert run("help", "mask").stdout == run("mask", "--help").stdout


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            ("explain", "t.txt", "--mask", "causal"),
            "attn explain has no option --mask, which attend, heatmap,",
        ),
        (("explain", "t.txt", "--maks", "causal"), "No such option: --maks"),
        (("lab", "list"), "no command 'list'; attn lab by itself lists what there is"),
        (("attend", "t.txt", "-o", "a b/c.tsv"), "a b/c.tsv: no such folder; make it: mkdir -p 'a b'"),
        (("heatmap", "--text", " "), "the text contains no token; give at least one word"),
        (("explain", "--text", " "), "the text contains no token; give at least one word"),
        (
            ("attend", "headed.csv"),
            "column 1 holds 'a', expected a number; give numbers alone: no header line",
        ),
        (
            ("attend", "two.tsv"),
            "two.tsv:3: a second table begins here; write each table into a file of its own",
        ),
        (("heatmap", "--weights", "t.txt"), "t.txt: holds text, not weights; leave --weights out"),
        (
            ("heatmap", "--weights", "w.csv", "--tokens", "a,b"),
            "a,b: no such file; put the tokens into a file",
        ),
    ],
)
def test_what_many_try_first_is_answered(run, tmp_path, typed, said):
    (tmp_path / "t.txt").write_text("the cat")
    (tmp_path / "w.csv").write_text("0.5,0.5\n0.1,0.9\n")
    (tmp_path / "headed.csv").write_text("a,b\n1,2\n3,4\n")
    table = "layer\thead\tquery_pos\tquery\t0:a\n0\t0\t0\ta\t1.0\n"
    (tmp_path / "two.tsv").write_text(table + table.replace("0:a", "0:a\t1:b"))
    done = run(*typed, cwd=tmp_path)
    assert (done.code, said in done.stderr) == (2, True), done.stderr


def test_the_marks_of_a_chinese_keyboard_are_plain_ones(run):
    options = ("--text", "小猫坐着", "--heads", "4", "--dim", "8", "-q")
    plain = run(
        "attend", *options, "--mask", "window:size=3,ahead=1", "--head", "0,2", "--query-range", "0:2"
    )
    wide = run(
        "attend", *options, "--mask", "window：size=3，ahead=1", "--head", "0，2", "--query-range", "0：2"
    )
    assert plain.stdout == wide.stdout
    assert plain.stdout.count("\n") == 5


@pytest.mark.parametrize("command", [("heatmap", "-o", "both.html"), ("attend", "-o", "both.csv")])
def test_several_saved_attentions_go_through_no_model(run, tmp_path, command):
    for name in ("a.json", "b.npz"):
        assert run("attend", "--text", "a b", "--dim", "4", "-o", name, "-q", cwd=tmp_path).code == 0
    done = run(*command, "a.json", "b.npz", cwd=tmp_path)
    assert done.code == 0, done.stderr
    refused = run(*command, "a.json", "b.npz", "--model", "mini", cwd=tmp_path)
    assert "--model mini reads text, not a saved attention" in refused.stderr


def test_a_page_of_ours_is_no_text(run, tmp_path):
    run("attend", "--text", "a b", "--dim", "4", "-o", "a.json", "-q", cwd=tmp_path)
    for name in ("a.html", "a.svg"):
        assert run("heatmap", "a.json", "-o", name, cwd=tmp_path).code == 0
        refused = run("heatmap", name, "-o", "b.png", cwd=tmp_path)
        assert f"{name}: is a picture that attn drew, not text; give what it was drawn from" in refused.stderr
