"""The asyncio shell over real sockets of loopback: life, limits, names, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest
from support.loop import run
from support.messages import request
from support.sip_pair import SDP

from offhook.sipcore.aio import Leg, ListenError, UnknownHost, UserAgent
from offhook.sipcore.aio.user_agent import parse_listen
from offhook.sipcore.call_events import CallAnswered, CallConfirmed, CallEnded, CallProgressed, InviteFailed
from offhook.sipcore.drops import Drop
from offhook.sipcore.endpoint import Settings
from offhook.sipcore.exceptions import LocalError, MalformedMessage
from offhook.sipcore.flow import Flow
from offhook.sipcore.session import SessionState
from offhook.sipcore.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable

    from offhook.sipcore.call_events import CallEvent

pytestmark = pytest.mark.real_network

HERE = "udp:127.0.0.1:0"
QUICK = Settings(timers=Timers(t1=0.01, t2=0.02, t4=0.02, d=0.1))
NOBODY = Settings(timers=Timers(t1=0.5))


class Ears:
    """A listener that can be waited on."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[CallEvent] = asyncio.Queue()

    async def until(self, kind: type[CallEvent]) -> CallEvent:
        """The next event of this kind; those before it are passed over."""
        while not isinstance(event := await asyncio.wait_for(self.events.get(), 5.0), kind):
            pass
        return event


def answering(legs: list[Leg], ears: Ears) -> Callable[[Leg], None]:
    """Who rings, accepts and listens."""

    def on_call(leg: Leg) -> None:
        legs.append(leg)
        leg.listener = ears.events.put_nowait
        leg.ring()
        leg.accept(SDP)

    return on_call


def uri(agent: UserAgent, host: str = "127.0.0.1") -> str:
    """Where the agent is called."""
    return f"sip:bob@{host}:{agent.addresses[0][1]}"


async def stand(alice: UserAgent, bob: UserAgent, host: str = "127.0.0.1") -> tuple[Leg, Leg, Ears]:
    """A call that stands: Alice's leg, Bob's, what Alice hears."""
    legs: list[Leg] = []
    theirs, mine = Ears(), Ears()
    bob.on_call = answering(legs, theirs)
    leg = await alice.invite(uri(bob, host), body=SDP, listener=mine.events.put_nowait)
    await mine.until(CallAnswered)
    await theirs.until(CallConfirmed)
    return leg, legs[0], mine


def test_a_call_stands_and_is_hung_up_by_either_side() -> None:
    """Six messages, and each side heard of its end."""

    async def talk() -> None:
        async with UserAgent(HERE) as alice, UserAgent(HERE) as bob:
            leg, theirs, ears = await stand(alice, bob)
            assert (False, True) == (leg.is_incoming, theirs.is_incoming)
            assert theirs.local_address == bob.addresses[0]
            theirs.hang_up()
            await ears.until(CallEnded)
            assert SessionState.ENDED is leg.state

    run(talk())


def test_closing_hangs_up_what_stands_and_waits_for_the_answer() -> None:
    """The peer hears BYE; nobody is left with half a call."""

    async def close() -> None:
        async with UserAgent(HERE) as bob:
            async with UserAgent(HERE) as alice:
                _, theirs, _ = await stand(alice, bob)
            assert (True, True) == (theirs.session.is_over, "closed" in repr(alice))
            assert 1 == alice.counts().received["2xx"] - 1

    run(close())


def test_closing_waits_for_the_ack_before_its_bye() -> None:
    """Section 15: an answered call is hung up when its ACK comes, also by who is about to close."""

    async def close() -> None:
        legs: list[Leg] = []
        ears, mine = Ears(), Ears()
        async with UserAgent(HERE) as alice:
            async with UserAgent(HERE, on_call=answering(legs, ears)) as bob:
                await alice.invite(uri(bob), listener=mine.events.put_nowait)
                await _until(lambda: legs)
            await mine.until(CallEnded)
            assert 1 == bob.counts().sent["BYE"]

    run(close())


async def _until(condition: Callable[[], Any]) -> None:
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


def test_whoever_calls_while_we_close_is_refused() -> None:
    """603, and the closing is not held up."""

    async def close() -> None:
        async with UserAgent(HERE) as alice, UserAgent(HERE) as bob:
            ears = Ears()
            alice._core.is_waiting = lambda: True  # type: ignore[method-assign]
            closing = asyncio.ensure_future(alice.close())
            await asyncio.sleep(0)
            await bob.invite(uri(alice), listener=ears.events.put_nowait)
            assert 603 == (await ears.until(InviteFailed)).status
            del alice._core.is_waiting
            alice.settle()
            await closing
            await alice.close()

    run(close())


def test_a_cancelled_closing_frees_everything_all_the_same() -> None:
    """The sockets do not wait for a peer that is silent."""

    async def close() -> None:
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with silent:
            silent.bind(("127.0.0.1", 0))
            alice = UserAgent(HERE, settings=QUICK)
            await alice.start()
            await alice.invite(f"sip:x@127.0.0.1:{silent.getsockname()[1]}")
            closing = asyncio.ensure_future(alice.close())
            await asyncio.sleep(0)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            assert [] == alice.addresses

    run(close())


def test_nobody_there_is_told_by_the_kernel_or_by_the_clock() -> None:
    """The deadline of the core is kept by one timer of the loop."""

    async def call() -> None:
        async with UserAgent(HERE, settings=QUICK) as alice:
            ears = Ears()
            await alice.invite("sip:x@127.0.0.1:9", listener=ears.events.put_nowait)
            assert (await ears.until(InviteFailed)).status in {408, 503}

    run(call())


def test_a_host_that_cannot_be_sent_to_is_503() -> None:
    """What the socket says comes back to the call, and to no other."""

    async def call() -> None:
        async with UserAgent(HERE) as alice:
            ears = Ears()
            await alice.invite("sip:x@255.255.255.255", listener=ears.events.put_nowait)
            assert 503 == (await ears.until(InviteFailed)).status

    run(call())


class TestNames:
    """Targets that are named and not numbered."""

    def test_a_named_host_is_called(self) -> None:
        """By the family that a socket of ours can reach."""

        async def call() -> None:
            async with UserAgent(HERE) as alice, UserAgent(HERE) as bob:
                leg, _, _ = await stand(alice, bob, "localhost")
                assert ("127.0.0.1", SessionState.CONFIRMED) == (leg.session.flow.remote[0], leg.state)

        run(call())

    def test_ack_and_bye_to_a_named_contact_arrive_in_order(self) -> None:
        """Both wait for the name's address; the BYE does not overtake."""

        async def call() -> None:
            async with UserAgent(HERE) as alice, UserAgent(HERE, advertise="localhost") as bob:
                seen: list[bytes] = []
                bob.taps.append(
                    lambda data, source, *_: seen.append(data[:3]) if source == alice.addresses[0] else None
                )
                leg, _, ears = await stand(alice, bob)
                assert "localhost" == leg.session.dialog.remote_target.host
                leg.bye()
                await ears.until(CallEnded)
                await _sees(seen, [b"INV", b"ACK", b"BYE"])

        run(call())

    def test_a_name_that_has_no_address_is_told(self) -> None:
        """At once to who calls it; by 503 to a dialog that points to it."""

        async def call() -> None:
            async with UserAgent(HERE) as alice:
                for host in ("nobody.invalid", "a" * 64 + ".invalid"):
                    with pytest.raises(UnknownHost, match="has no address"):
                        await alice.invite(f"sip:x@{host}")

        run(call())


async def _sees(seen: list[bytes], expected: list[bytes]) -> None:
    for _ in range(100):
        if seen == expected:
            return
        await asyncio.sleep(0.01)
    assert expected == seen


class TestListeners:
    """Whatever a listener does, only its own call suffers."""

    def test_an_exception_before_the_answer_is_500(self, caplog: pytest.LogCaptureFixture) -> None:
        """Logged, and the next call is taken."""

        def fail(leg: Leg) -> None:
            raise RuntimeError("a fault of the user's")

        async def call() -> None:
            async with UserAgent(HERE) as alice, UserAgent(HERE, on_call=fail) as bob:
                ears = Ears()
                await alice.invite(uri(bob), listener=ears.events.put_nowait)
                assert 500 == (await ears.until(InviteFailed)).status
                await stand(alice, bob)

        run(call())
        assert "a listener failed" in caplog.text

    def test_an_exception_in_a_standing_call_is_bye(self) -> None:
        """The peer hears BYE."""

        async def call() -> None:
            async with UserAgent(HERE) as alice, UserAgent(HERE) as bob:

                def fail(event: CallEvent) -> None:
                    if isinstance(event, CallAnswered):
                        raise RuntimeError("a fault of the user's")  # noqa: TRY004

                legs: list[Leg] = []
                ears = Ears()
                bob.on_call = answering(legs, ears)
                await alice.invite(uri(bob), listener=fail)
                await ears.until(CallEnded)

        run(call())

    def test_without_anybody_who_takes_calls_they_are_480(self) -> None:
        """Temporarily Unavailable."""

        async def call() -> None:
            async with UserAgent(HERE) as alice, UserAgent(HERE) as bob:
                ears = Ears()
                leg = await alice.invite(uri(bob))
                await _until_over(leg)
                leg.listener = ears.events.put_nowait
                assert 480 == (await ears.until(InviteFailed)).status

        run(call())


async def _until_over(leg: Leg) -> None:
    for _ in range(500):
        if leg.session.is_over:
            return
        await asyncio.sleep(0.01)


class TestUse:
    """What a user may ask, and what is refused."""

    def test_what_is_not_spoken_is_refused(self) -> None:
        """sips:, other transports, other schemes, other families."""

        async def call() -> None:
            async with UserAgent(HERE) as alice:
                for target in ("sips:x@127.0.0.1", "sip:x@127.0.0.1;transport=tcp", "sip:x@[::1]"):
                    with pytest.raises(LocalError):
                        await alice.invite(target)
                with pytest.raises(MalformedMessage):
                    await alice.invite("tel:+4930")

        run(call())

    def test_before_the_start_nothing_can_be_asked(self) -> None:
        """With a sentence that says what is missing."""
        agent = UserAgent(HERE)
        with pytest.raises(LocalError, match="async with"):
            agent.now()
        assert "<UserAgent closed sessions=0>" == repr(agent)

    def test_a_taken_address_is_named(self) -> None:
        """And what was bound before it is freed."""

        async def bind() -> None:
            async with UserAgent(HERE) as bob:
                port = bob.addresses[0][1]
                with pytest.raises(ListenError, match=f"cannot listen on udp:127.0.0.1:{port}"):
                    await UserAgent(HERE, f"udp:127.0.0.1:{port}").start()

        run(bind())

    def test_what_is_advertised_stands_in_contact(self) -> None:
        """Behind a NAT nobody reaches the address that we are bound to."""

        async def call() -> None:
            async with UserAgent(HERE, advertise="192.0.2.5:5099") as alice, UserAgent(HERE) as bob:
                leg = await alice.invite(uri(bob), offer=lambda address: f"{address}".encode(), caller="<sip:me@x>")
                assert ("192.0.2.5", b"('192.0.2.5', 5099)") == (alice.facing(leg), leg.invite.body)
                assert "sip:offhook@192.0.2.5:5099" == str(leg.invite.contact.uri)
                assert alice.addresses[0] == leg.local_address
                leg.cancel()

        run(call())

    def test_a_closed_agent_sends_nothing_and_says_so(self) -> None:
        """Counted by reason."""

        async def close() -> None:
            async with UserAgent(HERE) as alice:
                pass
            alice._core.send(request("OPTIONS"), Flow("UDP", ("127.0.0.1", 1), ("127.0.0.1", 2)))
            alice._core.send(request("OPTIONS"), Flow("UDP", ("127.0.0.1", 1), ("named.invalid", 2)))
            alice.settle()
            assert 2 == alice.counts().dropped[Drop.NO_SOCKET]

        run(close())

    def test_too_many_messages_for_a_name_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the queue of a name refuses is lost, and has a reason."""

        async def flood() -> None:
            async with UserAgent(HERE) as alice:
                monkeypatch.setattr(alice._named, "send", lambda *_: False)
                alice._core.send(request("OPTIONS"), Flow("UDP", alice.addresses[0], ("named.invalid", 2)))
                alice.settle()
                assert 1 == alice.counts().dropped[Drop.NAME_QUEUE_FULL]

        run(flood())

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("udp:127.0.0.1:5070", ("127.0.0.1", 5070)),
            ("UDP:[::1]:0", ("::1", 0)),
            ("127.0.0.1:5070", ("127.0.0.1", 5070)),
            ("udp:localhost", ("localhost", 5060)),
        ],
    )
    def test_a_listening_address_is_read(self, text: str, expected: tuple[str, int]) -> None:
        """5060 where no port is named."""
        assert expected == parse_listen(text)

    @pytest.mark.parametrize("text", ["tcp:127.0.0.1:5060", "udp:", "udp:a:b", "udp:127.0.0.1:99999"])
    def test_another_one_is_refused_with_an_example(self, text: str) -> None:
        """Nobody has to guess."""
        with pytest.raises(ListenError, match=r"for example udp:127\.0\.0\.1:5060"):
            parse_listen(text)


def test_progress_comes_before_the_answer() -> None:
    """In the order of the wire, also when nobody listened at first."""

    async def call() -> None:
        async with UserAgent(HERE) as alice, UserAgent(HERE) as bob:
            legs: list[Leg] = []
            bob.on_call = answering(legs, Ears())
            leg = await alice.invite(uri(bob))
            await _until_state(leg, SessionState.CONFIRMED)
            heard: list[CallEvent] = []
            leg.listener = heard.append
            assert [CallProgressed, CallAnswered] == [type(event) for event in heard]

    run(call())


async def _until_state(leg: Leg, state: SessionState) -> None:
    for _ in range(500):
        if leg.state is state:
            return
        await asyncio.sleep(0.01)
