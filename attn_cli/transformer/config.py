"""What a Transformer is made of: its sizes, and which of the variants each of its parts is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..attention.rules import Rule
from ..errors import InputError

if TYPE_CHECKING:
    from ..records.attention import Kind

Activation = Literal["gelu", "gelu_tanh", "relu", "swiglu"]


@dataclass(frozen=True)
class Config:
    """The sizes of a model, and which of the variants each of its parts is.

    The defaults are those of `train-toy`: a pre-norm encoder with learned positions. Raises InputError when
    a size is less than 1, or heads do not divide what is cut into them.
    """

    vocab: int  # different tokens; of a model for images, channels
    max_len: int
    d_model: int
    n_heads: int
    n_layers: int  # of each stack
    d_ff: int
    stack: Literal["encoder", "decoder", "both"] = "encoder"
    n_kv_heads: int | None = None  # heads of key and value, each shared by a group; None: one for each head
    d_head: int | None = None  # None: d_model / n_heads
    norm: Literal["layer", "rms"] = "layer"
    norm_first: bool = True
    norm_eps: float = 1e-5
    activation: Activation = "gelu"
    positions: str = (
        "learned"  # or a spec of POSENCS, whose table is added, or rope, which turns query and key
    )
    window: int | None = None  # a decoder sees this many tokens, itself included; None: all before
    windowed: tuple[int, ...] | range | None = None  # in these layers alone; None: in all
    scale_by_layer: bool = False  # scores are divided by the number of the layer, counted from 1
    segments: int = 0  # of a pair of sentences: different segment vectors to add
    embedding_norm: bool = False
    patch: int | None = None  # the side of the squares that an image is cut into
    qkv_bias: bool = True
    out_bias: bool = True
    feed_forward_bias: bool = True
    unembedding: Literal["own", "tied", "none"] = "own"
    embedding_scale: bool = False  # tokens enter √d_model times as long as the unembedding has them
    outputs: int | None = None  # different tokens out, where they are others than those in
    dropout: float = 0.0  # share of what a part gives that training leaves out

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout {self.dropout}", hint="give 0 or more, less than 1")
        for name, size in vars(self).items():
            if type(size) is int and size < 1 and name != "segments":
                raise InputError(f"{name} {size}", hint="give at least 1")
        if self.d_head is None and self.d_model % self.n_heads:
            raise InputError(
                f"{self.n_heads} heads do not divide d_model {self.d_model}",
                hint=f"give a d_model that is a multiple of {self.n_heads}",
            )
        if self.n_heads % self.kv_heads:
            raise InputError(f"{self.kv_heads} heads of key and value do not divide {self.n_heads} heads")

    @property
    def head_size(self) -> int:
        """d_head, whether given or not."""
        return self.d_head or self.d_model // self.n_heads

    @property
    def kv_heads(self) -> int:
        """The number of heads of key and value, whether given or not."""
        return self.n_kv_heads or self.n_heads

    def rule(self, kind: Kind, layer: int = 0) -> Rule:
        """What an attention of this kind and layer may see, padding aside, and how it scales its scores.

        >>> config = Config(vocab=9, max_len=9, d_model=4, n_heads=1, n_layers=2, d_ff=4, window=3, windowed=(1,))
        >>> [config.rule("decoder", layer).provenance for layer in (0, 1)]
        ['mask causal', 'mask causal, mask window:size=3']
        """
        scale = self.head_size**-0.5 / (layer + 1) if self.scale_by_layer else None
        return Rule.parse(mask=["causal", *self.near(layer)] if kind == "decoder" else [], scale=scale)

    def near(self, layer: int) -> list[str]:
        """The mask of a layer's window, if it has one."""
        windowed = self.windowed is None or layer in self.windowed
        return [f"window:size={self.window}"] if self.window is not None and windowed else []
