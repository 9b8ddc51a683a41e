/** One head over the text itself: each token shaded by the attention that the chosen query gives it. */

import { TokenList } from "./tokenlist.js";
import { worded } from "./wording.js";
import { element } from "./words.js";

export class TokensView {
  /** `onQuery(query, spoken)` hears which query is chosen. */
  constructor(attention, { onQuery }) {
    this.element = element("div", "text");
    this.queries = new TokenList("queries", worded("queries"), onQuery);
    this.keys = attention.twoTexts ? new TokenList("keys", worded("keys_list"), () => {}) : this.queries;
    if (!attention.twoTexts) this.element.append(this.queries.element);
    else
      for (const list of [this.queries, this.keys])
        this.element.append(element("h3", "", list.label), list.element);
  }

  show({ attention, head, scale, found, cell }) {
    const query = cell?.query ?? 0;
    this.keys.show(attention.keys, found.keys);
    this.queries.show(attention.queries, found.queries);
    this.queries.select(query);
    const codes = attention.codesOf(head).subarray(query * attention.keys.length);
    this.keys.shade(
      attention.keys.map((_, key) => scale.tone[codes[key]]),
      scale,
    );
  }
}
