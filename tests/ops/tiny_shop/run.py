"""Run the embedded stack around the tiny shop instead of CourseHub."""

import sys
from pathlib import Path

from ops.embedded import options, stack
from ops.embedded.problems import CannotRun, Stopped

try:
    stack.run(Path(__file__).resolve().parent, options.inherited())
except Stopped:
    sys.exit(0)
except CannotRun as problem:
    print(problem, file=sys.stderr)
    sys.exit(1)
