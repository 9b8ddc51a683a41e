"""The picture of one layer of a BERT directory, as one would write it with transformers and matplotlib."""

import sys

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from transformers import AutoModel, AutoTokenizer

directory, text, path = sys.argv[1:]
sentence = open(text, encoding="utf-8").read()  # noqa: SIM115

tokenizer = AutoTokenizer.from_pretrained(directory)
model = AutoModel.from_pretrained(directory, attn_implementation="eager").eval()
inputs = tokenizer(sentence, return_tensors="pt")
with torch.inference_mode():
    weights = model(**inputs, output_attentions=True).attentions[5][0]
tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])

figure = Figure(figsize=(16, 12))
FigureCanvasAgg(figure)
axes = figure.subplots(3, 4)
for head, ax in enumerate(axes.flat):
    image = ax.imshow(weights[head], vmin=0, vmax=weights.max())
    ax.set_xticks(range(len(tokens)), tokens, rotation=90)
    ax.set_yticks(range(len(tokens)), tokens)
    ax.set_title(f"head {head}")
figure.colorbar(image, ax=axes)
figure.savefig(path, dpi=150)
