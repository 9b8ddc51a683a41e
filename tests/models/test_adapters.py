"""LoRA adapters natively: the merged model is the base whose matrices were added to by hand."""

import json
import shutil

import numpy as np
import pytest
import torch
from attn_cli import models
from attn_cli.errors import InputError
from safetensors.torch import load_file, save_file
from test_huggingface import saved
from test_model_directories import wordpiece

TEXT = "the cat sat, the embedding"
# Of each family: the part that an adapter changes, its size [out, in], whether the base saves it [in, out].
PARTS = {
    "bert": ("bert.encoder.layer.1.attention.self.query", (24, 24), False),
    "llama": ("model.layers.0.self_attn.v_proj", (12, 24), False),
    "gpt2": ("transformer.h.1.attn.c_attn", (72, 24), True),
}


def adapter(directory, part, size, *, rank=2, **config):
    """A random adapter as `peft` saves one."""
    directory.mkdir()
    normal = torch.Generator().manual_seed(0)
    A, B = torch.randn(rank, size[1], generator=normal), torch.randn(size[0], rank, generator=normal)
    name = f"base_model.model.{part}"
    save_file(
        {f"{name}.lora_A.weight": A, f"{name}.lora_B.weight": B}, directory / "adapter_model.safetensors"
    )
    told = {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": 3,
        "base_model_name_or_path": "org/base",
        "bias": "none",
    }
    (directory / "adapter_config.json").write_text(json.dumps(told | config))
    return A, B


def merged_by_hand(base, part, added, to):
    """The same base with a matrix added to one of its own."""
    shutil.copytree(base, to)
    tensors = load_file(to / "model.safetensors")
    name = next(name for name in tensors if f"{part}.weight".endswith(name))
    tensors[name] = tensors[name] + added
    save_file(tensors, to / "model.safetensors")
    return to


@pytest.mark.parametrize("where", ["beside", "inside"])
@pytest.mark.parametrize("name", PARTS)
def test_the_merged_model_is_read(tmp_path, name, where):
    part, size, turned = PARTS[name]
    base = wordpiece(saved(tmp_path / "base", name))
    A, B = adapter(tmp_path / "lora", part, size, fan_in_fan_out=turned)
    added = 3 / 2 * B @ A
    expected = merged_by_hand(base, part, added.T if turned else added, tmp_path / "merged")
    if where == "inside":
        for path in base.iterdir():
            shutil.copy(path, tmp_path / "lora")
        shutil.rmtree(base)
    model = models.load(str(tmp_path / "lora"))
    found = model.attend(TEXT)
    np.testing.assert_allclose(found.weights, models.load(str(expected)).attend(TEXT).weights, atol=1e-6)
    assert "with the adapter lora" in found.provenance
    if where == "beside":
        assert np.abs(found.output - models.load(str(base)).attend(TEXT).output).max() > 1e-3


@pytest.mark.parametrize(
    ("config", "scale"),
    [({"use_rslora": True}, 3 / 2**0.5), ({"alpha_pattern": {"query": 8}}, 4), ({"lora_alpha": 16}, 8)],
)
def test_how_much_is_added(tmp_path, config, scale):
    part, size, _ = PARTS["bert"]
    base = wordpiece(saved(tmp_path / "base", "bert"))
    A, B = adapter(tmp_path / "lora", part, size, **config)
    expected = merged_by_hand(base, part, scale * B @ A, tmp_path / "merged")
    found, wanted = (models.load(str(one)).attend(TEXT).weights for one in (tmp_path / "lora", expected))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_base_is_found_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    snapshot = tmp_path / "hub" / "models--org--base" / "snapshots" / "x"
    snapshot.parent.mkdir(parents=True)
    shutil.copytree(wordpiece(saved(tmp_path / "made", "bert")), snapshot)
    part, size, _ = PARTS["bert"]
    adapter(tmp_path / "lora", part, size)
    assert models.load(str(tmp_path / "lora")).provenance.startswith("BERT: org/base with the adapter lora")


@pytest.mark.parametrize(
    ("config", "part", "size", "message"),
    [
        ({"peft_type": "IA3"}, *PARTS["bert"][:2], 'this adapter is of type "IA3", only LORA is supported'),
        ({"use_dora": True}, *PARTS["bert"][:2], "this adapter uses use_dora, which is not supported"),
        ({"bias": "all"}, *PARTS["bert"][:2], "this adapter has its own biases, which are not supported"),
        ({}, "bert.nothing", (24, 24), "the adapter changes 'bert.nothing', which its base has not"),
        ({}, PARTS["bert"][0], (24, 23), r"do not fit bert.encoder.layer.1.attention.self.query \[24, 24\]"),
        (
            {"base_model_name_or_path": "org/other"},
            *PARTS["bert"][:2],
            "the adapter's base model org/other is neither",
        ),
        ({"base_model_name_or_path": None}, *PARTS["bert"][:2], "no base_model_name_or_path"),
        ({"base_model_name_or_path": "../../../base"}, *PARTS["bert"][:2], None),
    ],
)
def test_adapters_that_are_not_read(tmp_path, monkeypatch, config, part, size, message):
    """A path outside is never followed: only its last part counts, beside the adapter."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    wordpiece(saved(tmp_path / "base", "bert"))
    adapter(tmp_path / "lora", part, size, **config)
    if message is None:
        assert "base with the adapter" in models.load(str(tmp_path / "lora")).provenance
        return
    with pytest.raises(InputError, match=message):
        models.load(str(tmp_path / "lora"))


def test_damaged_adapters(tmp_path):
    wordpiece(saved(tmp_path / "base", "bert"))
    adapter(tmp_path / "lora", *PARTS["bert"][:2])
    weights = tmp_path / "lora" / "adapter_model.safetensors"
    for content, message in (
        (b"\xff" * 64, "adapter_model.safetensors: not whole"),
        (None, "no adapter_model.safetensors in it"),
    ):
        weights.unlink(missing_ok=True)
        if content:
            weights.write_bytes(content)
        with pytest.raises(InputError, match=message):
            models.load(str(tmp_path / "lora"))
    save_file({"x": torch.zeros(1)}, weights)
    with pytest.raises(InputError, match="an unknown tensor 'x'"):
        models.load(str(tmp_path / "lora"))


def test_what_an_adapter_is_is_told_with_its_base(tmp_path):
    wordpiece(saved(tmp_path / "base", "bert"))
    adapter(tmp_path / "lora", *PARTS["bert"][:2])
    described = models.describe(str(tmp_path / "lora"))
    assert (described["family"], described["adapter"]) == ("BERT", "LoRA of 1 weights, r 2")
    adapter(tmp_path / "dora", *PARTS["bert"][:2], use_dora=True)
    assert models.describe(str(tmp_path / "dora"))["adapter"].startswith(
        "not read: this adapter uses use_dora"
    )
