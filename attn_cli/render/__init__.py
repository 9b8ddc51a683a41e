"""Pictures: in the terminal, as figures, as pages. Nothing here computes attention."""

# The picture formats, known without loading what draws them.
FIGURES = ("png", "svg", "pdf", "jpg")
PICTURES = (*FIGURES, "html")
