"""Offer and answer within a call: early media, late offers, hold, other codecs, and what cannot be met."""

import asyncio
from typing import Any

import pytest
from support.loop import run
from support.peer_calls import called, events_of, hang_up, kinds, standing, ticks
from support.phones import say, talk
from support.scripted_peer import Peer

from offhook import Call, CallFailed, Phone
from offhook.events import MediaChanged
from offhook.sipcore import InvalidState

pytestmark = pytest.mark.real_network


class TestEarlyMedia:
    """RFC 3960: what the callee lets us hear before it answers."""

    def test_a_183_with_a_description_starts_the_sound_and_the_200_goes_on_with_it(self) -> None:
        """Not twice, and nobody is told of a change where there is none."""

        async def main() -> list[Any]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                description = peer.sdp()
                peer.answer(invite, 183, description)
                await call.ringing()
                early = call.media
                await peer.packet()
                peer.answer(invite, 200, description)
                await peer.expect("ACK")
                await call.answered()
                same = call.media is early and phone.engine.stats().started
                await hang_up(peer, invite)
                return [same, kinds(await events_of(call))]

        assert [1, ["Ringing", "Answered", "Ended"]] == run(main())

    def test_a_200_without_a_description_takes_over_that_of_the_183(self) -> None:
        """Seen with gateways, and legal: the answer has been given."""

        async def main() -> str | None:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                peer.answer(invite, 183, peer.sdp(codecs="8"))
                peer.answer(invite, 200)
                await peer.expect("ACK")
                await call.answered()
                await hang_up(peer, invite)
                return str(call.codec)

        assert "PCMA" == run(main())

    def test_a_200_that_says_something_else_changes_the_sound(self) -> None:
        """A media server rang, a person answers. The stream goes on, by the new agreement."""

        async def main() -> list[Any]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                peer.answer(invite, 183, peer.sdp("sendonly"))
                await call.ringing()
                peer.answer(invite, 200, peer.sdp(codecs="8"))
                await peer.expect("ACK")
                await call.answered()
                await hang_up(peer, invite)
                return [phone.engine.stats().started, call.codec, kinds(await events_of(call))]

        assert [1, "PCMA", ["Ringing", "MediaChanged", "Answered", "Ended"]] == run(main())

    @pytest.mark.parametrize(("body", "kind"), [(b"hello", "application/sdp"), (b"\x01\x02", "application/isup")])
    def test_early_media_that_cannot_be_used_is_passed_over(self, body: bytes, kind: str) -> None:
        """An unreliable response is a preview; the 200 decides (RFC 3261 13.2.1)."""

        async def main() -> str | None:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                peer.answer(invite, 183, body, content_type=kind)
                peer.answer(invite, 200, peer.sdp())
                await peer.expect("ACK")
                await call.answered()
                await hang_up(peer, invite)
                return str(call.codec)

        assert "PCMU" == run(main())


class TestAnswersThatCannotBeUsed:
    @pytest.mark.parametrize("body", [b"", b"hello", b"codec"])
    def test_a_200_without_a_usable_answer_is_acknowledged_and_hung_up(self, body: bytes) -> None:
        """RFC 3261 13.2.2.4. The caller is told 488, and no port stays open."""

        async def main() -> tuple[int, int]:
            async with Peer() as peer, Phone("udp:127.0.0.1:0") as phone:
                call = await phone.dial(peer.uri)
                invite = await peer.expect("INVITE")
                peer.answer(invite, 200, peer.sdp(codecs="18") if body == b"codec" else body)
                await peer.expect("ACK")
                peer.answer(await peer.expect("BYE"), 200)
                with pytest.raises(CallFailed) as failure:
                    await call.answered()
                return failure.value.status, len(phone.calls)

        assert (488, 0) == run(main())


class TestLateOffer:
    """An INVITE without a description: the 200 bears our offer, the ACK the answer (RFC 3261 13.2.1)."""

    def test_the_call_stands_when_the_answer_has_come_in_the_ack(self) -> None:
        """Some exchanges call only so; who refuses it cannot be reached by them."""

        async def main() -> list[Any]:
            async with Peer() as peer, called(peer, talk, b"") as (phone, _):
                response = await peer.expect(200)
                (call,) = phone.calls
                before = call.media
                peer.ack(response, peer.sdp(codecs="8"))
                await call.answered()
                packet = await peer.packet()
                await hang_up(peer, response)
                return [before, call.codec, packet[1] & 0x7F]

        assert [None, "PCMA", 8] == run(main())

    @pytest.mark.parametrize("body", [b"", b"hello"])
    def test_an_ack_without_a_usable_answer_ends_the_call(self, body: bytes) -> None:
        """With BYE; whoever waits for the answer is told 488."""

        async def main() -> int:
            statuses: asyncio.Queue[int] = asyncio.Queue()

            async def agent(call: Call) -> None:
                try:
                    await call.answer()
                except CallFailed as failure:
                    statuses.put_nowait(failure.status)

            async with Peer() as peer, called(peer, agent, b""):
                peer.ack(await peer.expect(200), body)
                peer.answer(await peer.expect("BYE"), 200)
                return await statuses.get()

        assert 488 == run(main())


class TestReinvite:
    """RFC 3264 section 8, by the peer."""

    @pytest.mark.parametrize(
        ("description", "mirrored"),
        [
            ({"direction": "sendonly"}, "recvonly"),
            ({"direction": "inactive"}, "inactive"),
            ({"address": "0.0.0.0"}, "recvonly"),
        ],
    )
    def test_hold_is_mirrored_and_nothing_is_sent_until_the_peer_takes_us_back(
        self, description: dict[str, str], mirrored: str
    ) -> None:
        """An answer of sendrecv is hung up by carriers. What we say waits."""

        async def main() -> list[Any]:
            async with Peer() as peer, standing(peer) as (call, invite, phone):
                await peer.packet()
                peer.request("INVITE", invite, peer.sdp(**description))
                answer = await peer.expect(200)
                peer.ack(answer)
                muted, waiting = call.media.outgoing.muted, call.start_playing(say())
                peer.forget_packets()
                frames = call.media.stats().sent_packets
                with pytest.raises(InvalidState, match="hold"):
                    await call.send_dtmf("1")
                await ticks(phone, 40)
                held = (muted, waiting.started, call.media.stats().sent_packets - frames, peer.forget_packets())
                peer.request("INVITE", invite, peer.sdp())
                resumed = await peer.expect(200)
                peer.ack(resumed)
                await waiting.wait()
                changes = [event.direction async for event in _changes(call, 2)]
                return [f"a={mirrored}\r\n".encode() in answer.body, held, b"a=sendrecv" in resumed.body, changes]

        assert [True, (True, None, 0, 0), True, [mirrored, "sendrecv"]] == run(main())

    def test_another_codec_is_spoken_from_then_on(self) -> None:
        """And what was being said is said to its end."""

        async def main() -> list[Any]:
            async with Peer() as peer, standing(peer) as (call, invite, _):
                piece = call.start_playing(say(seconds=0.2))
                await peer.packet()
                peer.request("INVITE", invite, peer.sdp(codecs="8 101"))
                peer.ack(await peer.expect(200))
                peer.forget_packets()
                packet = await peer.packet()
                await piece.wait()
                return [call.codec, packet[1] & 0x7F, piece.interrupted]

        assert ["PCMA", 8, False] == run(main())

    def test_a_refresh_that_changes_nothing_is_answered_the_same_and_tells_nobody(self) -> None:
        """Session timers (RFC 4028) send such each quarter of an hour."""

        async def main() -> list[Any]:
            async with Peer() as peer, standing(peer) as (call, invite, _):
                same = peer.sdp()
                bodies = []
                for _ in range(2):
                    peer.request("INVITE", invite, same)
                    response = await peer.expect(200)
                    bodies.append(response.body)
                    peer.ack(response)
                await hang_up(peer, invite)
                return [bodies[0] == bodies[1], "MediaChanged" in kinds(await events_of(call))]

        assert [True, False] == run(main())

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [(b"hello", "application/sdp", 400), (b"codec", "application/sdp", 488), (b"\x01", "application/isup", 415)],
    )
    def test_a_change_that_cannot_be_met_is_refused_and_the_call_goes_on(
        self, body: bytes, kind: str, status: int
    ) -> None:
        """RFC 3261 14.2: the session stays as it was."""

        async def main() -> tuple[int, str | None]:
            async with Peer() as peer, standing(peer) as (call, invite, _):
                body_of = peer.sdp(codecs="18") if body == b"codec" else body
                peer.request("INVITE", invite, body_of, content_type=kind)
                response = await peer.expect(400, 415, 488)
                peer.ack(response)
                peer.forget_packets()
                await peer.packet()
                return response.status, call.codec

        assert (status, "PCMU") == run(main())

    def test_a_reinvite_without_a_description_is_answered_by_an_offer(self) -> None:
        """The peer answers it in its ACK: a late offer within the call."""

        async def main() -> list[Any]:
            async with Peer() as peer, standing(peer) as (call, invite, _):
                peer.request("INVITE", invite)
                response = await peer.expect(200)
                peer.ack(response, peer.sdp("sendonly"))
                (change,) = [event async for event in _changes(call, 1)]
                return [b"m=audio" in response.body, change.direction]

        assert [True, "recvonly"] == run(main())

    def test_a_description_in_an_ack_that_nobody_asked_for_changes_nothing(self) -> None:
        """Our 200 was the answer already."""

        async def main() -> list[str]:
            async with Peer() as peer, standing(peer) as (call, invite, _):
                peer.request("INVITE", invite, peer.sdp("sendonly"))
                peer.ack(await peer.expect(200), peer.sdp("inactive"))
                await hang_up(peer, invite)
                return [event.direction async for event in _changes(call, 9)]

        assert ["recvonly"] == run(main())

    def test_a_late_answer_that_cannot_be_used_ends_the_call(self) -> None:
        """RFC 3261 14.2: what was offered has been accepted by nobody; the peer is told by BYE."""

        async def main() -> str:
            async with Peer() as peer, standing(peer) as (call, invite, _):
                peer.request("INVITE", invite)
                peer.ack(await peer.expect(200), b"hello")
                peer.answer(await peer.expect("BYE"), 200)
                return str((await call.ended()).reason[:3])

        assert "488" == run(main())


async def _changes(call: Call, count: int) -> Any:
    """So many changes of the media, or those until the end."""
    async for event in call.events():
        if isinstance(event, MediaChanged):
            yield event
            count -= 1
            if not count:
                return
