"""Phones that call one another on loopback, and what becomes of it."""

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from typing import Any

import pytest
from support.loop import run
from support.phones import OURS, THEIRS, failure_of, only_ring, phones, say, silent, talk, until
from support.scripted_peer import Peer

import offhook
from offhook import Audio, Call, CallFailed, CallOver, Phone
from offhook.codecs import tone_present
from offhook.rtp.aio import NoPortsLeft
from offhook.sipcore import ListenError, LocalError, MalformedMessage
from offhook.sipcore import sdp as sdp_room

pytestmark = pytest.mark.real_network


def contact_of(message: Any) -> str:
    """The host in its Contact."""
    return str(message.contact.uri.host)


class TestReadme:
    def test_the_example_of_the_front_page_runs_as_it_stands(self, tmp_path: Any) -> None:
        """Call, play a file, hear what is said, look at the figures."""

        async def main() -> tuple[Audio, str]:
            async with phones(talk) as (_, agent):
                say().save(tmp_path / "question.wav")
                async with offhook.Phone("udp:127.0.0.1:0") as phone:  # noqa: SIM117 - as it stands there
                    async with phone.call(agent.uri, headers={"X-Simulation-Result-Id": "42"}) as call:
                        await call.play(tmp_path / "question.wav")
                        answer = await call.listen(silence=0.1)
                        return answer, str(call.quality)

        answer, quality = run(main())
        assert quality.startswith("PCMU: loss 0.00% (n=")
        assert isinstance(answer, Audio)

    def test_the_example_of_an_agent_echoes(self) -> None:
        """Incoming calls in a loop, custom headers, numbers, frames as they come."""

        async def serve(phone: Phone, seen: list[Any]) -> None:
            async for call in phone.incoming():
                seen.append((call.request.headers["X-Simulation-Result-Id"], call.caller_number, call.callee_number))
                await call.answer()
                with contextlib.suppress(CallOver):  # the frame that is being sent when the caller hangs up
                    async for frame in call.audio:
                        await call.send(frame)
                return

        async def main() -> tuple[list[Any], bool]:
            seen: list[Any] = []
            async with phones() as (caller, agent):
                serving = asyncio.ensure_future(serve(agent, seen))
                await asyncio.sleep(0)
                uri = agent.uri.replace("sip:", "sip:%2B4930@")
                headers = {"X-Simulation-Result-Id": "42"}
                async with caller.call(uri, headers=headers, caller="<sip:+1201@example.com>") as call:
                    call.start_playing(say(OURS, 0.3))
                    echo = await call.listen(silence=0.1, timeout=2.0)
                await serving
            # An echo begins with an empty queue, so its first frames may have a hole: the tone is looked for piece by piece.
            pieces = [echo.pcm[at : at + 800] for at in range(0, len(echo.pcm), 400)]
            return seen, any(tone_present(piece, OURS, 8000) for piece in pieces)

        assert ([("42", "+1201", "+4930")], True) == run(main())


class TestSound:
    @pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
    def test_each_hears_the_tone_of_the_other(self, codec: str) -> None:
        """Both ways at once, in both laws of G.711."""

        async def main() -> list[Any]:
            heard: list[Audio] = []

            async def agent(call: Call) -> None:
                await call.answer()
                call.start_playing(say(THEIRS))
                heard.append(await call.listen(silence=0.1, timeout=2.0))
                await call.ended()

            async with phones(agent) as (caller, called), caller.call(called.uri, codecs=(codec,)) as call:
                call.start_playing(say(OURS))
                ours = await call.listen(silence=0.1, timeout=2.0)
                await until(lambda: heard)
                return [
                    call.codec,
                    tone_present(ours.pcm[400:2000], THEIRS, 8000),
                    tone_present(heard[0].pcm[400:2000], OURS, 8000),
                ]

        assert [codec, True, True] == run(main())

    def test_an_agent_that_speaks_another_codec_first_is_followed(self) -> None:
        """The answer takes the offer's order (RFC 3264 section 6.1) of what both speak."""

        async def main() -> str | None:
            async with phones(silent, codecs=("PCMA",)) as (caller, called), caller.call(called.uri) as call:
                return call.codec

        assert "PCMA" == run(main())


class TestRefusal:
    def test_a_phone_that_nobody_takes_calls_of_answers_480(self) -> None:
        """Temporarily unavailable."""

        async def main() -> CallFailed:
            async with phones() as (caller, called):
                return await failure_of(caller, called.uri)

        failure = run(main())
        assert (480, 480) == (failure.status, failure.response.status if failure.response else None)

    def test_no_common_codec_is_488_with_the_reason(self) -> None:
        """RFC 3261 20.43: 305 is an incompatible media format. The handler never hears of the call."""

        async def main() -> tuple[int, str | None]:
            async with phones(silent, codecs=("PCMA",)) as (caller, called):
                failure = await failure_of(caller, called.uri, codecs=("PCMU",))
                response = failure.response
                return failure.status, response.headers.get("Warning") if response else None

        assert (488, '305 offhook "the stream has no codec in common with us"') == run(main())

    @pytest.mark.parametrize(("body", "status"), [(b"hello", 400), (b"SAVP", 488)])
    def test_what_no_answer_could_meet_is_refused_at_once(self, body: bytes, status: int) -> None:
        """No description at all; SRTP without a plain stream beside it."""

        async def main() -> int:
            async with Peer() as peer, phones(silent) as (_, called):
                if body == b"SAVP":
                    peer.invite(called.address, peer.sdp().replace(b"RTP/AVP", b"RTP/SAVP"))
                else:
                    peer.invite(called.address, body)
                return int((await peer.expect(400, 488)).status)

        assert status == run(main())

    def test_more_calls_than_may_wait_are_busy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """486; the limit is crossed by one. A caller who gives up makes room."""
        monkeypatch.setattr("offhook.phone.MAX_WAITING_CALLS", 2)

        async def main() -> tuple[str, int]:
            async with phones() as (caller, called):
                waiting = called.incoming()
                taking = asyncio.ensure_future(anext(waiting))
                await caller.dial(called.uri)
                await taking
                calls = [await caller.dial(called.uri) for _ in range(3)]
                refused = (await calls[-1].ended()).reason
                calls[0].hang_up()
                await until(lambda: len(called.calls) == 2)
                await caller.dial(called.uri)
                await until(lambda: len(called.calls) == 3)
                sent = called.counts().sent["4xx"]
                await waiting.aclose()
                return refused, sent

        assert ("486 Busy Here", 2) == run(main())  # the other one is the 487 of the cancelled call

    def test_who_stops_taking_leaves_nobody_waiting(self) -> None:
        """A call that was put in the queue and that nobody will take any more is told so: 480."""

        async def main() -> str:
            async with phones() as (caller, called):
                waiting = called.incoming()
                taking = asyncio.ensure_future(anext(waiting))
                await caller.dial(called.uri)
                await taking
                second = await caller.dial(called.uri)
                await until(lambda: len(called.calls) == 2)
                await waiting.aclose()
                return (await second.ended()).reason

        assert "480 Temporarily Unavailable" == run(main())


class TestTimeout:
    def test_a_call_that_nobody_answers_fails_with_408_and_is_cancelled(self) -> None:
        """At the timeout, not when the peer has found the time to agree."""

        async def main() -> tuple[int, str]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                calling = asyncio.ensure_future(failure_of(phone, peer.uri, timeout=0.05))
                invite = await peer.expect("INVITE")
                peer.answer(invite, 180)
                failure = await calling
                cancel = await peer.expect("CANCEL")
                peer.answer(cancel, 200)
                peer.answer(invite, 487)
                await peer.expect("ACK")
                return failure.status, str(phone.calls)

        assert (408, "frozenset()") == run(main())

    def test_a_peer_that_is_not_there_fails_with_408_as_soon(self) -> None:
        """CANCEL must wait for a provisional response (RFC 3261 9.1), the caller need not. Closing does not wait long."""

        async def main() -> tuple[int, int]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                failure = await failure_of(phone, peer.uri, timeout=0.05)
                invite = await peer.expect("INVITE")
                held = phone.engine.stats().streams
                peer.answer(invite, 404)
                await peer.expect("ACK")
                return failure.status, held

        assert (408, 0) == run(main())


class TestHandlers:
    def test_a_handler_that_raises_before_the_answer_gives_500(self, caplog: pytest.LogCaptureFixture) -> None:
        """The error is logged with the handler's name; the phone goes on."""

        async def agent(call: Call) -> None:
            if "X-Fail" in call.request.headers:
                raise RuntimeError("boom")
            await silent(call)

        async def main() -> tuple[int, bool]:
            async with phones(agent) as (caller, called), caller.call(called.uri) as other:
                failure = await failure_of(caller, called.uri, headers={"X-Fail": "1"})
                return failure.status, other.is_over

        assert (500, False) == run(main())
        (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert "agent" in record.getMessage()

    def test_a_handler_that_raises_in_the_call_hangs_up(self, caplog: pytest.LogCaptureFixture) -> None:
        """With BYE; other calls go on."""

        async def agent(call: Call) -> None:
            await call.answer()
            if "X-Fail" in call.request.headers:
                raise RuntimeError("boom")
            await call.ended()

        async def main() -> tuple[str, bool]:
            async with phones(agent) as (caller, called), caller.call(called.uri) as other:
                call = await caller.dial(called.uri, headers={"X-Fail": "1"})
                return (await call.ended()).by, other.is_over

        assert ("remote", False) == run(main())
        assert "boom" in caplog.text

    def test_a_handler_that_returns_hangs_up(self) -> None:
        """Or refuses, when it did not answer."""

        async def agent(call: Call) -> None:
            if "X-Answer" in call.request.headers:
                await call.answer()

        async def main() -> list[Any]:
            async with phones(agent) as (caller, called):
                async with caller.call(called.uri, headers={"X-Answer": "1"}) as call:
                    ended = await call.ended()
                return [ended.by, (await failure_of(caller, called.uri)).status]

        assert ["remote", 603] == run(main())

    @pytest.mark.parametrize("error", [CallOver, CallFailed])
    def test_a_caller_that_has_gone_is_no_error_of_the_handlers(
        self, error: type[Exception], caplog: pytest.LogCaptureFixture
    ) -> None:
        """The ordinary end of a conversation is not worth a stack trace."""

        async def agent(call: Call) -> None:
            await silent(call)
            if error is CallOver:
                await call.play(say())
            raise CallFailed(487, "gone")

        async def main() -> None:
            async with phones(agent) as (caller, called):
                async with caller.call(called.uri):
                    pass
                await until(lambda: not called._handling)

        run(main())
        assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]

    def test_a_fault_behind_the_end_of_the_call_is_logged_all_the_same(self, caplog: pytest.LogCaptureFixture) -> None:
        """A bug in what a handler does after the call must not vanish."""

        async def agent(call: Call) -> None:
            await silent(call)
            raise KeyError("report")

        async def main() -> None:
            async with phones(agent) as (caller, called):
                async with caller.call(called.uri):
                    pass
                await until(lambda: not called._handling)

        run(main())
        assert "KeyError: 'report'" in caplog.text


class TestClose:
    def test_closing_ends_every_call_and_whoever_waits_for_it(self) -> None:
        """Ringing, talking, waiting to be taken: nothing hangs, and the loop is empty afterwards."""

        async def agent(call: Call) -> None:
            if "X-Ring" in call.request.headers:
                await only_ring(call)
            else:
                await talk(call)

        async def main() -> list[str]:
            async with phones(agent) as (caller, called):
                talking, ringing = await caller.dial(called.uri), await caller.dial(called.uri, headers={"X-Ring": "1"})
                await talking.answered()
                await ringing.ringing()
                listening = asyncio.ensure_future(talking.listen(timeout=60.0))
                answering = asyncio.ensure_future(ringing.answered())
                await asyncio.sleep(0)
                await called.close()
                await listening
                with pytest.raises(CallFailed):
                    await answering
                return [(await talking.ended()).by, (await ringing.ended()).reason[:3]]

        assert ["remote", "480"] == run(main())

    def test_closing_cancels_what_rings(self) -> None:
        """A call of ours, and whoever waits for its answer is told at once."""

        async def main() -> tuple[int, str]:
            async with phones(only_ring) as (caller, called):
                call = await caller.dial(called.uri)
                await call.ringing()
                answering = asyncio.ensure_future(call.answered())
                await asyncio.sleep(0)
                await caller.close()
                with pytest.raises(CallFailed) as failure:
                    await answering
                return failure.value.status, (await call.ended()).by

        assert (487, "local") == run(main())

    def test_closing_twice_is_closing_once_and_there_is_no_second_life(self) -> None:
        """Nor does anything leak when it is tried."""

        async def main() -> None:
            phone = Phone("udp:127.0.0.1:0")
            await phone.start()
            with pytest.raises(LocalError, match="already"):
                await phone.start()
            await phone.close()
            await phone.close()
            for try_again in (phone.start(), phone.dial("sip:a@127.0.0.1:9")):
                with pytest.raises(LocalError, match="closed"):
                    await try_again
            with pytest.raises(LocalError, match="does not listen"):
                _ = phone.uri
            assert "<Phone closed calls=0>" == repr(phone)

        run(main())

    def test_a_phone_that_could_not_listen_may_try_again(self) -> None:
        """The address was taken; nothing was left open."""

        async def main() -> int:
            async with Phone("udp:127.0.0.1:0") as first:
                second = Phone(f"udp:127.0.0.1:{first.address[1]}")
                with pytest.raises(ListenError, match="cannot listen"):
                    await second.start()
            async with second:
                return len(second.addresses)

        assert 1 == run(main())

    def test_closing_while_a_name_is_looked_up_leaves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The call was never sent."""

        async def main() -> None:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[Any] = loop.create_future()
            monkeypatch.setattr(loop, "getaddrinfo", lambda *_, **__: answer)
            phone = await Phone("udp:127.0.0.1:0").start()
            dialling = asyncio.ensure_future(phone.dial("sip:agent@agent.example"))
            await asyncio.sleep(0)
            await phone.close()
            answer.set_result([(2, 2, 17, "", ("127.0.0.1", 9))])
            with pytest.raises(LocalError):
                await dialling

        run(main())

    def test_a_handler_may_close_its_own_phone(self) -> None:
        """It is not made to wait for itself."""

        async def main() -> str:
            async with Phone("udp:127.0.0.1:0") as caller, Phone("udp:127.0.0.1:0") as called:

                @called.on_call
                async def agent(call: Call) -> None:
                    await call.answer()
                    await called.close()

                call = await caller.dial(called.uri)
                return (await call.ended()).by

        assert "remote" == run(main())

    def test_a_handler_that_does_not_end_is_named_and_left(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Closing has an end."""
        monkeypatch.setattr("offhook.phone.HANDLERS_END_WITHIN", 0.01)

        async def main() -> None:
            began, released = asyncio.Event(), asyncio.Event()

            async def stubborn(call: Call) -> None:
                began.set()
                while not released.is_set():
                    try:
                        await released.wait()
                    except asyncio.CancelledError:
                        continue

            async with phones(stubborn) as (caller, called):
                await caller.dial(called.uri)
                await began.wait()
                await called.close()
                released.set()
                await until(lambda: not called._handling)

        run(main())
        assert "does not end when it is cancelled" in caplog.text


class TestIncoming:
    def test_a_caller_that_gave_up_is_not_handed_out(self) -> None:
        """The next one is."""

        async def main() -> str:
            async with phones() as (caller, called):
                waiting = called.incoming()
                taking = asyncio.ensure_future(anext(waiting))
                first = await caller.dial(called.uri)
                await taking
                gone = await caller.dial(called.uri)
                await until(lambda: len(called.calls) == 2)
                gone.hang_up()
                await until(lambda: len(called.calls) == 1)
                stays = await caller.dial(called.uri)
                taken = await anext(waiting)
                await waiting.aclose()
                assert not first.is_over
                return "stays" if taken.id == stays.id else "gone"

        assert "stays" == run(main())

    def test_the_loop_ends_when_the_phone_is_closed(self) -> None:
        """Two who take calls end both."""

        async def take(phone: Phone) -> int:
            return len([call async for call in phone.incoming()])

        async def main() -> list[int]:
            async with Phone("udp:127.0.0.1:0") as phone:
                taking = [asyncio.ensure_future(take(phone)) for _ in range(2)]
                await asyncio.sleep(0)
            return await asyncio.gather(*taking)

        assert [0, 0] == run(main())

    def test_whoever_takes_calls_may_close_the_phone(self) -> None:
        """The loop ends behind the call that it was handed."""

        async def main() -> int:
            async with phones() as (caller, called):
                taken = 0
                dialling = asyncio.ensure_future(until(lambda: called._takers))
                dialling.add_done_callback(lambda _: asyncio.ensure_future(caller.dial(called.uri)))
                async for _call in called.incoming():
                    taken += 1
                    await called.close()
                return taken

        assert 1 == run(main())


class TestAddresses:
    def test_a_phone_on_all_addresses_names_the_one_that_faces_its_peer(self) -> None:
        """In Contact and in the description: 0.0.0.0 in the one cannot be answered, in the other it means hold."""

        async def main() -> tuple[str, str, str]:
            async with Peer() as peer, Phone("udp:0.0.0.0:0") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                connection = sdp_room.parse(invite.body).connection
                peer.answer(invite, 486)
                await call.ended()
                return contact_of(invite), connection.address if connection else "", phone.uri.rpartition(":")[0]

        assert ("127.0.0.1", "127.0.0.1", "sip:127.0.0.1") == run(main())

    def test_a_call_over_ipv6_talks_and_is_heard(self) -> None:
        """Signalling and media, both ways."""

        async def main() -> tuple[str, bool]:
            async with Phone("udp:[::1]:0") as caller, Phone("udp:[::1]:0") as called:
                called.on_call(talk)
                async with caller.call(called.uri) as call:
                    heard = await call.listen(silence=0.1, timeout=2.0)
                    return call.local_address[0], tone_present(heard.pcm[400:2000], THEIRS, 8000)

        assert ("::1", True) == run(main())

    def test_media_is_bound_where_the_signalling_of_its_ip_version_is(self) -> None:
        """A phone of both versions calls over the second."""

        async def main() -> int:
            async with Phone("udp:127.0.0.1:0", "udp:[::1]:0") as caller, Phone("udp:[::1]:0") as called:
                called.on_call(talk)
                async with caller.call(called.uri) as call:
                    return len((await call.listen(silence=0.1, timeout=2.0)).pcm)

        assert 1000 < run(main())

    def test_a_public_address_stands_in_everything_that_peers_are_told(self) -> None:
        """Behind a NAT: Contact, description, and the address that the phone gives as its own."""

        async def main() -> tuple[str, bytes, str]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0", public_address="203.0.113.7:5099") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                peer.answer(invite, 486)
                await call.ended()
                return contact_of(invite), invite.body, phone.uri

        contact, body, uri = run(main())
        assert ("203.0.113.7", "sip:203.0.113.7:5099") == (contact, uri)
        assert b"c=IN IP4 203.0.113.7\r\n" in body

    def test_a_public_address_of_the_other_ip_version_binds_media_where_we_listen(self) -> None:
        """A translator stands between; our own sockets are what they are."""

        async def main() -> bytes:
            async with Peer() as peer, Phone("udp:127.0.0.1:0", public_address="[2001:db8::7]") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                peer.answer(invite, 486)
                await call.ended()
                return bytes(invite.body)

        assert b"c=IN IP6 2001:db8::7\r\n" in run(main())

    def test_ports_come_from_the_range_that_was_given(self) -> None:
        """And one call more than it holds is told so, without a trace of it."""

        async def main() -> list[Any]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0", rtp_ports=range(41_000, 41_002)) as phone:
                await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                with pytest.raises(NoPortsLeft):
                    await phone.dial(peer.uri)
                count = len(phone.calls)
                peer.answer(invite, 486)
                await peer.expect("ACK")
                return [sdp_room.parse(invite.body).media[0].port, count]

        assert [41_000, 1] == run(main())


class TestDial:
    @pytest.mark.parametrize(
        ("target", "arguments", "error"),
        [
            ("agent", {}, MalformedMessage),
            ("tel:+1201", {}, MalformedMessage),
            ("sips:a@127.0.0.1", {}, LocalError),
            ("sip:a@[::1]", {}, LocalError),
            ("sip:a@127.0.0.1:9", {"codecs": ("G729",)}, ValueError),
            ("sip:a@127.0.0.1:9", {"headers": {"Via": "x"}}, ValueError),
            ("sip:a@127.0.0.1:9", {"headers": {"X-A": "a\r\nB: c"}}, ValueError),
            ("sip:a@127.0.0.1:9", {"caller": "<nobody"}, MalformedMessage),
        ],
    )
    def test_what_cannot_be_called_is_told_and_leaves_no_port_open(
        self, target: str, arguments: dict[str, Any], error: type[Exception]
    ) -> None:
        """Nothing is sent, and the call does not exist."""

        async def main() -> tuple[int, Counter[str]]:
            async with Phone("udp:127.0.0.1:0") as phone:
                with pytest.raises(error):
                    await phone.dial(target, **arguments)
                return len(phone.calls), Counter(phone.counts().sent)

        assert (0, Counter()) == run(main())

    def test_a_call_that_is_over_before_anybody_holds_it_is_not_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What happened meanwhile is told to it all the same."""

        async def main() -> list[Any]:
            async with phones() as (caller, called):
                invite = caller._agent.invite

                async def slowly(*arguments: Any, **named: Any) -> Any:
                    leg = await invite(*arguments, **named)
                    await until(lambda: leg.session.is_over)
                    return leg

                monkeypatch.setattr(caller._agent, "invite", slowly)
                call = await caller.dial(called.uri)
                return [call.is_over, (await call.ended()).reason[:3], len(caller.calls)]

        assert [True, "480", 0] == run(main())

    def test_headers_arrive_as_they_were_given(self) -> None:
        """Case and order kept, by a mapping or by pairs, which may repeat a name."""

        async def main() -> list[tuple[str, str]]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                call = await phone.dial(peer.uri, headers=(("X-b", "2"), ("X-A", "1"), ("X-b", "3")))
                invite = await peer.expect("INVITE")
                peer.answer(invite, 486)
                await call.ended()
                return [item for item in invite.headers.items() if item[0].lower().startswith("x-")]

        assert [("X-b", "2"), ("X-A", "1"), ("X-b", "3")] == run(main())


def test_a_phone_tells_what_it_does() -> None:
    """Calls that stand, its engine, its counters, one line for logs."""

    async def main() -> list[Any]:
        async with phones(silent) as (caller, called), caller.call(called.uri) as call:
            port = caller.address[1]
            return [
                caller.calls == {call},
                caller.engine.stats().streams,
                caller.counts().sent["INVITE"],
                repr(caller) == f"<Phone sip:127.0.0.1:{port} calls=1>",
            ]

    assert [True, 1, 1, True] == run(main())


class TestSettling:
    """The BYE of a call is answered after the call is over for its user."""

    def test_who_waits_sees_the_answer_to_the_bye_in_the_ladder(self) -> None:
        """A ladder that is drawn too early shows a fault where there is none; both streams stand in it."""

        async def main() -> None:
            async with phones(silent) as (caller, called):
                caller.trace.remember()
                async with caller.call(called.uri) as call:
                    assert (None, ()) == (call.ended_at, caller.trace.media(call))
                assert await caller.settled()
                assert "200 OK (BYE)" == caller.trace.ladder(call)[-1].summary
                there, back = caller.trace.media(call)
                assert (there.source, there.destination) == (back.destination, back.source)
                assert call.ended_at == there.end

        run(main())

    def test_a_peer_that_does_not_answer_is_not_waited_for_for_ever(self) -> None:
        """False says that something is still missing."""

        async def main() -> None:
            async with Phone("udp:127.0.0.1:0") as caller:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
                    mute.bind(("127.0.0.1", 0))
                    await caller.dial(f"sip:127.0.0.1:{mute.getsockname()[1]}")
                    assert not await caller.settled(timeout=0.0)

        run(main())
