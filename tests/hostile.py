"""Tokens that somebody might hope are executed, interpreted or misread."""

HOSTILE = (
    "</script>", "</SCRIPT >", "</script><script>pwned=1</script>", "<script>pwned=1</script>", "<!--", "-->",
    "<!--<script>", "]]>", "<![CDATA[", "<img src=x onerror=pwned=1>", "<svg/onload=pwned=1>", "<iframe srcdoc=x>",
    "<style>*{display:none}</style>", "</style>", "</title>", "</textarea>", "<base href=x>", "<a href=javascript:pwned=1>",
    "<b>bold</b>", "&lt;", "&#60;", "&amp", "\"", "'", "\"'><", "`", "${pwned=1}", "{{title}}", "{{script}}", "{%raw%}",
    "\\", "\\n", "\\u003c", "\\x3c", "\0", "\t", "\n", "\r\n", "\x1b[31m", "\x7f", "\u2028", "\u2029", "\u202eevil",
    "\u2066שלום\u2069", "مرحبا", "\ud800", "a\udfffb", "\ufeff", "👩‍👩‍👧", "e\u0301\u0323", "$\\frac{1}{2}$",
    "[/red]", "__proto__", "javascript:pwned=1", "𠮷", " ", "x" * 500,
)  # fmt: skip
