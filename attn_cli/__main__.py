"""Where `attn` and `python -m attn_cli` begin: an interrupt ends them quietly even while they are loaded."""

import gc
import sys


def main() -> None:
    """Run the command line."""
    collecting = gc.get_threshold()
    gc.set_threshold(
        50_000, 20, 100
    )  # loading torch makes objects and no garbage: looking for it takes a tenth
    try:
        from .cli import main as run
        from .commands.io.environment import environment
    except KeyboardInterrupt:
        sys.exit(130)
    environment.collecting = collecting
    run()


if __name__ == "__main__":
    main()
