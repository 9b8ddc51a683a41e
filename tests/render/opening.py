"""One browser for all tests of pages, and a page opened in it; `conftest` has both for every test.

A second `conftest` here would take the name of the first, from which tests import.
"""

import pytest
from browser import browse


@pytest.fixture(scope="session")
def browser():
    with browse() as tab:
        yield tab


@pytest.fixture
def opened(browser, tmp_path):
    """`opened(attention, {"lang": "zh"}, width=390, dark=True)` shows its page; nothing may have gone wrong by the end."""

    from attn_cli.render.page.page import page

    def show(attention, said=None, **window):
        path = tmp_path / "page.html"
        path.write_bytes(page(attention, title="A page", **said or {}))
        browser.open(path, **window)
        browser.wait("document.querySelector('[data-drawn]')")
        return browser

    yield show
    assert browser.complaints == []
    assert all(url.startswith("file://") for url in browser.requests)
