"""Small models of every stack, in float64, with one output to be explained."""

import torch
from attn_cli.transformer.answer import Asked
from attn_cli.transformer.model import Config, Transformer
from torch import nn

SIZES = {"vocab": 9, "max_len": 8, "d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 12}
STACKS = {
    "encoder": {"stack": "encoder", "norm_first": False},
    "decoder": {"stack": "decoder", "norm": "rms", "n_kv_heads": 1, "positions": "rope"},
    "both": {"stack": "both"},
}


def answer_of(stack, **more):
    torch.manual_seed(0)
    model = Transformer(Config(**SIZES, **STACKS[stack])).double().requires_grad_(False)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    target = torch.tensor([[1, 4, 2]]) if stack == "both" else None
    places, wanted = ((1, 2), (5, 3)) if stack == "both" else ((3,), (5,))
    return Asked(model, torch.tensor([[3, 1, 4, 1]]), places, wanted, None, target, **more)
