"""What leaves a page, on paper and as a picture, and how labels are cut."""

import numpy as np
import pytest
from attn_cli.records.attention import Attention
from attn_cli.render.colour import ramp
from browser import PROGRAM
from test_page_browser import ENGLISH, causal, picture_of

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no browser")


def visible(tab, selector):
    return tab.run(f"document.querySelector('{selector}').checkVisibility()")


def test_on_paper_a_page_is_light_and_without_its_controls(opened):
    tab = opened(causal(ENGLISH, 2, 3), dark=True)
    tab.click("#theme")
    tab.click("#theme")  # dark by choice, not only as the system has it
    dark = picture_of(tab, 5)[0, 0, :3]
    tab.send("Emulation.setEmulatedMedia", media="print", features=[])
    tab.wait("""(() => {
        const copy = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
        copy.drawImage(document.querySelectorAll('.gridcell canvas')[5], 0, 0);
        return copy.getImageData(0, 0, 1, 1).data[0] < 100;
    })()""")
    assert np.abs(picture_of(tab, 5)[0, 0, :3] - ramp("paper")[255]).max() <= 2
    assert np.abs(dark - ramp("night")[255]).max() <= 2
    assert not any(visible(tab, name) for name in ("#theme", ".controls", "#zoom", "#tabs", ".map .over"))
    assert visible(tab, ".map canvas")
    assert visible(tab, "#legend")
    assert not visible(tab, "#readout")  # which says what to do with a pointer
    assert not visible(tab, "#strongest")
    assert tab.run("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"


def test_a_view_is_saved_as_a_picture(opened):
    """Chromium would ask where to save it: the test takes the bytes that the page hands over."""
    tab = opened(causal(ENGLISH, 1, 2))
    tab.run("""
        URL.createObjectURL = (blob) => ((window.saved = blob), "blob:");
        HTMLAnchorElement.prototype.click = function () { window.called = this.download; };
    """)
    sizes = []
    for view in ("map", "compare", "lines", "tokens"):
        tab.click(f"#tab-{view}")
        tab.run("window.saved = null")
        tab.click("#save")
        tab.wait("window.saved")
        seen = tab.run("""createImageBitmap(saved).then((bitmap) => {
            const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
            context.drawImage(bitmap, 0, 0);
            const {data} = context.getImageData(0, 0, bitmap.width, bitmap.height);
            return [saved.type, called, bitmap.width, new Set(new Uint32Array(data.buffer)).size];
        })""")
        assert seen[:2] == ["image/png", f"attention-L0H0{'-L0H1' if view == 'compare' else ''}-{view}.png"]
        assert seen[3] > 50, view  # colours, of cells and letters
        sizes.append(seen[2])
    assert sizes[1] > sizes[0]  # three maps side by side


@pytest.mark.parametrize(("n", "cut"), [(3, False), (40, True)])
def test_labels_are_cut_only_where_there_is_no_room(opened, n, cut):
    token = "Donaudampfschifffahrtsgesellschaft"
    tab = opened(Attention((token,) * n, (token,) * n, np.eye(n)[None, None]))
    tab.run("""
        window.said = [];
        const draw = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
            said.push(text);
            draw.call(this, text, ...rest);
        };
    """)
    tab.click("#zoom-fit")
    labels = {text for text in tab.run("said") if text.startswith("Donau")}
    assert labels
    assert all((label != token) is cut for label in labels)
