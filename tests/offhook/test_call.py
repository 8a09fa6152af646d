"""One call through all its states: two phones, or a phone and a peer that does exactly what it is told."""

import asyncio
import contextlib
import gc
import wave
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.loop import run
from support.peer_calls import called, events_of, hang_up, kinds, standing
from support.phones import OURS, THEIRS, failure_of, only_ring, phones, say, silent, until
from support.scripted_peer import Peer

import offhook
from offhook import Audio, Call, CallFailed, CallOver, Phone
from offhook.call import MAX_DIGITS_KEPT, MAX_EVENTS_KEPT
from offhook.codecs import codec, tone_present
from offhook.events import Answered, DtmfReceived, Ended, MediaStarted, Ringing
from offhook.rtp.aio import NoPortsLeft, TooManyStreams
from offhook.sipcore import InvalidState
from offhook.sipcore.sdp import NotAcceptable, Refusal

pytestmark = pytest.mark.real_network


class TestGettingThrough:
    def test_a_call_rings_is_answered_and_ends(self) -> None:
        """Each can be waited for by itself, and events tell the same in order."""

        async def agent(call: Call) -> None:
            call.ring()
            await silent(call)

        async def main() -> tuple[list[Any], bool]:
            async with phones(agent) as (caller, other):
                call = await caller.dial(other.uri)
                ringing = await call.ringing()
                assert call is await call.answered()
                assert ringing is await call.ringing()
                await until(lambda: call.quality.received)
                call.hang_up()
                return [ringing.status, *await events_of(call)], call.is_over

        (status, *events), is_over = run(main())
        assert (180, ["Ringing", "Answered", "MediaStarted", "Ended"], True) == (status, kinds(events), is_over)

    def test_a_call_that_is_answered_without_ringing_has_rung(self) -> None:
        """The 200 stands for both."""

        async def main() -> int:
            async with phones(silent) as (caller, other), await caller.dial(other.uri) as call:
                return (await call.ringing()).status

        assert 200 == run(main())

    def test_waiting_for_the_ringing_of_a_call_that_fails_tells_the_failure(self) -> None:
        """It never rang."""

        async def main() -> int:
            async with phones() as (caller, other):
                with pytest.raises(CallFailed) as failure:
                    await (await caller.dial(other.uri)).ringing()
                return failure.value.status

        assert 480 == run(main())

    def test_a_refusal_brings_its_response(self) -> None:
        """Status, phrase, the telephone network's cause."""

        async def agent(call: Call) -> None:
            call.reject(486, "Gone fishing", (("Reason", "Q.850;cause=17"),))

        async def main() -> CallFailed:
            async with phones(agent) as (caller, other):
                return await failure_of(caller, other.uri)

        failure = run(main())
        assert (486, "Gone fishing", 17) == (failure.status, failure.reason, failure.q850)

    def test_what_is_asked_of_a_call_in_the_wrong_state_is_told(self) -> None:
        """Of a call of ours: it is neither answered nor rung nor refused by us, and has no sound yet."""

        async def main() -> int:
            async with phones(only_ring) as (caller, other), await caller.dial(other.uri) as call:
                asked: list[Callable[[], Any]] = [
                    call.ring, call.reject, lambda: call.quality, lambda: call.sample_rate, lambda: call.audio,
                    lambda: call.start_playing(say()), lambda: call.record("/dev/null"),
                ]  # fmt: skip
                for ask in asked:
                    with pytest.raises(InvalidState):
                        ask()
                for wait in (call.answer(), call.play(say()), call.listen(), call.send(say().pcm), call.send_dtmf("1")):
                    with pytest.raises(InvalidState):
                        await wait
                call.stop_playing()
                return len(asked)

        assert 7 == run(main())

    def test_a_call_knows_who_and_what(self) -> None:
        """Numbers, Call-ID, codec, state, one line for logs."""

        async def main() -> list[Any]:
            async with phones(silent) as (caller, other):
                uri = other.uri.replace("sip:", "sip:+4930@")
                async with caller.call(uri, caller='"Al" <sip:+1201@example.com>') as call:
                    (incoming,) = other.calls
                    return [
                        (call.caller_number, call.callee_number, call.codec, call.sample_rate),
                        (incoming.caller_number, incoming.callee_number, incoming.is_incoming, incoming.id == call.id),
                        repr(call) == f"<Call to {uri} talking>",
                        repr(incoming),
                    ]

        assert [
            ("+1201", "+4930", "PCMU", 8000),
            ("+1201", "+4930", True, True),
            True,
            "<Call from +1201 talking>",
        ] == run(main())

    def test_the_number_that_was_called_is_that_of_to_else_of_the_request_uri(self) -> None:
        """RFC 3261 8.1.1.2: To is whom the caller wants; the Request-URI is where a proxy has sent it."""

        async def main() -> list[str]:
            numbers: list[str] = []

            async def agent(call: Call) -> None:
                numbers.append(call.callee_number)

            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                phone.on_call(agent)
                for written in ("<sip:+4930@example.com>", "<sip:example.com>"):
                    invite = _write_to(peer, phone, written)
                    await peer.expect(603)
                    assert "trunk" in invite.target
            return numbers

        assert ["+4930", "trunk"] == run(main())


def _write_to(peer: Peer, phone: Phone, written: str) -> Any:
    """The peer calls `trunk` at the phone, with another To."""
    original = peer._head
    peer._head = lambda *a: [  # type: ignore[method-assign]
        f"To: {written}" if line.startswith("To:") else line.replace("@peer", f"{len(written)}@peer")
        for line in original(*a)
    ]
    invite = peer.invite(phone.address, peer.sdp(), to="trunk")
    peer._head = original  # type: ignore[method-assign]
    return invite


class TestHangingUp:
    def test_a_call_of_ours_that_rings_is_cancelled_and_over_at_once(self) -> None:
        """The 487 is the phone's business; it is kept for those who want to see it."""

        async def main() -> list[Any]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                peer.answer(invite, 180)
                await call.ringing()
                call.hang_up()
                over = call.is_over
                peer.answer(await peer.expect("CANCEL"), 200)
                peer.answer(invite, 487)
                await peer.expect("ACK")
                await until(lambda: call.response)
                with pytest.raises(CallFailed) as failure:
                    await call.answered()
                return [over, failure.value.status, (await call.ended()).by, call.response and call.response.status]

        assert [True, 487, "local", 487] == run(main())

    def test_a_200_that_crosses_our_cancel_is_acknowledged_and_hung_up(self) -> None:
        """ACK, then BYE (RFC 3261 9.1 and 15); the call stays what it was: over."""

        async def main() -> tuple[bool, list[str]]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                peer.answer(invite, 180)
                await call.ringing()
                call.hang_up()
                cancel = await peer.expect("CANCEL")
                peer.answer(invite, 200, peer.sdp())
                peer.answer(cancel, 200)
                await peer.expect("ACK")
                peer.answer(await peer.expect("BYE"), 200)
                return call.media is None, kinds(await events_of(call))

        assert (True, ["Ringing", "Ended"]) == run(main())

    def test_a_call_to_us_that_rings_is_declined(self) -> None:
        """603."""

        async def agent(call: Call) -> None:
            call.hang_up()
            call.hang_up()

        async def main() -> int:
            async with phones(agent) as (caller, other):
                return (await failure_of(caller, other.uri)).status

        assert 603 == run(main())

    def test_a_call_that_we_answered_is_hung_up_when_its_ack_has_come(self) -> None:
        """RFC 3261 15: no BYE before the ACK. For us the call is over at once."""

        async def main() -> tuple[bool, str]:
            over = asyncio.get_running_loop().create_future()

            async def agent(call: Call) -> None:
                asyncio.get_running_loop().call_soon(call.hang_up)
                with contextlib.suppress(CallFailed):
                    await call.answer()
                over.set_result(call.is_over)

            async with Peer() as peer, called(peer, agent):
                response = await peer.expect(200)
                result = await over
                peer.ack(response)
                bye = await peer.expect("BYE")
                peer.answer(bye, 200)
                return result, bye.method

        assert (True, "BYE") == run(main())

    def test_the_peer_may_hang_up_before_its_ack_has_come(self) -> None:
        """UDP reorders. Whoever waits for the answer is told."""

        async def main() -> int:
            statuses: asyncio.Queue[int] = asyncio.Queue()

            async def agent(call: Call) -> None:
                try:
                    await call.answer()
                except CallFailed as failure:
                    statuses.put_nowait(failure.status)

            async with Peer() as peer, called(peer, agent):
                await hang_up(peer, await peer.expect(200))
                return await statuses.get()

        assert 487 == run(main())

    def test_headers_go_with_the_bye(self) -> None:
        """A Reason, for instance."""

        async def main() -> str | None:
            async with Peer() as peer, standing(peer) as (call, _, _):
                call.hang_up((("Reason", "Q.850;cause=16"),))
                bye = await peer.expect("BYE")
                peer.answer(bye, 200)
                return str(bye.headers.get("Reason"))

        assert "Q.850;cause=16" == run(main())

    def test_a_header_that_would_break_out_of_its_line_is_refused_and_the_call_stands(self) -> None:
        """CR and LF begin a header of their own."""

        async def main() -> bool:
            async with Peer() as peer, standing(peer) as (call, _, _):
                with pytest.raises(ValueError, match=r"CR|LF|line"):
                    call.hang_up((("X-A", "a\r\nB: c"),))
                return bool(call.is_over)

        assert not run(main())


class TestCancelled:
    def test_a_caller_that_gives_up_ends_the_call_for_everybody(self) -> None:
        """487; whoever answers too late is told that the caller has gone."""

        async def main() -> list[Any]:
            told: asyncio.Queue[Any] = asyncio.Queue()

            async def agent(call: Call) -> None:
                call.ring()
                told.put_nowait(await call.ended())
                with pytest.raises(CallFailed, match="487") as failure:
                    await call.answer()
                told.put_nowait(failure.value.status)
                for late in (call.reject, call.ring):
                    with pytest.raises(InvalidState):
                        late()
                told.put_nowait("late")

            async with Peer() as peer, called(peer, agent) as (_, invite):
                await peer.expect(180)
                peer.cancel(invite)
                await peer.expect(200)
                await peer.expect(487)
                ended = await told.get()
                return [ended.by, ended.request.method, await told.get(), await told.get()]

        assert ["failure", "CANCEL", 487, "late"] == run(main())

    def test_a_call_is_answered_once(self) -> None:
        """Not again while the ACK is awaited, nor later, nor refused then."""

        async def main() -> bool:
            done = asyncio.get_running_loop().create_future()

            async def agent(call: Call) -> None:
                first = asyncio.ensure_future(call.answer())
                await asyncio.sleep(0)
                with pytest.raises(InvalidState, match="too late to answer"):
                    await call.answer()
                await first
                with pytest.raises(InvalidState):
                    await call.answer()
                with pytest.raises(InvalidState):
                    call.reject()
                done.set_result(call.is_over)
                await call.ended()

            async with phones(agent) as (caller, other), caller.call(other.uri):
                return bool(await done)

        assert not run(main())

    def test_only_a_call_of_ours_rings_elsewhere(self) -> None:
        """The other side of `ringing()`."""

        async def main() -> None:
            async def agent(call: Call) -> None:
                with pytest.raises(InvalidState):
                    await call.ringing()
                await silent(call)

            async with phones(agent) as (caller, other), caller.call(other.uri):
                pass

        run(main())


class TestEndWhileBusy:
    """The peer hangs up while we play, listen, send, press keys or read: each ends at once."""

    @staticmethod
    async def busy(act: Callable[[Call], Any]) -> Any:
        """What comes of it."""
        async with Peer() as peer, standing(peer) as (call, invite, _):
            acting = asyncio.ensure_future(act(call))
            await peer.packet()
            peer.request("BYE", invite)
            await peer.expect(200)
            async with asyncio.timeout(1.0):
                return await acting

    def test_a_piece_comes_back_interrupted(self) -> None:
        """With what was heard of it."""
        piece = run(self.busy(lambda call: call.play(Audio.silence(60.0))))
        assert (True, True) == (piece.interrupted, piece.is_over)

    def test_an_utterance_is_what_was_heard_so_far(self) -> None:
        """Nothing, here."""
        assert 0 == len(run(self.busy(lambda call: call.listen(silence=60.0))))

    def test_a_stream_is_told_that_the_call_is_over(self) -> None:
        """Its samples will never leave."""
        with pytest.raises(CallOver, match="the peer hung up"):
            run(self.busy(lambda call: call.send(Audio.silence(60.0).pcm)))

    def test_keys_that_were_not_sent_are_told(self) -> None:
        """Whoever dials through a menu must know that he has not arrived."""
        with pytest.raises(CallOver):
            run(self.busy(lambda call: call.send_dtmf("123456789", duration=1.0)))

    def test_readers_see_the_end(self) -> None:
        """Frames, keys, events."""

        async def read(call: Call) -> list[Any]:
            frames, keys = call.audio, call.dtmf()
            return [[_ async for _ in frames], [_ async for _ in keys], kinds(await events_of(call))]

        assert [[], [], ["Answered", "Ended"]] == run(self.busy(read))

    def test_what_is_asked_of_a_call_that_is_over_is_told(self) -> None:
        """And does not wait for frames that will never leave. A reader of frames just ends; the figures stay."""

        async def main() -> list[Any]:
            async with Peer() as peer, standing(peer) as (call, invite, _):
                await hang_up(peer, invite)
                await call.ended()
                for wait in (call.play(say()), call.listen(), call.send(say().pcm), call.send_dtmf("1")):
                    with pytest.raises(CallOver):
                        await wait
                for ask in (lambda: call.start_playing(say()), lambda: call.record("/dev/null")):
                    with pytest.raises(CallOver):
                        ask()
                call.stop_playing()
                call.hang_up()
                call.give_up()
                call.fail()
                return [[_ async for _ in call.audio], call.quality.codec, call.sample_rate, (await call.ended()).by]

        assert [[], "PCMU", 8000, "remote"] == run(main())

    def test_a_call_that_never_had_media_and_is_over_says_so(self) -> None:
        """Even for its figures."""

        async def main() -> None:
            async with phones() as (caller, other):
                call = await caller.dial(other.uri)
                await call.ended()
                with pytest.raises(CallOver):
                    _ = call.quality

        run(main())


class TestSpeaking:
    def test_after_a_stop_not_one_queued_frame_is_sent(self) -> None:
        """Barge-in: the agent falls silent within one frame, whatever was queued."""

        async def main() -> set[bytes]:
            async with Peer() as peer, standing(peer) as (call, _, _):
                pieces = [call.start_playing(say(seconds=5.0)) for _ in range(3)]
                await until(lambda: pieces[0].started)
                call.stop_playing()
                peer.forget_packets()
                heard = {(await peer.packet())[12:] for _ in range(4)}
                assert all(piece.interrupted for piece in pieces)
                return heard

        assert {codec("PCMU").silence} == run(main())

    def test_cancelling_a_play_stops_it(self) -> None:
        """`asyncio.timeout` around it is a barge-in too."""

        async def main() -> int:
            async with Peer() as peer, standing(peer) as (call, _, _):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.03):
                        await call.play(say(seconds=5.0))
                return int(call.media.outgoing.backlog)

        assert 0 == run(main())

    def test_a_file_that_is_no_sound_is_told_and_the_call_goes_on(self, tmp_path: Any) -> None:
        """Before a sample of it is sent."""

        async def main() -> bool:
            async with Peer() as peer, standing(peer) as (call, _, _):
                with pytest.raises(offhook.AudioError, match="no such file"):
                    await call.play(tmp_path / "none.wav")
                return bool(call.is_over)

        assert not run(main())

    def test_a_stream_is_sent_at_the_pace_of_the_clock(self) -> None:
        """Whoever sends faster waits: a tenth of a second is queued and no more."""

        async def main() -> int:
            most = 0
            async with Peer() as peer, standing(peer) as (call, _, _):
                for frame in np.split(say(seconds=0.3).pcm, 15):
                    await call.send(frame)
                    most = max(most, call.media.outgoing.backlog)
            return most

        assert 3 <= run(main()) <= 5


class TestKeys:
    def test_keys_are_heard_in_order_each_once(self) -> None:
        """RFC 4733 both ways; sound goes on behind them."""

        async def main() -> tuple[str, list[str]]:
            pressed = ""

            async def agent(call: Call) -> None:
                nonlocal pressed
                await call.answer()
                async for key in call.dtmf():
                    pressed += key

            async with phones(agent) as (caller, other), caller.call(other.uri) as call:
                (incoming,) = other.calls
                await call.send_dtmf("12#", duration=0.04, gap=0.04)
                await until(lambda: len(pressed) == 3)
                call.hang_up()
                await incoming.ended()
                return pressed, [event.digit for event in await events_of(incoming) if isinstance(event, DtmfReceived)]

        assert ("12#", ["1", "2", "#"]) == run(main())

    def test_a_peer_that_takes_no_keys_is_told_of_at_once(self) -> None:
        """It did not agree to telephone events; and what is no key is none."""

        async def main() -> None:
            async with Peer() as peer, standing(peer, codecs="0") as (call, _, _):
                with pytest.raises(InvalidState, match="takes no telephone events"):
                    await call.send_dtmf("1")
            async with Peer() as peer, standing(peer) as (call, _, _):
                with pytest.raises(ValueError, match="key"):
                    await call.send_dtmf("x")

        run(main())


class TestRecording:
    @pytest.mark.parametrize("side", ["caller", "callee"])
    def test_the_caller_lies_left_and_the_callee_right(self, side: str, tmp_path: Any) -> None:
        """Whoever records; each tone where it was on the wire, and the file is whole when the call is over."""

        async def main() -> tuple[Any, float, float]:
            async with phones(silent) as (caller, other), caller.call(other.uri) as call:
                (incoming,) = other.calls
                await incoming.answered()
                recorder = (call if side == "caller" else incoming).record(tmp_path / "a.wav")
                theirs = incoming.start_playing(say(THEIRS, 0.2))
                ours = await call.play(say(OURS, 0.2))
                await theirs.wait()
                await until(lambda: recorder.duration >= 0.2)
                assert ours.started is not None
                assert theirs.started is not None
                call.hang_up()
                await incoming.ended()
                return recorder, ours.started - recorder.start, theirs.started - recorder.start

        recorder, *starts = run(main())
        with wave.open(str(tmp_path / "a.wav"), "rb") as file:
            both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        for lane, frequency, start in zip(both.T, (OURS, THEIRS), starts, strict=True):
            onset = int(np.flatnonzero(np.abs(lane) > 100)[0])
            assert tone_present(lane[onset + 80 : onset + 1200], frequency, 8000)
            assert start == pytest.approx(
                onset / 8000, abs=0.045
            )  # JITTER_TOLERANCE of the time line, and a frame's edge
        assert recorder._file.closed


class TestReading:
    def test_the_oldest_events_and_keys_go_when_nobody_reads(self) -> None:
        """The limits are crossed by one each, and the loss is counted."""

        async def main() -> list[int]:
            async with Peer() as peer, standing(peer) as (call, invite, _):
                for _ in range(MAX_EVENTS_KEPT - 2):
                    call._tell(MediaStarted(0.0, ("127.0.0.1", 9)))
                counts = [call.forgotten]
                await hang_up(peer, invite)
                await call.ended()
                counts.append(call.forgotten)
                call._tell(Answered(0.0, ""))
                for _ in range(MAX_DIGITS_KEPT + 1):
                    call._digits.put(DtmfReceived("1", 0.1, 0.0))
                return [*counts, call.forgotten]

        assert [0, 0, 2] == run(main())

    def test_ringing_that_comes_again_is_told_again(self) -> None:
        """180, then 183: both are events; `ringing()` gives the first."""

        async def main() -> list[Any]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                peer.answer(invite, 180)
                peer.answer(invite, 183)
                peer.answer(invite, 486)
                events = await events_of(call)
                return [
                    *[event.status for event in events if isinstance(event, Ringing)],
                    (await call.ringing()).status,
                ]

        assert [180, 183, 180] == run(main())


class TestMemory:
    def test_a_call_that_is_over_is_kept_by_those_who_hold_it_and_by_nobody_else(self) -> None:
        """Its signalling lives for half a minute more; its sound, readers and buffers are 30 kB that nobody needs."""

        async def main() -> list[Any]:
            async with phones(silent) as (caller, other):
                async with caller.call(other.uri) as call:
                    pass
                kept, sessions = weakref.ref(call), caller.counts().sessions
                del call
                gc.collect()
                return [kept(), sessions, caller.counts().sessions]

        assert [None, 1, 1] == run(main())


class TestFaults:
    def test_a_player_that_fails_ends_its_own_call_only(self, caplog: pytest.LogCaptureFixture) -> None:
        """An observer of somebody's raises in the tick of the engine: BYE, a log record, and the other call talks on."""

        class Broken:
            def sent(self, *_: Any) -> None:
                raise RuntimeError("boom")

            arrived = sent

        async def main() -> list[Any]:
            async with phones(silent) as (caller, other), caller.call(other.uri) as good, caller.call(other.uri) as bad:
                assert bad.media is not None
                bad.media.observers.append(Broken())
                ended = await bad.ended()
                return [ended.by, good.is_over, caller.engine.stats().failed]

        assert ["failure", False, 1] == run(main())
        assert "boom" in caplog.text

    def test_a_fault_of_our_own_while_signalling_ends_the_call_wholly(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """No port stays open, nobody waits for ever, the peer is hung up on."""

        async def main() -> tuple[int, int]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                call = await phone.dial(peer.uri)
                monkeypatch.setattr(call, "_established", lambda: 1 / 0)
                invite = await peer.expect("INVITE")
                peer.answer(invite, 200, peer.sdp())
                peer.answer(await peer.expect("BYE"), 200)
                with pytest.raises(CallFailed) as failure:
                    await call.answered()
                return failure.value.status, phone.engine.stats().streams

        assert (500, 0) == run(main())
        assert "ZeroDivisionError" in caplog.text

    def test_a_part_that_fails_to_end_keeps_none_of_the_others(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Any
    ) -> None:
        """A recording that raises when it is closed: the stream is stopped all the same."""

        async def main() -> int:
            async with Peer() as peer, standing(peer) as (call, invite, _):
                recorder = call.record(tmp_path / "a.wav")
                close = recorder.close
                monkeypatch.setattr(recorder, "close", lambda: (close(), 1 / 0))
                await hang_up(peer, invite)
                await call.ended()
                return int(call.media.stream.stopped)

        assert 1 == run(main())
        assert "ZeroDivisionError" in caplog.text

    @pytest.mark.parametrize("incoming", [True, False])
    def test_an_engine_without_room_ends_the_call_with_503(
        self, incoming: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Service unavailable; what had been answered is hung up."""

        def full(*_: Any, **__: Any) -> None:
            raise TooManyStreams("no more")

        async def main() -> int:
            async with phones(silent) as (caller, other):
                monkeypatch.setattr((other if incoming else caller).engine, "start", full)
                if not incoming:
                    return (await failure_of(caller, other.uri)).status
                call = await caller.dial(other.uri)
                assert "remote" == (await call.ended()).by
                return 503

        assert 503 == run(main())

    def test_a_phone_without_ports_refuses_with_503(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And tells when to try again."""

        def none(_: str) -> None:
            raise NoPortsLeft("no port pair left")

        async def main() -> tuple[int, str | None]:
            async with phones(silent) as (caller, other):
                monkeypatch.setattr(other.engine, "open", none)
                failure = await failure_of(caller, other.uri)
                return failure.status, failure.response.headers.get("Retry-After") if failure.response else None

        assert (503, "5") == run(main())

    def test_an_offer_that_turns_out_to_fit_nothing_is_refused_when_it_is_answered(self) -> None:
        """The phone looks at once, but what can be met may change until the answer."""

        def refuse(_: bytes) -> bytes:
            raise NotAcceptable(Refusal.NO_CODEC)

        async def agent(call: Call) -> None:
            call._negotiation.answer = refuse  # type: ignore[method-assign]
            with pytest.raises(CallFailed, match="488"):
                await call.answer()

        async def main() -> tuple[int, str | None]:
            async with phones(agent) as (caller, other):
                failure = await failure_of(caller, other.uri)
                return failure.status, failure.response.headers.get("Warning") if failure.response else None

        assert (488, '305 offhook "the stream has no codec in common with us"') == run(main())


def test_the_end_tells_who_and_why() -> None:
    """Local, remote or failure, with the request that brought it."""

    async def main() -> list[Ended]:
        async with Peer() as peer, standing(peer) as (call, invite, _):
            peer.request("BYE", invite, b"", "Reason: Q.850;cause=31")
            await peer.expect(200)
            return [await call.ended()]

    (ended,) = run(main())
    assert ("remote", "the peer hung up", 31) == (ended.by, ended.reason, ended.q850)
