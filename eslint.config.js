import js from "@eslint/js";
import globals from "globals";

// The page builds its elements itself: what parses HTML or runs text has no place in it.
const parsers = ["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc"].map((property) => ({
  property,
  message: "Tokens are only ever text.",
}));

export default [
  js.configs.recommended,
  {
    files: ["attn_cli/render/page/assets/**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      "max-lines": ["error", 250],
      complexity: ["error", 12],
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-properties": ["error", ...parsers],
      "no-shadow": ["error", { builtinGlobals: false }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  // The whole Transformer is one file to be read from top to bottom.
  { files: ["**/live/forward.js"], rules: { "max-lines": ["error", 300] } },
];
