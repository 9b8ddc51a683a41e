"""`attn lab page`: a lab as a page, for classes without Python."""

from __future__ import annotations

import dataclasses

from ..io.languages import Lang, language
from ..io.options import Output
from .start import Name, Student, named


def page(to: Output, name: Name = None, seed: Student = "0", lang: Lang = None) -> None:
    """Write a page with a lab's questions, which judges answers, beside the model mini (HTML).

    \b
    attn lab page translate -o translate.html
    attn lab page by-hand --seed class-7b --lang zh -o by-hand.html

    For classes without Python: the page needs a browser and nothing else. Its answers are for learning, not for
    marking: whoever wants to can get them out of it.
    """
    from ... import files
    from ...sources.lab_page import lab_page
    from ..io.output import check, deliver

    check(to, (), ("html",))
    spoken = language(lang)
    asked = named(name)
    made = lab_page(asked, student=seed, lang=spoken)
    unnamed = to.output is None and to.format is None
    if unnamed:
        to = dataclasses.replace(to, output=files.own_name(asked, ".html"))
    deliver([made], "html", to)
    if unnamed:
        print(to.output)
