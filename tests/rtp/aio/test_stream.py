"""One stream on the wire: in time, in order, and with every loss counted."""

import socket
from collections.abc import Iterator

import pytest
from support.media_engine import FRAME, HOST, PTIME, ManualClock, Recorder, connect, session

from offhook.rtp import DtmfReceived, FirstPacket, Gap, RemoteBye
from offhook.rtp.aio import FramesSkipped, MediaEngine, MediaStream, SocketDrop, stream
from offhook.rtp.aio.stream import MAX_DATAGRAM_OCTETS, MAX_DATAGRAMS_PER_VISIT, MAX_SKIPPED_FRAMES

pytestmark = pytest.mark.real_network


class Wire:
    """A stream between an engine and a bare socket that the test holds."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.engine = MediaEngine(clock=self.clock)
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.peer.bind((HOST, 0))
        self.peer.setblocking(False)
        self.player = Recorder()
        self.theirs = session(None, self.clock.now, ssrc=99, send_event_type=101)
        "Makes the packets of the peer."

    @property
    def address(self) -> tuple[str, int]:
        """Where the peer receives."""
        return self.peer.getsockname()

    def start(self, **changes: object) -> MediaStream:
        """Begin the stream to the peer, or to another address."""
        pair = self.engine.open(HOST)
        changes = {"remote": self.address, "event_type": 101, "send_event_type": 101} | changes
        return self.engine.start(pair, session(now=self.clock.now, **changes), self.player)

    def heard(self) -> list[bytes]:
        """What has reached the peer since the last call."""
        datagrams = []
        while True:
            try:
                datagrams.append(self.peer.recv(65_536))
            except BlockingIOError:
                return datagrams

    def say(self, to: MediaStream, packets: int = 1) -> None:
        """Packets from the peer, one frame each."""
        for _ in range(packets):
            data = self.theirs.send_frame(FRAME, 0, self.clock.now)
            assert data is not None
            self.peer.sendto(data, to.address)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """All sockets are closed afterwards."""
    made = Wire()
    yield made
    for running in tuple(made.engine._streams):
        running.stop()
    made.peer.close()


class BrokenSocket:
    """A socket with a fault in one of its calls."""

    def __init__(self, real: socket.socket, **faults: OSError) -> None:
        self._real, self._faults = real, faults

    def __getattr__(self, name: str) -> object:
        """The real call, or one that fails."""
        if name not in self._faults:
            return getattr(self._real, name)

        def fail(*_arguments: object) -> None:
            raise self._faults[name]

        return fail


# Sending.


def test_two_streams_send_contiguous_packets_to_each_other() -> None:
    """Sequence and timestamp advance by one frame each, marker on the first only (RFC 3551 4.1)."""
    clock, alice, bob = ManualClock(), Recorder(), Recorder()
    streams = connect(MediaEngine(clock=clock), clock, alice, bob)
    clock.advance(1.0)
    for player, other in ((alice, bob), (bob, alice)):
        assert [(n == 0, 100 + n, 8000 + 160 * n) for n in range(50)] == player.headers
        assert [header[1] for header in player.headers[: len(other.received)]] == [
            packet.sequence for packet in other.received
        ]
        assert len(other.received) >= 49
    for each in streams:
        each.stop()


def test_each_packet_leaves_at_its_own_absolute_instant(wire: Wire) -> None:
    """`first + n * ptime`; on a clock that is in time the lateness is none."""
    running = wire.start()
    wire.clock.advance(1.0)
    first = wire.player.instants[0]
    assert [first + n * PTIME for n in range(50)] == pytest.approx(wire.player.instants, abs=1e-6)
    assert (50, 50) == (running.lateness().n, running.lateness().punctual)


def test_what_is_sent_is_what_the_player_gave(wire: Wire) -> None:
    """Payload type and payload, behind a header of 12 octets."""
    wire.player.payload_type = 8
    wire.start()
    wire.clock.advance(PTIME)
    (data,) = wire.heard()
    assert (8 | 0x80, FRAME) == (data[1], data[12:])
    assert [data] == wire.player.datagrams


def test_silence_is_a_hole_in_the_timestamps_and_not_in_the_sequence(wire: Wire) -> None:
    """The packet after it has the marker."""
    wire.start()
    wire.clock.advance(PTIME)
    wire.player.frame = None
    wire.clock.advance(3 * PTIME)
    wire.player.frame = FRAME
    wire.clock.advance(PTIME)
    assert [(True, 100, 8000), (True, 101, 8000 + 4 * 160)] == wire.player.headers


def test_a_stream_that_is_paused_sends_nothing_and_asks_for_nothing(wire: Wire) -> None:
    """Its timestamp goes on, so that the peer knows how long it was silent."""
    running = wire.start()
    wire.clock.advance(PTIME)
    running.pause_sending = True
    wire.clock.advance(10 * PTIME)
    assert 1 == wire.player.asked
    running.pause_sending = False
    wire.clock.advance(PTIME)
    assert [(True, 100, 8000), (True, 101, 8000 + 11 * 160)] == wire.player.headers


def test_a_wake_up_that_is_two_frames_late_sends_both(wire: Wire) -> None:
    """Nothing is skipped, and the lateness of each is told against its own instant."""
    running = wire.start()
    wire.clock.advance(PTIME)
    wire.clock.stall(2 * PTIME)
    assert [(True, 100, 8000), (False, 101, 8160), (False, 102, 8320)] == wire.player.headers
    assert running.lateness().max == pytest.approx(PTIME + 0.015, abs=1e-6)
    assert [] == wire.player.told_of(FramesSkipped)


def test_a_later_wake_up_skips_the_oldest_frames_and_says_so(wire: Wire) -> None:
    """Six are due: four are skipped, the timestamp advances over them, the player is not asked for them."""
    running = wire.start()
    wire.clock.advance(PTIME)
    wire.clock.stall(6 * PTIME)
    assert [(True, 101, 8000 + 5 * 160), (False, 102, 8000 + 6 * 160)] == wire.player.headers[1:]
    assert [FramesSkipped(4, wire.clock.now)] == wire.player.told_of(FramesSkipped)
    assert (3, 4) == (wire.player.asked, running.lateness().skipped)


def test_after_a_stall_the_instants_are_where_they_always_were(wire: Wire) -> None:
    """The frame after it is in time again."""
    wire.start()
    wire.clock.advance(PTIME)
    first = wire.player.instants[0]
    wire.clock.stall(0.1137)
    wire.clock.now = first + 0.135
    wire.clock.advance(0.005)
    assert wire.player.instants[-1] == pytest.approx(first + 7 * PTIME, abs=1e-6)


def test_the_timestamp_advances_over_a_minute_at_most(wire: Wire) -> None:
    """One frame more than `MAX_SKIPPED_FRAMES` is skipped and counted, but not stepped over."""
    running = wire.start()
    wire.clock.advance(PTIME)
    wire.clock.stall((MAX_SKIPPED_FRAMES + 3) * PTIME)
    assert MAX_SKIPPED_FRAMES + 1 == running.lateness().skipped
    assert 8000 + 160 * (MAX_SKIPPED_FRAMES + 1) == wire.player.headers[1][2]


def test_a_key_press_goes_on_through_a_stall(wire: Wire) -> None:
    """Its packets are counted in the sequence, so they must leave; the peer hears one digit (RFC 4733)."""
    running = wire.start()
    wire.clock.advance(PTIME)
    running.session.send_dtmf("5")
    wire.clock.advance(PTIME)
    wire.clock.stall(0.3)
    sequences = [sequence for _, sequence, _ in wire.player.headers]
    assert list(range(100, 100 + len(sequences))) == sequences
    hearer = session(running.address, wire.clock.now, event_type=101)
    for data in wire.heard():
        hearer.receive_rtp(data, running.address, wire.clock.now, wire.clock.now)
    assert ["5"] == [event.digit for event in hearer.events() if isinstance(event, DtmfReceived)]


def test_without_a_destination_nothing_is_asked_for_and_nothing_is_lost(wire: Wire) -> None:
    """Signalling has not said yet where to send; the timestamp advances all the same."""
    running = wire.start(remote=None)
    wire.clock.advance(3 * PTIME)
    assert (0, {}) == (wire.player.asked, running.drops())
    running.session.update(remote=wire.address, now=wire.clock.now)
    wire.clock.advance(PTIME)
    assert [(True, 100, 8000 + 3 * 160)] == wire.player.headers


@pytest.mark.parametrize(
    "remote",
    [("agent.example", 4000), ("::1", 4000), (HOST, 0), (HOST, 65_536), ("", 4000)],
    ids=["name", "other IP version", "port 0", "port 65536", "empty"],
)
def test_an_address_that_cannot_be_sent_to_is_counted(wire: Wire, remote: tuple[str, int]) -> None:
    """A name would stop the loop for a DNS query; a wrong port must not raise."""
    running = wire.start(remote=remote)
    wire.clock.advance(2 * PTIME)
    assert {SocketDrop.NOWHERE: 2} == running.drops()
    assert 0 == wire.player.asked


def test_a_key_press_to_nowhere_is_not_sent(wire: Wire) -> None:
    """The session makes its packets, but there is no address for them."""
    running = wire.start(remote=None)
    running.session.send_dtmf("5")
    wire.clock.advance(2 * PTIME)
    assert 0 == running.packets_out


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BlockingIOError(), SocketDrop.SEND_QUEUE_FULL),
        (ConnectionRefusedError(), SocketDrop.ICMP),
        (OSError(101, "Network is unreachable"), SocketDrop.UNSENDABLE),
    ],
    ids=lambda each: each.__class__.__name__,
)
def test_what_the_system_does_not_send_is_counted_and_ends_nothing(
    wire: Wire, error: OSError, reason: SocketDrop
) -> None:
    """The player is not told that it was sent."""
    running = wire.start()
    running._pair.rtp = BrokenSocket(running._pair.rtp, sendto=error)
    wire.clock.advance(2 * PTIME)
    assert {reason: 2} == running.drops()
    assert (2, [], 0) == (wire.player.asked, wire.player.datagrams, running.lateness().n)


# Receiving.


def test_what_arrives_is_told_with_its_arrival_and_played_when_it_is_due(wire: Wire) -> None:
    """The jitter buffer holds a packet back; the arrival is told at once."""
    running = wire.start()
    wire.say(running)
    wire.clock.advance(PTIME)
    assert [FRAME] == [packet.payload for packet in wire.player.received]
    for _ in range(4):
        wire.say(running)
        wire.clock.advance(PTIME)
    assert wire.player.played
    assert wire.player.played == wire.player.received[: len(wire.player.played)]
    assert isinstance(wire.player.told_of(FirstPacket)[0], FirstPacket)


def test_a_lost_packet_is_played_as_a_gap(wire: Wire) -> None:
    """So that the player can conceal it."""
    running = wire.start()
    for n in range(12):
        if n == 4:
            wire.theirs.send_frame(FRAME, 0, wire.clock.now)
        else:
            wire.say(running)
        wire.clock.advance(PTIME)
    assert [160] == [item.ticks for item in wire.player.played if isinstance(item, Gap)]


def test_no_arrival_is_later_than_the_visit_nor_before_the_one_before_it(wire: Wire) -> None:
    """The wall clock cannot falsify it further than that."""
    running = wire.start()
    wire.clock.advance(PTIME)
    visited = wire.clock.now - PTIME
    wire.say(running)
    wire.clock.advance(PTIME)
    (packet,) = wire.player.received
    assert visited <= packet.arrival <= wire.clock.now


def test_what_lay_in_the_socket_before_the_start_is_thrown_away_and_counted(wire: Wire) -> None:
    """Early media that nobody listened to would delay all that follows by its length."""
    pair = wire.engine.open(HOST)
    for address in (*[pair.address] * 50, pair.rtcp_address):
        wire.peer.sendto(b"\x80old", address)
    running = wire.engine.start(pair, session(wire.address, wire.clock.now), wire.player)
    wire.clock.advance(PTIME)
    assert ({SocketDrop.BACKLOG: 51}, []) == (running.drops(), wire.player.received)


def test_the_backlog_that_is_thrown_away_is_bounded(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood cannot hold up the loop: one more than the limit stays for the next visit."""
    monkeypatch.setattr(stream, "MAX_BACKLOG_DATAGRAMS", 5)
    pair = wire.engine.open(HOST)
    for _ in range(6):
        wire.peer.sendto(b"\x80old", pair.address)
    running = wire.engine.start(pair, session(wire.address, wire.clock.now), wire.player)
    wire.clock.advance(PTIME)
    assert ({SocketDrop.BACKLOG: 5}, 1) == (running.drops(), running.packets_in)


def test_an_icmp_error_in_the_backlog_is_counted(wire: Wire) -> None:
    """It belongs to a datagram of an older call."""
    pair = wire.engine.open(HOST)
    pair.rtp = BrokenSocket(pair.rtp, recv=ConnectionRefusedError())
    monkey = wire.engine.start(pair, session(wire.address, wire.clock.now), wire.player)
    assert monkey.drops()[SocketDrop.ICMP] >= 1


def test_a_visit_reads_a_bounded_number_of_datagrams(wire: Wire) -> None:
    """One more than the limit waits for the next visit, so one stream cannot starve the others."""
    running = wire.start()
    wire.clock.advance(PTIME)
    wire.say(running, MAX_DATAGRAMS_PER_VISIT + 1)
    wire.clock.advance(PTIME)
    assert MAX_DATAGRAMS_PER_VISIT == running.packets_in
    wire.clock.advance(PTIME)
    assert MAX_DATAGRAMS_PER_VISIT + 1 == running.packets_in


def test_a_datagram_that_is_too_long_is_dropped_and_counted(wire: Wire) -> None:
    """The longest that is allowed reaches the session, one octet more does not."""
    running = wire.start()
    for octets in (MAX_DATAGRAM_OCTETS, MAX_DATAGRAM_OCTETS + 1):
        wire.peer.sendto(b"\x80\x00" + bytes(octets - 2), running.address)
    wire.clock.advance(PTIME)
    assert ({SocketDrop.TOO_LONG: 1}, 1) == (running.drops(), running.packets_in)
    assert MAX_DATAGRAM_OCTETS == running.octets_in


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x00" * 40, b"\x80\xc8"], ids=["empty", "one octet", "no RTP", "RTCP"]
)
def test_noise_ends_nothing(wire: Wire, data: bytes) -> None:
    """The session counts it under its own reasons."""
    running = wire.start()
    wire.peer.sendto(data, running.address)
    wire.peer.sendto(data, running._pair.rtcp_address)
    wire.clock.advance(0.2)
    assert (2, False) == (running.packets_in, running.stopped)
    assert 2 == sum(running.session.stats().drops.values())


def test_an_icmp_error_is_counted_and_ends_nothing(wire: Wire) -> None:
    """The peer's host said that nobody listens; perhaps not yet."""
    running = wire.start()
    running._pair.rtp = BrokenSocket(running._pair.rtp, recvmsg=ConnectionRefusedError())
    wire.clock.advance(PTIME)
    assert MAX_DATAGRAMS_PER_VISIT == running.drops()[SocketDrop.ICMP]
    assert not running.stopped


@pytest.mark.skipif(not hasattr(socket, "AF_NETLINK"), reason="only Linux tells")
def test_what_the_kernel_dropped_is_counted(wire: Wire) -> None:
    """A stall so long that the receive queue ran over: sent = received + dropped (SO_RXQ_OVFL)."""
    running = wire.start(remote=None)
    for _ in range(2000):
        wire.peer.sendto(b"\x80\x00", running.address)
    wire.clock.advance(1.0)
    wire.peer.sendto(b"\x80\x00", running.address)
    wire.clock.advance(PTIME)
    dropped = running.drops()[SocketDrop.QUEUE_FULL]
    assert dropped > 0
    assert 2001 == running.packets_in + dropped


# RTCP.


def test_reports_are_exchanged(wire: Wire) -> None:
    """After some seconds each side knows what the other one hears."""
    players = Recorder(), Recorder()
    streams = connect(wire.engine, wire.clock, *players)
    wire.clock.advance(12.0)
    for each in streams:
        stats = each.session.stats()
        assert stats.remote is not None
        assert (0, True) == (stats.remote.lost, stats.round_trip is not None)


def test_rtcp_goes_to_the_port_above_the_media(wire: Wire) -> None:
    """RFC 3550 11: the next higher port."""
    running = wire.start()
    assert (HOST, wire.address[1] + 1) == running._rtcp_destination()


def test_rtcp_goes_where_signalling_says(wire: Wire) -> None:
    """RFC 3605: a=rtcp names another port."""
    running = wire.start(remote=(HOST, 9))
    running.rtcp_destination = wire.address
    wire.clock.advance(6.0)
    (report,) = [data for data in wire.heard() if 192 <= data[1] <= 223]
    assert 200 == report[1]


def test_multiplexed_rtcp_goes_over_the_media_port_and_is_understood_there(wire: Wire) -> None:
    """RFC 5761 4: the second octet tells RTCP from RTP."""
    running = wire.engine.start(
        wire.engine.open(HOST), session(wire.address, wire.clock.now), wire.player, rtcp_mux=True
    )
    wire.say(running)
    wire.clock.advance(6.0)
    assert [200] == [data[1] for data in wire.heard() if 192 <= data[1] <= 223]
    wire.theirs.close(wire.clock.now, 0.0)
    for data in wire.theirs.rtcp_to_send():
        wire.peer.sendto(data, running.address)
    wire.clock.advance(PTIME)
    assert [99] == [event.ssrc for event in wire.player.told_of(RemoteBye)]


def test_reports_without_an_address_are_counted(wire: Wire) -> None:
    """They are due all the same."""
    running = wire.start(remote=None)
    wire.clock.advance(6.0)
    assert 1 == running.drops()[SocketDrop.NOWHERE]


def test_a_report_that_the_system_does_not_send_is_counted(wire: Wire) -> None:
    """And ends nothing."""
    running = wire.start()
    running._pair.rtcp = BrokenSocket(running._pair.rtcp, sendto=ConnectionRefusedError())
    wire.clock.advance(6.0)
    assert {SocketDrop.ICMP: 1} == running.drops()


# Captures, and the end.


def test_a_tap_sees_every_datagram_with_its_two_endpoints(wire: Wire) -> None:
    """Both directions, RTP and RTCP, in the words of a capture."""
    running, seen = wire.start(), set()
    running.tap = lambda data, source, destination, instant, is_rtcp: seen.add((source, destination, is_rtcp))
    ours, rtcp = running.address, running._pair.rtcp_address
    wire.say(running)
    wire.peer.sendto(b"\x80\xc9", rtcp)
    wire.clock.advance(6.0)
    there = wire.address
    assert {
        (ours, there, False),
        (there, ours, False),
        (there, rtcp, True),
        (rtcp, (HOST, there[1] + 1), True),
    } == seen


def test_stopping_says_goodbye_and_closes_the_sockets(wire: Wire) -> None:
    """RFC 3550 6.6: the peer learns it by RTCP BYE."""
    players = Recorder(), Recorder()
    alice, bob = connect(wire.engine, wire.clock, *players)
    wire.clock.advance(6.0)
    alice.stop()
    alice.stop()
    wire.clock.advance(0.2)
    assert 1 == len(players[1].told_of(RemoteBye))
    assert (True, -1, -1) == (alice.stopped, alice._pair.rtp.fileno(), alice._pair.rtcp.fileno())
    assert not bob.stopped


def test_the_numbers_of_a_stopped_stream_can_still_be_read(wire: Wire) -> None:
    """A report is written after the call."""
    running = wire.start()
    wire.clock.advance(1.0)
    running.stop()
    assert (50, 50) == (running.lateness().n, running.session.stats().sent_packets)
    assert "stopped: " in repr(running)


@pytest.mark.parametrize("callback", ["next_frame", "sent", "arrived", "play", "told"])
def test_a_player_may_stop_its_stream_in_any_callback(wire: Wire, callback: str) -> None:
    """Nothing is sent or told after that, and nothing fails."""
    running = wire.start()
    wire.player.on[callback] = running.stop
    for _ in range(5):
        if not running.stopped:
            wire.say(running, 2)
        wire.clock.advance(PTIME)
    before = len(wire.player.events), wire.player.asked, len(wire.player.played)
    wire.clock.advance(0.5)
    assert running.stopped
    assert before == (len(wire.player.events), wire.player.asked, len(wire.player.played))
    assert 0 == wire.engine.stats().failed


def test_nothing_is_told_after_the_event_that_made_the_player_stop(wire: Wire) -> None:
    """The first packet of one source and two of the next come in one visit; the second event finds nobody."""
    running, other = wire.start(), session(None, wire.clock.now, ssrc=55)
    wire.player.on["told"] = running.stop
    wire.say(running)
    for _ in range(2):
        wire.peer.sendto(other.send_frame(FRAME, 0, wire.clock.now) or b"", running.address)
    wire.clock.advance(PTIME)
    assert [FirstPacket] == [type(event) for event in wire.player.events]


def test_a_tap_may_stop_its_stream(wire: Wire) -> None:
    """The rest of what is in the socket belongs to nobody."""
    running = wire.start()
    running.tap = lambda *_what: running.stop()
    wire.say(running, 3)
    wire.clock.advance(PTIME)
    assert ({}, 0) == (running.drops(), wire.engine.stats().failed)


def test_a_player_may_stop_between_the_two_frames_of_a_burst(wire: Wire) -> None:
    """The second is not asked for."""
    running = wire.start()
    wire.clock.advance(PTIME)
    wire.player.on["sent"] = running.stop
    wire.clock.stall(5 * PTIME)
    assert (2, True) == (wire.player.asked, running.stopped)


def test_its_description_tells_ports_and_counts(wire: Wire) -> None:
    """For a debugger and a log."""
    running = wire.start()
    wire.clock.advance(PTIME)
    pair = f"<PortPair {HOST} {running.address[1]}/{running.address[1] + 1}>"
    assert f"<MediaStream {pair} to {wire.address}: 1 out, 0 in>" == repr(running)
