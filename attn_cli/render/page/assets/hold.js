/** Hovering previews; a press holds what it is on, until that is pressed again, Esc lets go or keys move on. */

export class Hold {
  held = null; // what was pressed, as JSON: pointing elsewhere does not let it go

  /** Whether one may point at that now. */
  admits(what, spoken, pressed) {
    const name = JSON.stringify(what);
    if (pressed) this.held = this.held === name ? null : name;
    else if (spoken) this.held = null;
    return pressed || spoken || !this.held;
  }

  release() {
    this.held = null;
  }
}
