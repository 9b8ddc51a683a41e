"""keep="vectors": scores, query, key and value of what a program computes, of every way, joined over a cache."""

import attn_cli as attn
import numpy as np
import pytest
import torch
from attn_cli.attention.recorder import record
from attn_cli.errors import InputError
from torch import nn
from torch.nn.functional import scaled_dot_product_attention


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def same(found, expected):
    np.testing.assert_allclose(torch.as_tensor(found).detach(), expected.detach(), atol=1e-6)


def test_grouped_queries_under_a_mask_with_the_program_s_own_scale():
    query, key, value = drawn(2, 4, 3, 8), drawn(2, 2, 3, 8), drawn(2, 2, 3, 5)
    with record(keep="vectors", heads=[1, 3], example=1) as seen:
        scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.5, enable_gqa=True)
    found = seen.attention("abc")
    same(found.query[0], query[1, [1, 3]])
    same(found.key[0], key[1])  # of 4 heads the second reads the first key, the last the second
    same(found.value[0], value[1])
    same(found.scores[0], query[1, [1, 3]] @ key[1].mT / 2)
    same(
        found.weights[0],
        torch.tensor(found.scores[0]).masked_fill(~torch.ones(3, 3).tril().bool(), -torch.inf).softmax(-1),
    )
    same(
        found.weights[0] @ found.value[0],
        scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.5, enable_gqa=True)[
            1, [1, 3]
        ],
    )


@pytest.mark.parametrize("more", [{}, {"add_zero_attn": True, "add_bias_kv": True}, {"kdim": 6, "vdim": 7}])
def test_multihead_attention_gives_its_projected_heads(more):
    torch.manual_seed(0)
    mha = nn.MultiheadAttention(8, num_heads=2, batch_first=True, **more)
    x = drawn(1, 4, 8)
    key, value = (drawn(1, 4, more.get(name, 8)) if more.get(name) else x for name in ("kdim", "vdim"))
    with record(keep="vectors") as seen:
        output, _ = mha(x, key, value, need_weights=False)
    found = seen.attention()
    heads = torch.tensor(found.weights[0] @ found.value[0])  # [head, query, d_head]
    same(mha.out_proj(heads.transpose(0, 1).flatten(1)), output[0])
    same(found.scores[0], torch.tensor(found.query[0] @ found.key[0].swapaxes(1, 2) / 2))


def test_a_cache_is_put_together():
    class Writes(nn.Module):
        def forward(self, query, key):
            return scaled_dot_product_attention(query, key, key)

    model, x = Writes(), drawn(1, 2, 5, 4)
    with torch.no_grad(), record(keep="vectors") as seen:
        model(x[:, :, :3], x[:, :, :3])
        model(x[:, :, 3:4], x[:, :, :4])
        model(x[:, :, 4:5], x[:, :, :5])
    found = seen.attention()
    for part in (found.query, found.key, found.value):
        same(part[0], x[0])
    scores = x[0] @ x[0].mT / 2
    same(
        found.scores[0, :, 3:][found.mask[0, 0, 3:][None].repeat(2, 0)],
        scores[:, 3:][:, torch.tensor(found.mask[0, 0, 3:])].flatten(),
    )
    assert (found.scores[0, :, 0, 3:] == -np.inf).all()


def test_by_hand_only_the_value_is_known_and_other_keeps_hold_none_of_it():
    x = drawn(3, 4)
    for keep in ("vectors", "maps", "rows"):
        with record(keep=keep) as seen:
            torch.softmax(x @ x.mT, dim=-1) @ x
        found = seen.attention()
        assert (found.scores, found.query, found.key) == (None, None, None)
        assert (found.value is not None) == (keep == "vectors")
        same(found.weights[0, 0], (x @ x.mT).softmax(dim=-1))
    with (
        pytest.raises(InputError, match="keep 'all'; give maps, vectors, rows or figures"),
        record(keep="all"),
    ):
        pass


def test_a_saved_recording_shows_its_scores_and_every_step(run, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import torch\nfrom torch.nn.functional import scaled_dot_product_attention as sdpa\n"
        "x = torch.eye(3)[None, None]\nsdpa(x, x, x, is_causal=True)\n"
    )
    done = run("record", "--keep", "vectors", "-o", "run.npz", "mine.py", cwd=tmp_path)
    assert done.code == 0, done.stderr
    shown = run("attend", "run.npz", "--show", "scores", "--format", "tidy", cwd=tmp_path)
    assert shown.code == 0, shown.stderr
    recording = attn.read(tmp_path / "run.npz")
    same(attn.attend(recording, show="scores").shown[0, 0], torch.eye(3) / 3**0.5)
    worked = run("steps", "run.npz", "--cell", "2,1", cwd=tmp_path)
    assert worked.code == 0, worked.stderr
    assert "weights" in worked.stdout
