"""One call, from the first INVITE to the last packet, as one awaitable object.

Whatever ends a call - a BYE either way, a refusal, a timeout, a fault of its media - ends it here once: its ports are freed,
its recordings closed, and everybody who waits on it is woken, with what there is (``play``, ``listen``) or with
:class:`~offhook.CallOver`. What signalling has still to do (the CANCEL's answer, the BYE's) goes on behind it.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from . import events as told
from .audio import Audio
from .custom_headers import HeaderInput, pairs_of
from .errors import CallFailed, CallOver
from .inbox import Inbox
from .incoming import FrameQueue, Listener
from .negotiation import description_in, warning_of
from .number import number_of
from .quality import CallQuality, measure
from .recorder import Recorder
from .rtp import DtmfReceived, FirstPacket
from .rtp.aio import NoPortsLeft, StreamFailed, TooManyStreams
from .sipcore import Address, sdp
from .sipcore.call_events import (
    CallAnswered,
    CallCancelled,
    CallConfirmed,
    CallEnded,
    CallEvent,
    CallProgressed,
    EndedBy,
    InviteFailed,
    SessionAcknowledged,
    SessionOffered,
)
from .sipcore.exceptions import InvalidState
from .sipcore.session import SessionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from .codecs import Pcm
    from .media import Media
    from .negotiation import Negotiation
    from .outgoing import Playback
    from .rtp.aio import PlayerEvent
    from .sipcore.aio import Leg
    from .sipcore.message import Message, Request, Response

MAX_EVENTS_KEPT: Final = 1_000  # for a reader of `events()` that lags behind; then the oldest go, and are counted
MAX_DIGITS_KEPT: Final = 256  # keys pressed that nobody has read

Headers = tuple[tuple[str, str], ...]

_UNUSABLE: Final = (sdp.NotAcceptable, sdp.MalformedDescription)
_EXHAUSTED: Final = (NoPortsLeft, TooManyStreams)
_BY: Final = {EndedBy.LOCAL: "local", EndedBy.REMOTE: "remote"}  # the rest are failures

_log = logging.getLogger("offhook")


class Call:
    """A call to somebody (from :meth:`Phone.dial`) or from somebody (from :meth:`Phone.incoming`).

    ``async with call:`` hangs up at its end. All instants are monotonic seconds of the event loop; frames are int16 arrays
    at :attr:`sample_rate`.
    """

    def __init__(self, leg: Leg, negotiation: Negotiation, over: Callable[[Call], None]) -> None:
        self._leg = leg
        self._negotiation = negotiation
        self._over = over
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._ringing: asyncio.Future[told.Ringing] = loop.create_future()
        self._answered: asyncio.Future[None] = loop.create_future()
        self._ended: asyncio.Future[told.Ended] = loop.create_future()
        self._events = Inbox[told.CallEvent](MAX_EVENTS_KEPT)
        self._digits = Inbox[told.DtmfReceived](MAX_DIGITS_KEPT)
        self._queues: weakref.WeakSet[FrameQueue] = weakref.WeakSet()
        self._listeners: list[Listener] = []
        self._recorders: list[Recorder] = []
        self.media: Media | None = None
        "None before media is agreed on."
        self.placed_at = loop.time()
        self.answered_at: float | None = None
        self.response: Response | None = None
        "The final response to our INVITE."
        leg.listener = self._signalled

    # -- who and what --------------------------------------------------------------------------------------------------

    @property
    def request(self) -> Request:
        """The INVITE; ``call.request.headers["X-..."]`` are its custom headers."""
        return self._leg.invite

    @property
    def id(self) -> str:
        """The Call-ID."""
        return self._leg.session.call_id

    @property
    def is_incoming(self) -> bool:
        """Whether somebody called us."""
        return self._leg.is_incoming

    @property
    def state(self) -> SessionState:
        """Where the call stands."""
        return self._leg.state

    @property
    def caller_number(self) -> str:
        """The number or user in From, or the whole URI where there is none.

        From is what the caller says of itself; P-Asserted-Identity is left alone, because RFC 3325 lets it be believed only
        from a network that is trusted.
        """
        return number_of(self.request.from_) or str(self.request.from_.uri)

    @property
    def callee_number(self) -> str:
        """The number or user that was called: of To, else of the Request-URI, else the whole To.

        RFC 3261 8.1.1.2 has To name "the desired logical recipient", and proxies leave it alone, while the Request-URI is
        where the call was routed in the end: often the name of a trunk's registration. So To tells what was dialled.
        """
        to = self.request.to
        return number_of(to) or number_of(Address(self.request.uri)) or str(to.uri)

    @property
    def local_address(self) -> tuple[str, int]:
        """Our signalling address as the peer sees it."""
        return self._leg.local_address

    @property
    def codec(self) -> str | None:
        """Encoding name of what we send; None before media is agreed on."""
        return self.media.agreed.codec.name if self.media is not None else None

    @property
    def sample_rate(self) -> int:
        """Samples per second of the frames that are heard and sent."""
        return self._media().incoming.sample_rate

    @property
    def ended_at(self) -> float | None:
        """Instant of the end, seconds; None while the call lasts."""
        return self._ended.result().at if self._ended.done() else None

    @property
    def is_over(self) -> bool:
        """Whether the call has ended or failed."""
        return self._ended.done()

    # -- getting through -----------------------------------------------------------------------------------------------

    async def ringing(self) -> told.Ringing:
        """Wait until the callee's phone rings, or the call is answered without.

        Raises:
            CallFailed: it never did.
            InvalidState: the call is not ours.
        """
        if self.is_incoming:
            raise InvalidState("only a call of ours rings elsewhere")
        waiting: list[asyncio.Future[Any]] = [self._ringing, self._answered, self._ended]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if self._ringing.done():
            return self._ringing.result()
        await self.answered()
        assert self.answered_at is not None, "answered"
        assert self.response is not None, "answered by a response"
        return told.Ringing(self.response.status, self.answered_at, self.response)

    async def answered(self) -> Call:
        """Wait until the call stands and media flows; gives the call itself.

        Raises:
            CallFailed: refused, unanswered, cancelled, or no common codec.
        """
        await asyncio.shield(self._answered)
        return self

    async def ended(self) -> told.Ended:
        """Wait for the end, whoever brings it."""
        return await asyncio.shield(self._ended)

    def ring(self, status: int = 180, headers: HeaderInput = ()) -> None:
        """Tell the caller that we ring.

        Raises:
            InvalidState: too late, or the call is ours.
        """
        self._leg.ring(status, pairs_of(headers))

    async def answer(self, headers: HeaderInput = ()) -> Call:
        """Take an incoming call; media starts at once, the ACK is awaited.

        Raises:
            CallFailed: the offer cannot be met (488 has been sent), we have no means left (503), or the caller gave up.
            InvalidState: it was answered or refused already, or the call is ours.
        """
        self._must_ring()
        fields = pairs_of(headers)
        try:
            body = self._negotiation.answer(description_in(self.request))
        except _UNUSABLE as fault:
            raise self._refuse(fault.status, str(fault), warning_of(fault)) from fault
        except NoPortsLeft as fault:
            raise self._refuse(503, str(fault), (("Retry-After", "5"),)) from fault
        self._leg.accept(body, headers=fields)
        if self._negotiation.agreed is not None:
            self._start_media()
        return await self.answered()

    def _must_ring(self) -> None:
        if not self.is_incoming:
            raise InvalidState("only an incoming call is answered")
        if self.is_over and (failure := self._answered.exception()) is not None:
            raise failure
        if self._leg.state is not SessionState.RINGING:
            raise InvalidState(f"too late to answer: {self._leg.state}")

    def _refuse(self, status: int, reason: str, headers: Headers) -> CallFailed:
        self._leg.reject(status, headers=headers)
        return self._fail(status, reason)

    def reject(self, status: int = 486, reason: str | None = None, headers: HeaderInput = ()) -> None:
        """Refuse an incoming call; 486 is "Busy Here".

        Raises:
            InvalidState: it was answered or refused already, or the call is ours.
            ValueError: no status from 300 to 699.
        """
        self._leg.reject(status, reason, pairs_of(headers))
        self._finish("local", f"rejected with {status}", CallFailed(status, reason or "refused by us"))

    def hang_up(self, headers: HeaderInput = ()) -> None:
        """End the call in whatever way its state asks for: CANCEL, refusal or BYE; nothing when it is over.

        The call is over at once. What the peer still has to say to it is waited for by the phone.
        """
        if not self.is_over:
            self._leg.hang_up(pairs_of(headers))
            self._finish("local", EndedBy.LOCAL.value, CallFailed(487, "Cancelled"))

    def give_up(self) -> None:
        """Cancel a call of ours that nobody answers: it fails with 408 at once; nothing happens when it was answered."""
        if self._leg.state is SessionState.INVITING and not self.is_over:
            self._fail(408, "Not answered in time")
            self._leg.cancel(408, "Not answered in time")

    def fail(self) -> None:
        """End the call for a fault of ours: 500 before the answer, BYE after it; nothing when it is over."""
        if self.is_over:
            return
        self._fail(500, "a fault of ours")
        if self._leg.state is SessionState.RINGING:
            self._leg.reject(500)
        else:
            self._leg.hang_up()

    # -- speaking and hearing ------------------------------------------------------------------------------------------

    async def play(self, source: Audio | str | Path) -> Playback:
        """Say something and wait until its last sample has left; cancelling stops it at once.

        A file is read in a thread, so that other calls go on. When the call ends meanwhile, what was said comes back, marked as
        interrupted.

        Raises:
            AudioError: the file is no sound.
            CallOver: the call has ended.
            ValueError: more waits to be said than may.
        """
        self._live_media()
        audio = source if isinstance(source, Audio) else await asyncio.to_thread(Audio.load, source)
        piece = self.start_playing(audio)
        try:
            return await piece.wait()
        finally:
            piece.stop()

    def start_playing(self, source: Audio | str | Path) -> Playback:
        """Say something and return at once; the playback can be awaited with ``wait()``. Raises as :meth:`play`."""
        return self._live_media().outgoing.queue(Audio.of(source))

    def stop_playing(self) -> None:
        """Fall silent within one frame: nothing that is queued is sent any more."""
        if self.media is not None:
            self.media.outgoing.flush()

    async def send(self, frame: Pcm) -> None:
        """Send the next samples of a stream at :attr:`sample_rate`, any number; waits while 0.1 s of it is queued.

        Raises:
            AudioError: not a one-dimensional int16 array.
            CallOver: the call has ended.
        """
        outgoing = self._live_media().outgoing
        outgoing.queue_frame(frame)
        await outgoing.wait_for_room()
        self._must_live()

    async def listen(self, silence: float = 0.8, timeout: float | None = None) -> Audio:
        """Hear one utterance: it ends when ``silence`` seconds are quiet, or the call ends.

        Args:
            silence: seconds of quiet that end it.
            timeout: seconds after which what was heard is returned, whatever comes; None waits.

        Returns:
            What was heard; empty when nothing was.

        Raises:
            CallOver: the call had ended before.
        """
        listener = Listener(self._live_media().incoming, silence)
        self._listeners.append(listener)
        try:
            return await listener.wait(timeout)
        finally:
            self._listeners.remove(listener)

    @property
    def audio(self) -> FrameQueue:
        """A new reader of what is heard from now on: ``async for frame in call.audio``. It ends with the call."""
        queue = FrameQueue(None if self.is_over else self._media().incoming)
        self._queues.add(queue)
        return queue

    def record(self, path: str | Path) -> Recorder:
        """Record both sides from now on: a stereo WAV, caller left, callee right, on one time line of wire instants.

        Raises:
            CallOver: the call has ended.
            OSError: the file cannot be written.
        """
        media = self._live_media()
        recorder = Recorder(Path(path), media, incoming_is_caller=self.is_incoming, start=self._loop.time())
        self._recorders.append(recorder)
        return recorder

    async def send_dtmf(self, digits: str, duration: float = 0.1, gap: float = 0.06) -> None:
        """Press keys (RFC 4733) and wait until they are sent; sound that is queued waits as long.

        Args:
            digits: of ``0123456789*#ABCD``.
            duration: seconds a key is held.
            gap: seconds between keys.

        Raises:
            ValueError: another key, or too many at once.
            InvalidState: the peer did not agree to telephone events, or has put us on hold.
            CallOver: the call ended before they were sent.
        """
        media = self._live_media()
        if media.agreed.send_event_type is None or not media.agreed.may_send:
            raise InvalidState("the peer takes no telephone events, or nothing at all while it holds the call")
        await media.press(digits, duration, gap)
        self._must_live()

    async def dtmf(self) -> AsyncIterator[str]:
        """The keys that the peer presses, one by one, until the call ends; for one reader."""
        async for event in self._digits.read():
            yield event.digit

    def events(self) -> AsyncIterator[told.CallEvent]:
        """What happens, until the end of the call, which is the last event; for one reader."""
        return self._events.read()

    @property
    def forgotten(self) -> int:
        """Events and keys that went because nobody read them in time."""
        return self._events.dropped + self._digits.dropped

    @property
    def quality(self) -> CallQuality:
        """Loss, jitter, late packets and MOS so far, as measured by us; see :mod:`offhook.quality`."""
        return measure(self._media())

    # -- what signalling tells -----------------------------------------------------------------------------------------

    def _signalled(self, event: CallEvent) -> None:
        try:
            self._take(event)
        except Exception:  # noqa: BLE001 - whatever it is, it ends this call only, and wholly
            _log.exception("a fault in a call; it is ended", extra={"call_id": self.id})
            self.fail()

    def _take(self, event: CallEvent) -> None:
        match event:
            case CallProgressed(response):
                self._progressed(response)
            case CallAnswered(response):
                self.response = response
                if self._complete(response):
                    self._established()
            case CallConfirmed(ack):
                if self.media is not None or self._complete(ack):
                    self._established()
            case InviteFailed(status, reason, response):
                self._fail(status, reason, response)
            case CallCancelled(request):
                self._fail(487, "the caller gave up", request=request)
            case SessionOffered(request):
                self._offered(request)
            case SessionAcknowledged(ack):
                if self._negotiation.is_offering and description_in(ack):
                    self._complete(ack)
            case CallEnded(by, request):
                status = 408 if by is EndedBy.NO_ACK else 487
                self._finish(_BY.get(by, "failure"), by.value, CallFailed(status, by.value), request)

    def _progressed(self, response: Response) -> None:
        ringing = told.Ringing(response.status, self._loop.time(), response)
        if not self._ringing.done():
            self._ringing.set_result(ringing)
        self._tell(ringing)
        # Early media (RFC 3960): what the callee lets us hear before it answers. An unreliable response bears no more than a
        # preview of the answer (RFC 3261 13.2.1), so one that is of no use is passed over: the 200 decides.
        if self.media is None and description_in(response):
            try:
                self._negotiation.complete(response.body)
            except _UNUSABLE as fault:
                _log.debug("early media cannot be used: %s", fault, extra={"call_id": self.id})
            else:
                self._start_media()

    def _complete(self, message: Message) -> bool:
        """Take the answer to our offer from a message; where there is none that we can live with, the call ends."""
        body = description_in(message)
        if not body and self.media is not None:
            return True
        try:
            self._negotiation.complete(body)
        except _UNUSABLE as fault:
            self._fail(488, f"the answer cannot be used: {fault}", self.response)
            self._leg.hang_up()
            return False
        if self.media is not None:
            self._adopt()
            return True
        return self._start_media()

    def _offered(self, request: Request) -> None:
        """A re-INVITE: answered by what we are, the direction mirrored (RFC 3264 section 8)."""
        body = description_in(request)  # what is no description has been refused with 415 by the signalling
        try:
            answer = self._negotiation.answer(body)
        except _UNUSABLE as fault:
            self._leg.refuse_offer(fault.status)
            return
        self._leg.accept_offer(answer)
        if body:
            self._adopt()

    def _adopt(self) -> None:
        """Go over to what has been agreed on now; a description that changes nothing (a session refresh) tells nobody."""
        agreed = self._negotiation.agreed
        if agreed is not None and self.media is not None and agreed != self.media.agreed:
            self.media.adopt(agreed)
            self._tell(told.MediaChanged(str(agreed.direction), self._loop.time()))

    def _start_media(self) -> bool:
        """Let sound flow; where the engine has no room for it, the call ends."""
        try:
            self.media = self._negotiation.start(self._heard)
        except _EXHAUSTED as fault:
            self._fail(503, str(fault))
            self._leg.hang_up()
        return self.media is not None

    def _established(self) -> None:
        self.answered_at = self._loop.time()
        if self.media is not None:
            self.media.session.relearn(self.answered_at)
        self._answered.set_result(None)
        self._tell(told.Answered(self.answered_at, self.codec or ""))

    def _heard(self, event: PlayerEvent) -> None:
        match event:
            case DtmfReceived():
                digit = told.DtmfReceived(event.digit, event.duration, event.at)
                self._digits.put(digit)
                self._tell(digit)
            case FirstPacket():
                self._tell(told.MediaStarted(event.arrival, event.source))
            case StreamFailed(error):
                _log.error("the media of a call failed; it is ended", exc_info=error, extra={"call_id": self.id})
                self.fail()

    # -- the end -------------------------------------------------------------------------------------------------------

    def _fail(
        self, status: int, reason: str, response: Response | None = None, request: Request | None = None
    ) -> CallFailed:
        failure = CallFailed(status, reason, response)
        self.response = response or self.response
        self._finish("failure", f"{status} {reason}", failure, request)
        return failure

    def _finish(self, by: str, reason: str, failure: CallFailed, request: Request | None = None) -> None:
        """The end, once; ``failure`` is for those who still wait for the answer."""
        if self.is_over:
            return
        ended = told.Ended(by, reason, self._loop.time(), request)
        self._ended.set_result(ended)
        if not self._answered.done():
            self._answered.set_exception(failure)
            self._answered.exception()  # it is told by Ended too: nobody has to ask
        self._release()
        self._tell(ended)
        self._events.close()
        self._digits.close()
        # Signalling remembers a call for half a minute more (RFC 3261 17.1.1.2), its media and readers need not live as long.
        self._leg.listener = _Late(self)
        self._over(self)

    def _release(self) -> None:
        """Free what the call holds and wake who waits; what one of them raises keeps none of the others."""
        parts: list[Callable[[], None]] = [recorder.close for recorder in self._recorders]
        parts += [] if self.media is None else [self.media.stop]
        parts += [self._negotiation.close]
        parts += [queue.close for queue in tuple(self._queues)]
        parts += [listener.stop for listener in self._listeners]
        for release in parts:
            try:
                release()
            except Exception:  # noqa: BLE001 - a tap or an observer of somebody else's may raise anything
                _log.exception("a part of a call failed to end", extra={"call_id": self.id})

    def _tell(self, event: told.CallEvent) -> None:
        self._events.put(event)

    def _must_live(self) -> None:
        if self.is_over:
            raise CallOver(f"the call is over: {self._ended.result().reason}")

    def _media(self) -> Media:
        if self.media is None:
            self._must_live()
            raise InvalidState("no media is agreed on yet: await call.answered() first")
        return self.media

    def _live_media(self) -> Media:
        self._must_live()
        return self._media()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()

    def __repr__(self) -> str:
        arrow = "from" if self.is_incoming else "to"
        return f"<Call {arrow} {self.caller_number if self.is_incoming else self.request.target} {self.state}>"


class _Late:
    """Hears what signalling tells of a call that is over, as long as somebody holds the call."""

    __slots__ = ("_call",)

    def __init__(self, call: Call) -> None:
        self._call = weakref.ref(call)

    def __call__(self, event: CallEvent) -> None:
        """Keep the 487 to our CANCEL for whoever wants to see it."""
        call = self._call()
        if call is not None and call.response is None and isinstance(event, InviteFailed):
            call.response = event.response
