"""Orders go on while the broker is reset, swallowed and refused, and relays and workers are killed: none lost, none
doubled."""

import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.faults.proxy import FaultProxy
from tests.small_shop import SmallShop

SEED = 20_261


class Chaos:
    """The fault script: what happens, one after the other, until all is done. The seed makes it the same each time."""

    def __init__(self, shop: SmallShop, proxy: FaultProxy, *, workers: int, relays: int, guard: str) -> None:
        self._shop, self._proxy, self._guard = shop, proxy, guard
        self._random = random.Random(SEED)
        self.workers = [self._new_worker() for _ in range(workers)]
        self.relays = [shop.start_relay() for _ in range(relays)]
        self.done: list[str] = []

    def run(self, *, resets: int, holes: int, relay_kills: int, worker_kills: int, pause: float) -> None:
        script: list[Callable[[], None]] = [self._reset] * resets + [self._hole] * holes
        script += [self._kill_relay] * relay_kills + [self._kill_worker] * worker_kills
        self._random.shuffle(script)
        for fault in script:
            fault()
            time.sleep(self._random.uniform(0.5, 1.5) * pause)

    def _reset(self) -> None:
        self.done.append("reset")
        self._proxy.reset()

    def _hole(self) -> None:
        self.done.append("hole")
        self._proxy.swallow()
        time.sleep(self._random.uniform(0.5, 2.5))
        self._proxy.reset()
        self._proxy.heal()

    def _kill_relay(self) -> None:
        self.done.append("relay killed")
        self._shop.kill(self.relays.pop(0))
        self.relays.append(self._shop.start_relay())

    def _kill_worker(self) -> None:
        self.done.append("worker killed")
        self._shop.kill(self.workers.pop(0))
        self.workers.append(self._new_worker())

    def _new_worker(self) -> subprocess.Popen[bytes]:
        return self._shop.start_worker(threads=4, SMALL_SHOP_GUARD=self._guard)


def place_orders(shop: SmallShop, count: int, seconds: float, slowest: list[float]) -> None:
    """`count` orders, evenly over `seconds`, as a web process would take them."""
    started = time.monotonic()
    for number in range(count):
        slowest.append(shop.sell(number, seconds=0.1))
        time.sleep(max(0.0, started + seconds * number / count - time.monotonic()))


@contextmanager
def impatience(shop: SmallShop) -> Iterator[None]:
    """Whatever was published and has no effect a second later is sent again: 120 s pass in one."""
    stopped = threading.Event()

    def hurry() -> None:
        while not stopped.wait(0.5):
            shop.execute(
                "UPDATE outbox SET due_at = now()"
                " WHERE finished_at IS NULL AND published_at < now() - CAST('1 s' AS interval)"
            )

    thread = threading.Thread(target=hurry)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_orders_survive_the_fault_script(shop: SmallShop, broker_proxy: FaultProxy, full_scale: bool) -> None:
    orders, seconds = (3_000, 60.0) if full_scale else (400, 18.0)
    chaos = Chaos(shop, broker_proxy, workers=2, relays=2, guard="on")
    shop.sell(-1)
    shop.wait(lambda: shop.effects()[-1] == 1, what="a working shop")
    commits: list[float] = []
    buyers = threading.Thread(target=place_orders, args=(shop, orders, seconds, commits))
    with impatience(shop):
        buyers.start()
        if full_scale:
            chaos.run(resets=10, holes=5, relay_kills=7, worker_kills=2, pause=2.0)
        else:
            chaos.run(resets=4, holes=2, relay_kills=3, worker_kills=2, pause=0.8)
        buyers.join()
        ended = time.monotonic()
        everyone = Counter(range(-1, orders))
        shop.wait(lambda: len(shop.effects()) >= len(everyone), 120, "every effect")
        drained = time.monotonic() - ended
    settle(shop)
    effects = shop.effects()
    lost, doubled = everyone - effects, effects - everyone
    begun_again, turned_away = shop.runs().total() - len(everyone), shop.log().count('"applied before"')
    print(f"{orders} orders, {dict(Counter(chaos.done))}, {begun_again} begun again, {turned_away} turned away,")
    print(f"slowest commit {max(commits) * 1000:.0f} ms, drained {drained:.1f} s after the last order")
    assert not lost, f"lost: {sorted(lost)[:10]}"
    assert not doubled, f"doubled: {sorted(doubled)[:10]}"
    assert begun_again + turned_away > 0, "no message came twice: the faults did not bite"
    assert not shop.column("SELECT actor FROM failed_jobs")
    assert not shop.column("SELECT id FROM outbox WHERE finished_at IS NULL")
    assert max(commits) < 2.0, f"an order took {max(commits):.2f} s: it felt the broker"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_same_faults_double_effects_when_nothing_guards_them(shop: SmallShop, broker_proxy: FaultProxy) -> None:
    """The control of the test above: with `claim_effect` off, the count shows what the faults do."""
    chaos = Chaos(shop, broker_proxy, workers=2, relays=2, guard="off")
    shop.sell(-1)
    shop.wait(lambda: shop.effects()[-1] >= 1, what="a working shop")
    buyers = threading.Thread(target=place_orders, args=(shop, 200, 8.0, []))
    with impatience(shop):
        buyers.start()
        chaos.run(resets=3, holes=2, relay_kills=2, worker_kills=2, pause=0.5)
        buyers.join()
        shop.wait(lambda: any(count > 1 for count in shop.effects().values()), 120, "a doubled effect")


def settle(shop: SmallShop) -> None:
    """Wait until nothing moves any more: a late copy would double what it doubles now."""
    before, since = shop.runs().total(), time.monotonic()
    while time.monotonic() - since < 3:
        time.sleep(0.5)
        if shop.runs().total() != before:
            before, since = shop.runs().total(), time.monotonic()
