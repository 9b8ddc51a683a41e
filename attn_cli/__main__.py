"""Where `attn` and `python -m attn_cli` begin: an interrupt ends them quietly even while they are loaded."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from .cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
