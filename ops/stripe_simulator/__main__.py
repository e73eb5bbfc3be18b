"""Starts the simulator: `python -m ops.stripe_simulator --port 8001 --data var/stripe --webhook-url …`."""

import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from . import config as settings
from .server import Server
from .simulator import AlreadyRunning, Simulator


def main(arguments: Sequence[str] | None = None) -> int:
    config = settings.from_arguments(arguments)
    logging.basicConfig(
        level=os.environ.get("STRIPE_SIMULATOR_LOG", "WARNING").upper(), format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        simulator = Simulator(config)
    except AlreadyRunning as problem:
        return _fail(str(problem))
    except OSError as problem:
        return _fail(f"The folder {config.data} cannot be used: {problem.strerror}.")
    try:
        server = Server(config, simulator)
    except OSError as problem:
        simulator.stop()
        if problem.errno == errno.EADDRINUSE:
            return _fail(f"Port {config.port} on {config.host} is already taken.")
        return _fail(f"Cannot listen on {config.host}:{config.port}: {problem.strerror}.")

    def stop(number: int, frame: FrameType | None) -> None:
        # `shutdown` waits for the loop that this very thread runs, so another thread has to ask.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    simulator.start()
    print(f"Stripe simulator is ready: {server.address}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.socket.close()
    simulator.stop()
    return 0


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
