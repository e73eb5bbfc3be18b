"""`python -m ops.embedded`: run the stack in the foreground until Ctrl-C."""

import sys
from pathlib import Path

from ops.embedded import options, stack
from ops.embedded.problems import CannotRun, Stopped

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    try:
        stack.run(ROOT, options.inherited())
    except Stopped:
        return 0
    except KeyboardInterrupt:
        return 130
    except CannotRun as problem:
        print(problem, file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
