"""`python -m attn_cli` is `attn`."""

from .cli import main

if __name__ == "__main__":
    main()
