"""Families that have something else in place of softmax attention over tokens, and what that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ...text.escaping import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...records.attention import Kind

_STATES = "has no attention: a state is passed on from token to token"
_WINDOWS = "attends within windows of patches that shift and merge, not over one set of tokens"
_SHRUNK = "attends from all patches to fewer, and merges them from stage to stage"
_CONVOLUTIONS = "has no attention: it is made of convolutions"
_SOUND = "hears sounds in another way than Whisper, which is the one that attn reads"
# By model_type of config.json.
_INSTEAD = {
    **dict.fromkeys(("rwkv", "mamba", "mamba2", "falcon_mamba", "xlstm"), _STATES),
    **dict.fromkeys(("swinv2", "maskformer-swin", "donut-swin", "maxvit", "dinat", "hiera", "levit"), _WINDOWS),
    **dict.fromkeys(("pvt", "pvt_v2", "segformer", "glpn", "cvt", "mobilevit", "mobilevitv2", "swiftformer"), _SHRUNK),
    **dict.fromkeys(
        ("convnext", "convnextv2", "resnet", "regnet", "bit", "efficientnet", "focalnet", "poolformer", "mobilenet_v1",
         "mobilenet_v2", "hgnet_v2", "dinov3_convnext", "textnet"), _CONVOLUTIONS),
    **dict.fromkeys(("bros", "udop"), "reads words together with the boxes that they have on a page"),
    "fnet": "mixes tokens by Fourier transforms, without weights",
    "reformer": "attends within chunks of tokens that are hashed alike (LSH), not over all of them",
    "nystromformer": "attends through a few landmarks (Nyström), without a weight for each query and key",
    "yoso": "samples attention by hashing (Bernoulli), without a softmax",
    "mra": "attends at several resolutions in blocks, without a weight for each query and key",
    "canine": "attends over characters that are merged four by four on the way",
    "funnel": "merges tokens from layer to layer, so that its maps are of different sizes",
    "perceiver": "attends from a fixed set of latent vectors, not from tokens",
    "squeezebert": "gives its scores through transformers, before the softmax, and not its weights",
    "vit_mae": "hides three of four patches at random, and attends over the rest",
    "vision-encoder-decoder": "reads an image with one family and writes with another (as TrOCR and Donut do)",
    "speech-encoder-decoder": _SOUND,
    **dict.fromkeys(
        ("wav2vec2", "wav2vec2-bert", "wav2vec2-conformer", "hubert", "wavlm", "sew", "sew-d", "unispeech",
         "unispeech-sat", "data2vec-audio", "speech_to_text", "speecht5", "audio-spectrogram-transformer",
         "clvp", "encodec", "mimi", "moonshine", "parakeet_encoder"), _SOUND),
}  # fmt: skip
_HINT = "models with softmax attention over tokens are read"
# Of encoder–decoders, what is not read of some kinds of attention.
_KINDS: dict[str, dict[Kind, str]] = {
    "longt5": {"encoder": "attends within blocks of neighbours, without a weight for each query and key"},
    "prophetnet": {
        "encoder": "is given by transformers as scores, before the softmax",
        "cross": "is of several tokens to come at once",
    },
}
# Of models with two towers, what their image tower does.
_TOWERS = {"siglip2": "takes patches of an image of any shape, cut beforehand, not those of a square"}


def refuse(config: Mapping[str, Any], title: str) -> None:
    """Raise InputError for a family that no reading gives attention weights of, in a sentence that says why.

    >>> refuse({"model_type": "rwkv"}, "Rwkv")
    Traceback (most recent call last):
    attn_cli.errors.InputError: Rwkv has no attention: a state is passed on from token to token; models with \
softmax attention over tokens are read
    """
    if what := instead(config):
        raise InputError(f"{title} {what}", hint="give a Whisper" if what == _SOUND else _HINT)


def instead(config: Mapping[str, Any]) -> str | None:
    """What a model does instead of softmax attention over tokens; None where nothing of the kind is known."""
    return _INSTEAD.get(str(config.get("model_type")))


def instead_of_text(taken: str) -> str:
    """What a model does that takes something else than tokens, by the name of what it takes.

    >>> instead_of_text("pixel_values"), instead_of_text("input_features")
    ('looks at images; give it one', 'hears sounds; give it one, a .wav')
    """
    if taken == "pixel_values":
        return "looks at images; give it one"
    sounds = taken in ("input_values", "input_features")
    return "hears sounds; give it one, a .wav" if sounds else f"reads {escape(taken)}, no text"


def instead_of_images(model_type: str) -> str:
    """What a model does with an image that is not cut into the same squares for all layers."""
    return _TOWERS.get(model_type, "does not look at the same patches in all layers")


def refuse_reading(config: Any, title: str, kind: Kind, n_tokens: int) -> None:
    """Raise InputError for a kind of attention that is not read, or a length from which on a model attends in blocks."""
    kinds = _KINDS.get(config.model_type, {})
    if kind in kinds:
        others = [one for one in ("encoder", "decoder", "cross") if one not in kinds]
        raise InputError(
            f"the {kind} attention of {title} {kinds[kind]}", hint=f"give --kind {' or '.join(others)}"
        )
    if kind == "encoder" and (most := _sparse_beyond(config)) is not None and n_tokens > most:
        raise InputError(
            f"{n_tokens:,} tokens: beyond {most:,} {title} attends to blocks chosen at random (block_sparse)",
            hint='give a shorter text, or write "attention_type": "original_full" in its config.json',
        )


def limits(config: Any) -> list[str]:
    """What of a model that is read is not."""
    kinds = _KINDS.get(config.model_type, {})
    not_read = [f"not its {' and '.join(kinds)} attention"] if kinds else []
    most = _sparse_beyond(config)
    return not_read if most is None else [f"at most {most:,} tokens, beyond which it attends in blocks"]


def _sparse_beyond(config: Any) -> int | None:
    """The number of tokens beyond which BigBird attends in blocks; up to it, to all."""
    if getattr(config, "attention_type", None) != "block_sparse":
        return None
    return int((5 + 2 * config.num_random_blocks) * config.block_size)
