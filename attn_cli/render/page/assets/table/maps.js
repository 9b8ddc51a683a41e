/** What the rows of a table open: a page in a frame below it, at the place that the row is about. */

import { byId } from "../controls.js";
import { openIn } from "../frame.js";
import { worded } from "../wording.js";

export class Maps {
  constructor(table, isDark, say) {
    Object.assign(this, { table, isDark, say });
    this.pages = JSON.parse(byId("pages").textContent);
    this.links = JSON.parse(byId("links").textContent);
    this.frame = byId("frame");
    this.shown = null; // the number of the page in the frame
    if (this.links.length === 0) return;
    this.links.forEach((link, row) => link ?? this.shut(row));
    table.section.classList.add("opens");
    table.body.addEventListener("click", ({ target }) => this.open(table.rows.indexOf(target.closest("tr"))));
    table.body.addEventListener("focusin", ({ target }) => target.matches(".open") && this.rove(target));
    table.body.addEventListener("keydown", (event) => this.keyDown(event));
    table.onChange = () => this.rove();
    this.rove();
    byId("close").addEventListener("click", () => this.close());
    addEventListener("keydown", ({ key }) => key === "Escape" && this.close());
    addEventListener("message", ({ source, data }) => {
      if (source === this.frame.contentWindow && data?.attention > 0) this.stretch(data.attention);
    });
  }

  /** A row that opens nothing has no button. */
  shut(row) {
    const button = this.table.rows[row].querySelector(".open");
    button.replaceWith(button.textContent);
  }

  /** The buttons of the rows that are seen, from the top. */
  get buttons() {
    return [...this.table.body.querySelectorAll("tr:not([hidden]) .open")];
  }

  /** Of all rows one is reached by Tab: this one, else the open one, else the first; arrow keys reach the others. */
  rove(button = this.table.body.querySelector("[data-open]:not([hidden]) .open") ?? this.buttons[0]) {
    for (const one of this.table.body.querySelectorAll(".open")) one.tabIndex = one === button ? 0 : -1;
  }

  keyDown(event) {
    const stride = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }[event.key];
    const { buttons } = this;
    const at = buttons.indexOf(event.target);
    if (!stride || at < 0) return;
    event.preventDefault();
    buttons[Math.max(0, Math.min(buttons.length - 1, at + stride))].focus();
  }

  open(row) {
    if (!this.links[row]) return;
    const [page, end] = this.links[row];
    const opens = this.table.rows[row].querySelector(".open");
    this.mark(row);
    byId("opened").textContent = opens.getAttribute("aria-label").split(": ")[0];
    byId("maps").hidden = false;
    if (this.shown === page) this.go(end);
    else {
      this.shown = page;
      openIn(this.frame, this.pages[page], worded("table_map"), () => {
        this.frame.contentDocument.documentElement.dataset.framed = ""; // what is around it already is left out
        this.go(end);
        this.recolour();
        this.grow();
      });
    }
    byId("maps").scrollIntoView({ block: "nearest" });
    this.say(worded("table_opened", { row: byId("opened").textContent }));
  }

  /** The frame is as high as the page in it, so that only one thing scrolls; a page without a script cannot tell it. */
  grow() {
    const { body, documentElement: root } = this.frame.contentDocument;
    if (this.frame.contentDocument.getElementById("theme")) return;
    const fit = () => this.stretch(body.getBoundingClientRect().bottom + root.scrollTop);
    new ResizeObserver(fit).observe(body);
  }

  stretch(height) {
    this.frame.style.height = `${Math.ceil(height)}px`;
  }

  /** Let the page in the frame show what the end of an address says; how it is shown stays as it is. */
  go(end) {
    const { location } = this.frame.contentWindow;
    const kept = new URLSearchParams(location.hash.slice(1));
    for (const place of ["query", "key"]) kept.delete(place);
    for (const [name, value] of new URLSearchParams(end.slice(1))) kept.set(name, value);
    location.hash = end && kept;
    this.frame.dataset.at = end;
  }

  mark(row) {
    this.table.rows.forEach((one, i) => one.toggleAttribute("data-open", i === row));
  }

  close() {
    if (byId("maps").hidden) return;
    byId("maps").hidden = true;
    this.table.body.querySelector("[data-open] .open")?.focus();
    this.mark(-1);
  }

  /** The page in the frame is as light or as dark as the one around it. */
  recolour() {
    const theme = this.frame?.contentDocument?.getElementById("theme");
    if (theme && (theme.dataset.dark === "true") !== this.isDark()) theme.click();
    const root = this.frame?.contentDocument?.documentElement;
    if (root && !theme) root.dataset.theme = this.isDark() ? "dark" : "light"; // a page without a script
  }
}
