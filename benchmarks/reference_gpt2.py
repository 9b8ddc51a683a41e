"""The weights of all heads of a long text through `transformers`, which gives them as queries × keys, and their means."""

import sys

import torch
from transformers import AutoModel, AutoTokenizer

directory, text, path = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(directory)
model = AutoModel.from_pretrained(directory, attn_implementation="eager").eval()
with open(text, encoding="utf-8") as file:
    inputs = tokenizer(file.read(), return_tensors="pt")
with torch.inference_mode():
    layers = model(**inputs, output_attentions=True, use_cache=False).attentions
torch.save([torch.nn.functional.avg_pool2d(layer, 12) for layer in layers], path)
