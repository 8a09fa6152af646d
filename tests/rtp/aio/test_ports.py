"""Port pairs: even and odd, bounded tries, and a rest before the next call."""

import contextlib
import errno
import socket

import pytest
from support.media_engine import HOST

from offhook.rtp.aio import ports
from offhook.rtp.aio.ports import MAX_BIND_TRIES, QUARANTINE, NoPortsLeft, PortPool
from offhook.rtp.exceptions import LocalError

pytestmark = pytest.mark.real_network


class Now:
    """A clock that is set by hand."""

    seconds = 100.0

    def __call__(self) -> float:
        """Monotonic seconds."""
        return self.seconds


@pytest.fixture
def now() -> Now:
    """It stands still."""
    return Now()


def free_range(pairs: int) -> range:
    """So many pairs that are free now, one behind the other, outside of the system's own choice."""
    for first in range(20_000, 30_000, 2 * pairs):
        with contextlib.suppress(OSError), contextlib.ExitStack() as bound:
            for port in range(first, first + 2 * pairs):
                bound.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((HOST, port))
            return range(first, first + 2 * pairs)
    pytest.skip("no free ports")


@pytest.fixture
def two(now: Now) -> PortPool:
    """A pool of two pairs."""
    return PortPool(free_range(2), monotonic=now)


def test_the_system_gives_an_even_port_and_the_odd_one_above_it() -> None:
    """RFC 3550 11."""
    pair = PortPool().open(HOST)
    assert 0 == pair.address[1] % 2
    assert [pair.address, pair.rtcp_address] == [pair.rtp.getsockname(), pair.rtcp.getsockname()]
    assert (HOST, pair.address[1] + 1) == pair.rtcp_address
    pair.close()


def test_sockets_do_not_block() -> None:
    """A poll of an empty socket comes back at once."""
    pair = PortPool().open(HOST)
    for each in (pair.rtp, pair.rtcp):
        with pytest.raises(BlockingIOError):
            each.recv(1)
    pair.close()


def test_ipv6_has_pairs_too() -> None:
    """They take no IPv4 beside it."""
    try:
        pair = PortPool().open("::1")
    except LocalError as error:
        pytest.skip(str(error))
    assert ("::1", True) == (pair.address[0], pair.is_ipv6)
    assert 1 == pair.rtp.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    pair.close()


def test_a_range_is_used_from_its_first_even_port_to_its_last_odd_one() -> None:
    """A lonely port at either end is left out."""
    assert [10, 12] == list(PortPool(range(9, 15))._free)


@pytest.mark.parametrize("bad", [range(10, 11), range(11, 13), range(5, 5), range(2), range(65_534, 65_537)])
def test_a_range_without_a_pair_or_with_what_is_no_port_is_refused(bad: range) -> None:
    """At once, not at the first call."""
    with pytest.raises(LocalError, match=r"range\("):
        PortPool(bad)


def test_an_exhausted_range_says_which_it_was_and_how_many_are_held(two: PortPool) -> None:
    """One more than there are."""
    pairs = [two.open(HOST) for _ in range(2)]
    with pytest.raises(NoPortsLeft, match=rf"{two._range[0]}-{two._range[-1]}: 2 pairs held, 0 resting"):
        two.open(HOST)
    for pair in pairs:
        pair.close()


def test_a_pair_rests_before_it_is_used_again(two: PortPool, now: Now) -> None:
    """Late packets of the old call must not reach a new one."""
    pairs = [two.open(HOST) for _ in range(2)]
    pairs[0].close()
    now.seconds += QUARANTINE - 0.001
    with pytest.raises(NoPortsLeft, match="1 pairs held, 1 resting"):
        two.open(HOST)
    now.seconds += 0.001
    again = two.open(HOST)
    assert pairs[0].address == again.address
    again.close()
    pairs[1].close()


def test_a_pair_of_the_system_rests_as_long(now: Now) -> None:
    """And is then forgotten: the system may give it again."""
    pool = PortPool(monotonic=now)
    pool.open(HOST).close()
    now.seconds += QUARANTINE - 0.001
    assert 1 == pool.resting
    now.seconds += 0.001
    assert 0 == pool.resting


def test_the_pair_that_has_rested_longest_comes_first(two: PortPool, now: Now) -> None:
    """One call after another walks through the whole range."""
    first = two.open(HOST)
    first.close()
    now.seconds += QUARANTINE
    second = two.open(HOST)
    second.close()
    assert first.address != second.address
    assert (0, 1) == (two.held, two.resting)


def test_a_port_that_somebody_else_holds_is_passed_over(two: PortPool) -> None:
    """Even if it is only the one for RTCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, two._range[1]))
        pair = two.open(HOST)
    assert two._range[2] == pair.address[1]
    pair.close()


def test_the_tries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A range that belongs to others is not walked through to its end."""
    tried = []
    monkeypatch.setattr(ports, "_bind_pair", lambda *arguments: tried.append(arguments))
    with pytest.raises(NoPortsLeft, match=f"{MAX_BIND_TRIES} tried and taken by others"):
        PortPool(range(10_000, 10_000 + 2 * MAX_BIND_TRIES + 2)).open(HOST)
    assert MAX_BIND_TRIES == len(tried)


def test_the_tries_at_the_system_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """All its even ports have a neighbour that is taken."""
    monkeypatch.setattr(ports, "_bind_pair", lambda *_arguments: None)
    with pytest.raises(NoPortsLeft, match=f"ports of the system: 0 pairs held, 0 resting, {MAX_BIND_TRIES} tried"):
        PortPool().open(HOST)


def test_the_system_is_asked_again_if_it_gives_a_pair_that_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows nothing of our quarantine."""
    pool = PortPool()
    pool._resting.update(dict.fromkeys(range(0, 65_536, 2), float("inf")))
    monkeypatch.setattr(ports, "_bind_pair", lambda *_arguments: pytest.fail("a resting port was bound"))
    with pytest.raises(NoPortsLeft):
        pool.open(HOST)


def test_a_host_of_somebody_else_is_refused_and_the_port_stays_free(two: PortPool) -> None:
    """192.0.2.1 is for documentation (RFC 5737) and no address of ours."""
    with pytest.raises(LocalError, match=r"cannot receive media on 192\.0\.2\.1"):
        two.open("192.0.2.1")
    assert (0, 2) == (two.held, len(two._free))


def test_a_name_is_refused_because_looking_it_up_would_stop_the_loop() -> None:
    """Numeric addresses only."""
    with pytest.raises(LocalError, match="numeric address"):
        PortPool().open("localhost")


def test_a_process_without_descriptors_has_no_ports_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """EMFILE is told as what it means here."""

    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(ports.socket, "socket", refuse)
    with pytest.raises(NoPortsLeft, match="Too many open files"):
        PortPool().open(HOST)


def test_closing_twice_is_closing_once(two: PortPool) -> None:
    """The ports come back once, and whoever wants to know is told once."""
    pair, told = two.open(HOST), []
    pair.on_close = told.append
    assert f"<PortPair {HOST} {pair.address[1]}/{pair.address[1] + 1}>" == repr(pair)
    pair.close()
    pair.close()
    assert repr(pair).endswith(" closed>")
    assert ([pair], -1, 1) == (told, pair.rtp.fileno(), two.resting)
    assert repr(two).endswith("0 pairs held, 1 resting>")


def test_a_kernel_without_stamps_still_has_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrivals are then those of the poll."""
    monkeypatch.setattr(ports, "SO_TIMESTAMPNS", 0x7FFF)
    pair = PortPool().open(HOST)
    assert not pair.closed
    pair.close()


def test_other_platforms_are_not_asked_for_what_linux_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of the options would mean something else there."""
    monkeypatch.setattr(ports.sys, "platform", "darwin")
    pair = PortPool().open(HOST)
    assert 0 == pair.rtp.getsockopt(socket.SOL_SOCKET, ports.SO_TIMESTAMPNS)
    pair.close()
