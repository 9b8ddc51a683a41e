"""Maps that are of one output of a model: gradients, value zeroing and ALTI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .models import loaded, reading_of
from .picking import EVERYTHING, Picks
from .text import refuse_blank
from .vectors import set_threads

if TYPE_CHECKING:
    from ..models.asking import Meant
    from ..models.reading import Reading
    from ..records.attention import Attention, Kind
    from .groups import Options, Show

OF_OUTPUT = ("gradients", "zeroing", "alti")


def of_output(
    model: Any, text: str, options: Options, show: Show | None, picks: Picks = EVERYTHING
) -> Attention:
    """The map that `show` names of the wanted kind and layers, for the output that is meant.

    Raises InputError for a model that is not read natively, and where there is no such output.
    """
    import torch

    from ..attention.wanted_parts import narrowed

    meant, reading = asked(model, text, options, picks)
    kind = meant.kind(reading)
    maps = _maps(meant, kind, show)  # [layer, head, query, key]
    layers = reading.chosen(len(maps))
    sides, wanted = meant.shown(kind, reading)
    wanted = wanted.settled(maps.shape[1])
    found: dict[str, Any] = {str(show): narrowed(maps[list(layers)], wanted).to(torch.float64).cpu().numpy()}
    if show != "gradients":
        found["heads"] = ("all",)
    return sides.record(layers, wanted, show=str(show), **found)


def refuse_toward(options: Options, show: Show | None) -> None:
    """Raise InputError where an output is named of which nothing is shown."""
    if options.model.toward is not None and show not in OF_OUTPUT:
        raise InputError(
            f"--toward has no effect on {show or 'weights'}", hint=f"add --show {' or '.join(OF_OUTPUT)}"
        )


def asked(model: Any, text: str, options: Options, picks: Picks = EVERYTHING) -> tuple[Meant, Reading]:
    """The output of a model that the options name.

    Raises InputError for a model whose outputs are not known.
    """
    refuse_blank(text)
    reading = reading_of(options, picks)
    set_threads(options.computing)
    found = loaded(model)
    if (ask := getattr(found, "asked", None)) is None:
        hint = "give a model that is read natively: attn models"
        raise InputError(f"no output of this model is known: {found.provenance}", hint=hint)
    return ask(text, reading, options.model.toward), reading


def _maps(meant: Meant, kind: Kind, show: Show | None) -> Any:
    from ..interpret.gradients import gradients
    from ..interpret.zeroing import alti, zeroing

    answer: Any = meant.answer
    if show == "gradients":
        return gradients(answer)[kind]
    return {"zeroing": zeroing, "alti": alti}[str(show)](answer, kind)[:, None]
