"""A model that `train-toy` has trained, with what it takes to use it and to say what it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from ...attention.layers import record as record_of
from ...errors import InputError, note, warn
from ...text.escaping import escape
from ...text.pieces import unmarked
from ...text.tokenizers import no_panic, whitespace
from ...transformer.capture import Capture, layers_of
from ...transformer.decoding import greedy, most_written
from ...transformer.intervening import NOTHING, Intervention
from ...transformer.writing import Writer, write
from ...variants.sampling import sampling_of
from ..continuing import Continued, Spelling, answered, choice, continued
from ..native.text import Tokenised, tokenise
from ..native.vocabulary import spelling_of
from ..precision import as_wanted
from ..reading import WHOLE, Reading
from ..showing import Side, sides_of
from .asking import asked
from .listening import listen
from .seeing import look_at
from .tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from torch import Tensor

    from ...records.attention import Attention, Kind
    from ...transformer.model import Transformer
    from ..asking import Meant

END = "[end]"  # what a decoder writes last


@dataclass(frozen=True, eq=False)
class Run:
    """A trained model of a run directory, or the bundled one."""

    title: str  # "train-toy reverse", or the name of a bundled model
    model: Transformer
    vocabulary: tuple[str, ...]  # of what goes in; empty for pictures
    seed: int
    learned: str  # how well: "exact match 99.5 %"
    attends: Kind  # the attention that is shown where none is asked for
    outputs: tuple[str, ...] = ()  # the vocabulary of what comes out, where that is another
    starts: tuple[str, ...] = ()  # what a decoder may read first: one token for each language that it writes
    sides: str = ""  # of two languages: for each token the one in which it is more frequent, 0 or 1
    tokenizer: Any = None  # None: tokens stand between spaces
    longest: int | None = None  # source in training, in tokens; None where nobody wrote it down

    @property
    def sees(self) -> bool:
        """Whether it looks at pictures, grey or coloured; a spectrogram has many more channels."""
        return not self.vocabulary and self.model.config.vocab in (1, 3) and self.longest is not None

    @property
    def hears(self) -> bool:
        """Whether it hears sounds: spectra of many frequencies."""
        return not self.vocabulary and self.model.config.vocab > 3 and self.longest is not None

    @property
    def provenance(self) -> str:
        """The task, the size, the seed and how well it learned."""
        config = self.model.config
        layers = f"{config.n_layers} + {config.n_layers}" if config.stack == "both" else str(config.n_layers)
        return f"{self.title}, {layers} layers × {config.n_heads} heads, seed {self.seed}, {self.learned}"

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of attention that the model has, first the one to show."""
        there: dict[str, list[Kind]] = {"both": ["encoder", "decoder", "cross"]}
        kinds = there.get(self.model.config.stack, [self.attends])
        return sorted(kinds, key=lambda kind: kind != self.attends)

    @torch.no_grad()
    def attend(self, text: Any, reading: Reading = WHOLE) -> Attention:
        """The attention of the wanted kind and layers to a text; an encoder–decoder writes what is not given.

        Raises InputError when the model does not know a token, or the text is empty or too long.
        """
        if self.sees:
            return look_at(self, text, reading)
        if self.hears:
            return listen(self, text, reading)
        reading.refuse_image(text, "this run")
        self._refuse(reading)
        kind, layers = reading.chosen_kind(self.kinds), reading.chosen(self.model.config.n_layers)
        reading = replace(reading, intervention=self._done(kind, reading))
        if self.model.config.stack != "both" or (kind == "encoder" and reading.target is None):
            pieces = self._pieces(text, reading)
            self._tell_unknown(pieces)
            self._tell_longer(pieces)
            sources = [torch.tensor([one.numbers]) for one in pieces]
            side = Side([label for piece in pieces for label in piece.labels], text=text)
            went_on = None
            if reading.generate is not None:
                went_on = self._go_on(pieces[0], text, reading)
                sources = [torch.tensor([went_on.piece.numbers])]
                side = Side(went_on.piece.labels, text=went_on.text)
            return self._without_target(sources, side, layers, kind, reading, went_on)
        source = self.read(text, reading)
        self._tell_unknown([source])
        self._tell_longer([source])
        numbers = torch.tensor([source.numbers])
        start = self._start(source.numbers)
        said = ""
        if reading.target is None:
            target, said = self._write(numbers, start, self._done(kind, reading))
        else:
            target = self.read(reading.target, reading)
            self._tell_unknown([target])
        shown = self.look(numbers, Side(source.labels, text=text), layers, kind, target, start, reading)
        return replace(shown, provenance=shown.provenance + said)

    __call__ = attend  # attn.load("runs/reverse")("3 1 4 1 5")

    def asked(self, text: str, reading: Reading = WHOLE, toward: Any = None) -> Meant:
        """One output for a text, to be explained; see `runs/asking.py`."""
        return asked(self, text, reading, toward, END)

    def look(
        self,
        source: Tensor,
        side: Side,
        layers: Collection[int],
        kind: Kind,
        target: Tokens | None = None,
        start: str = "",
        reading: Reading = WHOLE,
    ) -> Attention:
        """One kind of attention while the model reads a source, and writes a target if it is given."""
        if target is None or kind == "encoder":
            return self._without_target([source], side, layers, kind, reading)
        model, capture = as_wanted(self.model, reading), Capture(layers, self._done(kind, reading))
        written = self._shifted(target, start).to(model.device)
        model.hidden(source.to(model.device), None, capture, target=written, depth=max(layers) + 1)
        captured = [[one for one in capture.layers if one.part.kind == kind]]
        edge, text = [True], self.join(target) if reading.target is None else reading.target
        ordinary = [False] * len(target.labels)
        queries = keys = Side([start, *target.labels], edge + ordinary, text)
        said = self.provenance
        if kind == "cross":
            queries, keys = Side([*target.labels, END], ordinary + edge, text), side
            said += "; a row for each token while it is written"
        n, who = len(queries.labels), target.writer
        likely = None if who is None else answered(kind, who, self._spelling, n)
        sides, wanted = sides_of(queries, keys, kind, said, reading, likely)
        return record_of(layers_of(captured), sides, wanted=wanted, norms=reading.norms)

    def _without_target(
        self,
        sources: Sequence[Tensor],
        side: Side,
        layers: Collection[int],
        kind: Kind,
        reading: Reading,
        went_on: Continued | None = None,
    ) -> Attention:
        """The attention of the one stack that reads, to a source or to pieces that do not see each other."""
        model, captured = as_wanted(self.model, reading), []
        for source in sources:
            capture, given = Capture(layers, self._done(kind, reading)), source.to(model.device)
            if model.config.stack == "both":
                model.encoder(model.embed(given), attend=capture, depth=max(layers) + 1)
            else:
                model.hidden(given, attend=capture, depth=max(layers) + 1)
            captured.append(capture.layers)
        said = "" if len(sources) == 1 else f", in {len(sources)} pieces that do not see each other"
        said, beside = (said, None) if went_on is None else (went_on.said, went_on.beside)
        sides, wanted = sides_of(side, side, kind, self.provenance + said, reading, beside)
        return record_of(layers_of(captured), sides, wanted=wanted, norms=reading.norms)

    def _go_on(self, given: Tokens, text: str, reading: Reading) -> Continued:
        """The text and what a decoder writes after it."""
        n = len(given.numbers)
        choose = choice(reading, n, self.model.config.max_len)
        ends = [number for number, name in enumerate(self.vocabulary) if name == END]
        done = self._done("decoder", reading)
        model = as_wanted(self.model, reading)
        writer = write(model, given.numbers, choose, reading.generate or 0, ends, done)
        read = Tokenised(given.numbers, given.labels, [0] * n, [False] * n)
        return continued(read, text, writer, self._spelling)

    @property
    def _spelling(self) -> Spelling:
        if self.tokenizer is not None:
            return spelling_of(self.tokenizer)
        names = dict(enumerate(self.outputs or self.vocabulary))
        return Spelling(lambda numbers: "".join(f" {names[n]}" for n in numbers), names.get, frozenset())

    def _done(self, kind: Kind, reading: Reading) -> Intervention:
        """What is done to attentions of the kind that is shown; others, if there are, have layers of the same numbers."""
        done = reading.intervention or NOTHING
        done.check(self.model.config.n_layers, self.model.config.n_heads)
        return replace(done, kind=kind if len(self.kinds) > 1 else None)

    # ---- text to tokens and back ----

    def read(self, text: str, reading: Reading = WHOLE) -> Tokens:
        """A text cut into tokens that the model knows.

        Raises InputError when there is none, one is unknown, or there are too many.
        """
        if reading.too_long == "chunk":
            raise InputError(
                "--too-long chunk does not apply to decoder or cross-attention",
                hint="give --too-long truncate",
            )
        return self._pieces(text, reading, in_pieces=False)[0]

    def _pieces(self, text: str, reading: Reading, *, in_pieces: bool = True) -> list[Tokens]:
        """The text as the model takes it: in one piece, unless pieces were asked for."""
        if not self.vocabulary:
            raise InputError(
                "this run was trained on sound and has no text input", hint="see its attention.png"
            )
        if self.tokenizer is not None:
            longest = self.model.config.max_len
            pieces = tokenise(self.tokenizer, text, reading, longest, in_pieces=in_pieces)
            return [Tokens(piece.numbers, piece.labels) for piece in pieces]
        labels = [part for token in whitespace(text) for part in self._parts(token)]
        return [Tokens(self._numbers(labels), labels)]

    def _tell_unknown(self, pieces: Sequence[Tokens]) -> None:
        """Say what the model cannot tell apart, as the picture calls it by the characters that it stands for."""
        if self.tokenizer is None or not (name := getattr(self.tokenizer.model, "unk_token", None)):
            return
        lost = self.tokenizer.token_to_id(name)
        read = [pair for piece in pieces for pair in zip(piece.numbers, piece.labels, strict=True)]
        if unknown := list(dict.fromkeys(label for number, label in read if number == lost)):
            note(f"the model does not know {_listed(unknown)}; it reads {name} there")

    def _tell_longer(self, pieces: Sequence[Tokens]) -> None:
        """Warn where a text is longer than any in training: what it does there it has not learned."""
        n = max(len(piece.numbers) for piece in pieces)
        if self.longest is not None and n > self.longest:
            warn(f"{n} tokens, and the longest text in training had {self.longest}: more was not learned")

    def _write(self, source: Tensor, start: str, done: Intervention) -> tuple[Tokens, str]:
        """What the model writes while this is done to it, and what the provenance says of that.

        A mask over what is written has its size only once all of it is: there the intact model writes.
        """
        intact = bool(done.masks.masks) and done.kind != "encoder"
        target = self.generate(source, start, NOTHING if intact else done)
        said, text = f"greedy output{' of the intact model' * intact}", escape(self.join(target))
        note(f"{said}: {text}")
        return target, f', {said} "{text}"'

    def generate(self, source: Tensor, start: str, done: Intervention = NOTHING) -> Tokens:
        """What the model itself makes of a source: the most probable token, one after the other."""
        out = self.outputs or self.vocabulary
        longest = most_written(source.shape[-1], self.model.config.max_len)
        starts = torch.tensor([out.index(start)])
        writer = Writer(sampling_of(None))
        (numbers,) = greedy(
            self.model, source, None, starts, out.index(END), longest, Capture((), done), writer
        )
        return Tokens(numbers, list(unmarked(out[number] for number in numbers)), writer)

    def join(self, tokens: Tokens) -> str:
        """Tokens as a text again."""
        if self.tokenizer is None:
            return " ".join(tokens.labels)
        with no_panic():
            return str(self.tokenizer.decode(tokens.numbers))

    def _shifted(self, target: Tokens, start: str) -> Tensor:
        """What the decoder reads while it writes a target: each token a place later, the start before all."""
        first = (self.outputs or self.vocabulary).index(start)
        return torch.tensor([[first, *target.numbers]])

    def _start(self, source: Sequence[int]) -> str:
        """What to write: of two languages the one that the source is not in."""
        if not self.sides:
            return self.starts[0]
        right = sum(self.sides[number] == "1" for number in source)
        return self.starts[0 if 2 * right > len(source) else 1]

    def _parts(self, token: str) -> list[str]:
        """A token, or where the model knows only its characters, these."""
        return [token] if token in self.vocabulary or not set(token) <= set(self.vocabulary) else list(token)

    def _numbers(self, tokens: Sequence[str]) -> list[int]:
        if not tokens:
            raise InputError(
                "the text contains no token", hint=f"give some of {self._known()}, with spaces between"
            )
        number = {token: i for i, token in enumerate(self.vocabulary)}
        if unknown := [token for token in dict.fromkeys(tokens) if token not in number]:
            raise InputError(
                f"the model does not know {_listed(unknown)}",
                hint=f"it was trained on {self._known()}, with spaces between",
            )
        if len(tokens) > (longest := self.model.config.max_len):
            raise InputError(
                f"{len(tokens)} tokens, the model reads at most {longest}", hint="give a shorter text"
            )
        return [number[token] for token in tokens]

    def _known(self) -> str:
        return _listed(self.vocabulary)

    def _refuse(self, reading: Reading) -> None:
        if self.model.config.stack != "decoder" or self.outputs:
            hint = "leave --generate out" + ", it writes by itself" * (self.model.config.stack == "both")
            reading.refuse_generating(self.title, hint)
        if self.model.config.stack != "both":
            reading.refuse_target("this run")
        if reading.pair is not None:
            raise InputError("a run of train-toy reads one text, not a pair", hint="leave --pair out")
        if reading.too_long != "error" and self.tokenizer is None:
            raise InputError("a run of train-toy reads one short text", hint="give a shorter one")


def _listed(tokens: Sequence[str], most: int = 20) -> str:
    named = " ".join(map(escape, tokens[:most]))
    return named if len(tokens) <= most else f"{named} and {len(tokens) - most} more"
