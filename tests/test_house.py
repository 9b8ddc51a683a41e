"""The house rules: which way imports run, what each command loads, and what may be committed."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import attn_cli
import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "attn_cli"
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the ground up. A module may import from lower floors and from its own package, nothing else;
# `errors` lies under everything. See CONTRIBUTING.md.
FLOORS = [
    {"errors"},
    {"registry"},
    {"text"},
    {"records"},
    {"variants"},
    {"attention"},
    {"transformer"},
    {"render", "files", "models", "toy", "interpret", "lab"},
    {"sources"},
    {"commands"},
    {"cli", "api"},
    {"__main__", "__init__"},
]
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
HEAVY = {"torch", "matplotlib", "tokenizers", "safetensors", "rich", "transformers", "PIL", "pydantic"}


def room(path):
    """The file or folder directly under attn_cli that a module belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@functools.cache
def tree_of(path):
    """What Python reads in a file; every rule asks for it, so it is read once."""
    return ast.parse(path.read_text())


@functools.cache
def nodes_of(path):
    return tuple(ast.walk(tree_of(path)))


def inside(nodes):
    """What lies within some nodes, as a set of ids."""
    return {id(inner) for node in nodes for inner in ast.walk(node)}


def for_types(path):
    """What stands below `if TYPE_CHECKING`."""
    return inside(n for n in nodes_of(path) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test))


def module_of(node, path):
    """What `from … import` names, with its dots spelt out."""
    package = ["attn_cli", *path.relative_to(PACKAGE).parts[:-1]]
    base = package[: len(package) - node.level + 1] if node.level else []
    return ".".join([*base, *filter(None, [node.module])])


@functools.cache
def imports(path):
    """(module, whether it is imported when this file is) for every import, relative ones made absolute."""
    late = inside(n for n in nodes_of(path) if isinstance(n, ast.FunctionDef)) | for_types(path)
    found = []
    for node in nodes_of(path):
        now = id(node) not in late
        if isinstance(node, ast.Import):
            found += [(alias.name, now) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = module_of(node, path)
            if module in ("attn_cli", "attn_cli.render", "attn_cli.files", "attn_cli.lab"):
                found += [(f"{module}.{alias.name}", now) for alias in node.names]
            else:
                found.append((module, now))
    return found


def within_package(path):
    return str(path.relative_to(PACKAGE))


def climbing(path):
    """Imports from the same floor or from above."""
    here = room(path)
    names = {module.split(".")[1] for module, _ in imports(path) if module.startswith("attn_cli.")}
    for there in sorted(names & set(HEIGHT) - {here}):
        if HEIGHT[there] >= HEIGHT[here]:
            yield f"{within_package(path)} imports {there}"


def test_imports_run_one_way():
    assert not [line for path in MODULES for line in climbing(path)]


@functools.cache
def within(path):
    """The modules of attn_cli that a file imports, now or late, but for type checkers alone."""
    typing, found = for_types(path), set()
    for node in nodes_of(path):
        if isinstance(node, ast.ImportFrom) and id(node) not in typing:
            module = module_of(node, path)
            inner = (f"{module}.{alias.name}" for alias in node.names)
            found |= {name if name in FILES else module for name in inner}
    return found


def named(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {named(path): path for path in MODULES}
ROOMS = sorted({parent for path in MODULES for parent in path.parents if PACKAGE in parent.parents})
LARGE = [folder for folder in ROOMS if len(list(folder.rglob("*.py"))) > 10]


@pytest.mark.parametrize("folder", LARGE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_make_no_circle_inside_a_large_room(folder):
    """What imports nothing that is left is taken away, floor by floor; a circle stays."""
    left = {named(path): within(path) - {named(path)} for path in folder.rglob("*.py")}
    while lowest := {name for name, needs in left.items() if not needs & set(left)}:
        left = {name: needs for name, needs in left.items() if name not in lowest}
    assert not left, f"a circle among {sorted(left)}"


def test_few_files_lie_beside_the_folders():
    assert {path.stem for path in PACKAGE.glob("*.py")} == {
        "__init__", "__main__", "api", "cli", "errors", "registry"
    }  # fmt: skip


def test_every_room_has_a_floor():
    assert {room(path) for path in MODULES} <= set(HEIGHT)


LIGHT = {"cli", "commands", "files", "records", "registry", "errors", "text", "variants"}
# What computes with torch beside what does not: `--help` must not wait for it.
TORCH = {
    "variants/scores.py",
    "variants/normalisation.py",
    "variants/parameters.py",
    "variants/posenc/inside.py",
}


def test_heavy_libraries_are_imported_late():
    light = [path for path in MODULES if room(path) in LIGHT and within_package(path) not in TORCH]
    assert len(light) > 100
    now = {
        within_package(path): {m.split(".")[0] for m, at_once in imports(path) if at_once} for path in light
    }
    assert not {name: loaded & HEAVY for name, loaded in now.items() if loaded & HEAVY}


def test_pyplot_is_never_imported():
    found = [(within_package(path), module) for path in MODULES for module, _ in imports(path)]
    assert len(found) > 1000
    assert not [pair for pair in found if pair[1].startswith("matplotlib.pyplot")]


def loaded_by(*arguments, stdin=b"", cwd=ROOT):
    """The modules that a command has loaded when it ends."""
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        f"sys.argv[1:] = {list(map(str, arguments))}\n"
        "from attn_cli.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], input=stdin, capture_output=True, cwd=cwd, check=True)
    return set(done.stderr.decode().splitlines()[-1].split())


def test_help_loads_next_to_nothing():
    assert not loaded_by("--help") & (HEAVY | {"numpy", "attn_cli.sources", "attn_cli.commands.attend"})
    assert not loaded_by("heatmap", "--help") & (HEAVY | {"numpy"})


def test_posenc_and_encode_load_neither_torch_nor_matplotlib():
    assert not loaded_by("posenc", "--len", 4, "--dim", 4) & HEAVY
    assert not loaded_by("encode", "--text", "a b") & HEAVY


def test_a_picture_from_mini_does_not_load_what_compiles(tmp_path):
    """An operation on a model without storage loads it, which takes two seconds."""
    assert "torch._dynamo" not in loaded_by("heatmap", "--text", "a b", "-o", tmp_path / "x.png")


@pytest.mark.parametrize(("first", "documented"), [("attn_cli.cli", False), ("attn_cli.api", True)])
def test_matplotlib_comes_without_its_documentation_to_commands_alone(first, documented):
    code = (
        f"import sys, {first}, attn_cli.render.figure.backend as backend\n"
        "print('sketch_params' in (backend.Figure.set.__doc__ or ''))\n"
        "from matplotlib.artist import Artist\n"
        "class Mine(Artist): pass\n"
        "assert 'sketch_params' in Mine.set.__doc__\n"
        "assert backend.mpl.dviread.Dvi"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(documented)]


def test_drawing_saved_records_does_not_load_torch(tmp_path, run):
    saved = [tmp_path / f"x.{name}" for name in ("json", "npz", "tsv", "safetensors")]
    for path in saved:
        run("attend", "--text", "a b", "-o", str(path))
    loaded = loaded_by("heatmap", *saved, "-o", tmp_path / "x.png")
    assert "torch" not in loaded
    assert "matplotlib.pyplot" not in loaded


def test_judging_against_a_saved_attention_does_not_load_torch(tmp_path, run):
    key = str(tmp_path / "key.npz")
    run("attend", "--text", "a b", "-o", key)
    assert "torch" not in loaded_by("check", key, "--against", key)
    (tmp_path / "mask.csv").write_text("1,0\n1,1\n")
    assert "torch" not in loaded_by("check", tmp_path / "mask.csv", "--mask", "causal")


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so nothing is tracked")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_nothing_large_is_tracked_but_the_font_and_the_bundled_model():
    large = {str(p.relative_to(ROOT)) for p in tracked() if p.stat().st_size > 1_000_000}
    assert large <= {"attn_cli/render/fonts/data/NotoSansSC.ttf", "attn_cli/models/mini/model.safetensors"}


def test_no_path_of_one_machine_is_tracked():
    marks = ("/" + "home/", "/" + "Users/", "/" + "root/")
    for path in tracked():
        if path.suffix in (".py", ".md", ".toml", ".txt", ".js", ".css", ".html", ""):
            assert not any(mark in path.read_text(errors="replace") for mark in marks), path


def too_long(path):
    """Functions of more than 60 lines; of api.py the signatures are the documentation: there what is done counts."""
    api = path.name == "api.py"
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef):
            begins = node.body[1 if ast.get_docstring(node) else 0].lineno if api else node.lineno
            if node.end_lineno - begins > 60:
                yield f"{within_package(path)}: {node.name} is too long to read at once"


def undocumented(path):
    """Public functions, classes and methods without a docstring."""
    tree = tree_of(path)
    members = (member for node in tree.body if isinstance(node, ast.ClassDef) for member in node.body)
    for node in (*tree.body, *members):
        public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if public and node.name != "forward" and not ast.get_docstring(node):
            yield f"{within_package(path)}: {node.name}: no docstring"


def test_functions_are_short_and_public_ones_documented():
    assert not [path for path in MODULES if path.stem in ("utils", "helpers", "common")]
    assert not [line for path in MODULES for line in (*too_long(path), *undocumented(path))]


def test_the_changelog_knows_this_version():
    assert f"## {attn_cli.__version__}" in (ROOT / "CHANGELOG.md").read_text()
