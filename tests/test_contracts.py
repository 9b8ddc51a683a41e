"""What holds for every entry of every registry, whoever adds it: no entry is named here.

A new score, mask, encoding, tokenizer, format or task is tested by having a registry line.
"""

import ast
import importlib
import inspect
import pkgutil

import attn_cli
import numpy as np
import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.files import FORMATS
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import Encoding, PositionTable
from attn_cli.registry import Registry, listed, options, summary, usage
from attn_cli.text.tokenizers import TOKENIZERS
from attn_cli.toy.examples import identity, recipe
from attn_cli.toy.tasks import TASKS, draw
from attn_cli.variants.embeddings import EMBEDDINGS
from attn_cli.variants.masks import MASKS, as_matrix, is_of_vectors
from attn_cli.variants.normalisation import NORMALISATIONS
from attn_cli.variants.posenc import POSENCS, POSITIONS
from attn_cli.variants.projections import PROJECTIONS, Projection
from attn_cli.variants.scores import SCORES


def find_registries():
    """Every registry in the package, so that not even a new kind of variant can be forgotten."""
    modules = pkgutil.walk_packages(attn_cli.__path__, "attn_cli.")
    loaded = [importlib.import_module(m.name) for m in modules if not m.name.endswith("__main__")]
    found = {id(x): x for module in loaded for x in vars(module).values() if isinstance(x, Registry)}
    return sorted(found.values(), key=lambda registry: registry.noun)


REGISTRIES = find_registries()
ENTRIES = [pytest.param(r, name, id=f"{r.noun}-{name}") for r in REGISTRIES for name in r]

# What one may type for an option of each type, and what it must become.
TYPED = {
    "int": ("2", 2),
    "float": ("0.5", 0.5),
    "bool": ("true", True),
    "str": ("text", "text"),
    "tuple[int, ...]": ("1+2", (1, 2)),
    "tuple[float, ...]": ("0.5+2", (0.5, 2.0)),
    "Arrays": ("some.npz", {"W": np.eye(2)}),
}


def typed(parameter):
    """A text for an option and the value that it stands for."""
    annotation = parameter.annotation.removesuffix(" | None")
    if annotation.startswith("Literal["):
        choice = ast.literal_eval(annotation.removeprefix("Literal"))[-1]
        return choice, choice
    return TYPED[annotation]


def spec_of(registry, name):
    """The shortest spec that will do: the name, and what has no default."""
    needed = [
        f"{key}={typed(p)[0]}" for key, p in options(registry[name]).items() if p.default is inspect.Parameter.empty
    ]  # fmt: skip
    return f"{name}:{','.join(needed)}" if needed else name


def each(registry, *, leave_out=lambda function: False):
    """All entries of a registry, ready to be called, for pytest to go through."""
    return pytest.mark.parametrize(
        registry.noun,
        [
            pytest.param(registry.parse(spec_of(registry, name)), id=name)
            for name in registry
            if not leave_out(registry[name])
        ],
    )


# ---- every entry -----------------------------------------------------------------------------------------


def test_the_registries_are_found():
    known = [FORMATS, MASKS, NORMALISATIONS, POSENCS, POSITIONS, PROJECTIONS, SCORES, TASKS, TOKENIZERS]
    assert {id(registry) for registry in known} <= {id(registry) for registry in REGISTRIES}
    assert all(len(registry) for registry in REGISTRIES)


@pytest.mark.parametrize(("registry", "name"), ENTRIES)
def test_the_first_line_of_its_docstring_is_a_line_of_help(registry, name):
    line = summary(registry[name])
    assert 20 <= len(line) <= 100
    assert line.endswith(".")
    assert dict(registry.lines())[usage(name, registry[name])] == line


@pytest.mark.parametrize(("registry", "name"), ENTRIES)
def test_its_docstring_has_an_example(registry, name):
    assert ">>> " in inspect.getdoc(registry[name])


@pytest.mark.parametrize(("registry", "name"), ENTRIES)
def test_each_option_can_be_typed(registry, name):
    for key, parameter in options(registry[name]).items():
        text, value = typed(parameter)
        needed = spec_of(registry, name)
        spec = f"{needed}{',' if ':' in needed else ':'}{key}={text}"
        bound = registry.parse(spec, read_arrays=lambda path: {"W": np.eye(2)}).options[key]
        np.testing.assert_equal(bound, value)


@pytest.mark.parametrize(("registry", "name"), ENTRIES)
def test_its_defaults_read_back_as_they_are_listed(registry, name):
    known = options(registry[name])
    listed = usage(name, registry[name]).partition(":")[2].split(",") if known else []
    assert [item.partition("=")[0] for item in listed] == list(known)
    needed = spec_of(registry, name)
    shown = [item for item in listed if not item.endswith("=…")]
    spec = ",".join([needed if ":" in needed or not shown else f"{needed}:", *shown]).replace(":,", ":")
    bound = registry.parse(spec).options
    for item in shown:
        key = item.partition("=")[0]
        assert bound[key] == known[key].default, item


@pytest.mark.parametrize(("registry", "name"), ENTRIES)
def test_a_misspelt_name_is_answered_with_the_right_one(registry, name):
    with pytest.raises(InputError) as caught:
        registry.parse(f"{name}x")
    assert f"unknown {registry.noun} '{name}x'" in str(caught.value)
    assert listed(f"{name}x", list(registry)) in str(caught.value)
    assert f"did you mean {name!r}?" in str(caught.value)


@pytest.mark.parametrize(("registry", "name"), ENTRIES)
def test_a_misspelt_option_is_answered_with_the_right_one(registry, name):
    known = options(registry[name])
    for key in known or ["size"]:
        with pytest.raises(InputError) as caught:
            registry.parse(f"{name}:{key}x=1")
        assert f"{registry.noun} {name!r} has no option '{key}x'" in str(caught.value)
        if known:
            assert ", ".join(known) in str(caught.value)
            assert f"did you mean {key!r}?" in str(caught.value)


# ---- scores, positions, normalisations: what streaming relies on -----------------------------------------


def vectors(*shape, dtype=torch.float64):
    generator = np.random.default_rng(len(shape))
    return torch.tensor(generator.normal(size=shape), dtype=dtype)


@each(SCORES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_score_of_heads_is_a_number_for_each_pair(score, dtype):
    raw = score(vectors(2, 3, 5, 4, dtype=dtype), vectors(2, 3, 7, 4, dtype=dtype))
    assert raw.shape == (2, 3, 5, 7)
    assert raw.dtype == dtype
    assert raw.isfinite().all()


@each(SCORES)
def test_a_block_of_scores_is_a_part_of_the_whole(score):
    query, key = vectors(3, 5, 4), vectors(3, 7, 4)
    whole, block = score(query, key), score(query[:, 1:4], key[:, 2:])
    torch.testing.assert_close(block, whole[:, 1:4, 2:], rtol=0, atol=1e-12)


@each(POSITIONS)
def test_a_block_of_scores_with_positions_is_a_part_of_the_whole(position):
    query, key, at = vectors(3, 6, 4), vectors(3, 6, 4), torch.arange(6)
    whole = position(SCORES["dot"], query, key, at, at)
    block = position(SCORES["dot"], query[:, 1:4], key[:, 2:], at[1:4], at[2:])
    assert whole.shape == (3, 6, 6)
    assert whole.isfinite().all()
    torch.testing.assert_close(block, whole[:, 1:4, 2:], rtol=0, atol=1e-12)


@each(NORMALISATIONS)
def test_keys_that_are_not_permitted_get_nothing_and_change_nothing(normalisation):
    scores = vectors(2, 3, 5)
    forbidden = torch.full((2, 3, 2), -torch.inf, dtype=scores.dtype)
    weights = normalisation(torch.cat([scores, forbidden], dim=-1))
    assert (weights[..., 5:] == 0).all()
    assert (weights >= 0).all()
    torch.testing.assert_close(weights[..., :5], normalisation(scores), rtol=0, atol=1e-15)


@each(NORMALISATIONS)
def test_a_higher_score_never_gets_less_weight(normalisation):
    scores = vectors(2, 3, 5).sort(dim=-1).values
    assert (normalisation(scores).diff(dim=-1) >= 0).all()
    assert normalisation(scores * 1000).isfinite().all()


# ---- masks -----------------------------------------------------------------------------------------------


@each(MASKS, leave_out=is_of_vectors)
@pytest.mark.parametrize(("n_query", "n_key"), [(1, 1), (4, 4), (2, 9), (9, 2)])
def test_a_mask_is_boolean_and_the_same_from_numpy_and_torch(mask, n_query, n_key):
    query, key = torch.arange(n_key - n_query, n_key)[:, None], torch.arange(n_key)[None, :]
    with_torch = mask(query, key)
    assert with_torch.dtype == torch.bool
    assert as_matrix(mask, n_query, n_key).dtype == bool
    assert with_torch.expand(n_query, n_key).tolist() == as_matrix(mask, n_query, n_key).tolist()


@each(MASKS, leave_out=lambda mask: not is_of_vectors(mask))
def test_a_mask_of_vectors_is_boolean_and_has_every_head(mask):
    allowed = mask(vectors(3, 5, 4), vectors(3, 7, 4))
    assert allowed.dtype == torch.bool
    assert allowed.expand(3, 5, 7).shape == (3, 5, 7)


# ---- text, vectors, positions ----------------------------------------------------------------------------

TEXTS = [
    "The animal didn't cross.",
    "注意力机制让模型看。",
    "a\nb\r\n c\td",
    "😀 [/red] $\\frac{$ </script>",
    "e\u0301",
]


@each(TOKENIZERS)
@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_tokens_are_the_text_in_order(tokenizer, text):
    tokens = tokenizer(text)
    assert tokens
    assert all(tokens)
    assert "".join("".join(tokens).split()) == "".join(text.split())


@each(TOKENIZERS)
def test_a_line_break_is_a_space_and_no_text_has_no_tokens(tokenizer):
    assert tokenizer("one\ntwo") == tokenizer("one two")
    assert tokenizer("") == []


@each(EMBEDDINGS)
def test_a_token_has_one_vector(embedding):
    vectors = embedding(["a", "力", "a"], 5, 0)
    assert vectors.shape == (3, 5)
    assert vectors.dtype == np.float64
    assert np.isfinite(vectors).all()
    assert (vectors[0] == vectors[2]).all()
    assert (vectors[0] != vectors[1]).any()
    assert (embedding(["a", "力", "a"], 5, 0) == vectors).all()
    assert len(embedding(["a"], None, 0)) == 1


@each(EMBEDDINGS)
def test_an_embedding_of_no_width_is_refused(embedding):
    with pytest.raises(InputError):
        embedding(["a"], 0, 0)


@each(PROJECTIONS)
def test_a_projection_gives_the_widths_that_heads_want(projection):
    made, again = (projection(6, 6, 6, 6, 1) for _ in range(2))
    assert isinstance(made, Projection)
    for name in ("W_q", "W_k", "W_v"):
        matrix = getattr(made, name)
        assert matrix is None or matrix.shape == (6, 6)
        np.testing.assert_equal(getattr(again, name), matrix)


@each(POSENCS, leave_out=lambda posenc: "file" in options(posenc))  # which has a size of its own
@pytest.mark.parametrize(("seq_len", "dim"), [(1, 1), (1, 2), (7, 7), (7, 8), (3, 130)])
def test_a_table_of_positions_is_finite_and_of_the_size_asked_for(posenc, seq_len, dim):
    try:
        table = posenc(seq_len, dim)
    except InputError:
        if dim % 2 == 0:
            raise
        return  # rope turns pairs of numbers
    assert table.shape == (seq_len, dim)
    assert table.dtype == np.float64
    assert np.isfinite(table).all()


@each(POSENCS)
@pytest.mark.parametrize(("seq_len", "dim"), [(0, 2), (2, 0)])
def test_a_table_of_nothing_is_refused(posenc, seq_len, dim):
    with pytest.raises(InputError):
        posenc(seq_len, dim)


# ---- files and tasks -------------------------------------------------------------------------------------

TOKENS = ("a\tb", "注", "</script>")
RECORDS = [
    Encoding(TOKENS, np.eye(3), "made up"),
    Attention(
        TOKENS, TOKENS, np.full((1, 1, 3, 3), 1 / 3), provenance="made up"
    ),  # one head: .npy holds no more
    PositionTable("sinusoidal", np.eye(3)),
]


@each(FORMATS)
@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_format_gives_the_same_bytes_each_time(format, record):  # noqa: A002
    first = b"".join(format(record))
    assert first
    assert b"".join(format(record)) == first


@each(TASKS)
def test_an_example_says_where_to_look_and_repeats_with_its_seed(task):
    for seed in range(20):
        example, again = (task(np.random.default_rng(seed)) for _ in range(2))
        assert example.source == again.source
        assert example.target == again.target
        assert all(isinstance(token, str) and token for token in [*example.source, *example.written])
        if example.expected is not None:
            assert example.expected.shape == (len(example.target), len(example.source))
            assert example.expected.dtype == bool
        if recipe(task).stack != "both":
            assert len(example.target) == len(example.source)


@each(TASKS)
def test_no_example_is_both_trained_on_and_held_out(task):
    dataset = draw(task, 500, seed=0)
    assert not {identity(e) for e in dataset.train} & {identity(e) for e in dataset.held_out}
