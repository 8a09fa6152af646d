"""One call, from the first INVITE to the last packet, as one awaitable object."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from . import events as told
from .audio import Audio
from .errors import CallFailed, CallOver
from .incoming import FrameQueue, Listener
from .quality import CallQuality, measure
from .recorder import Recorder
from .rtp import DtmfReceived, FirstPacket
from .sipcore import sdp
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

MAX_EVENTS_KEPT: Final = 1_000  # for a reader of `events()` that lags behind; then the oldest go
MAX_DIGITS_KEPT: Final = 256  # keys pressed that nobody has read

Headers = tuple[tuple[str, str], ...]
T = TypeVar("T")


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
        self._events: deque[told.CallEvent] = deque(maxlen=MAX_EVENTS_KEPT)
        self._digits: deque[told.DtmfReceived] = deque(maxlen=MAX_DIGITS_KEPT)
        self._news = asyncio.Event()
        self._queues: list[FrameQueue] = []
        self._listeners: list[Listener] = []
        self._recorders: list[Recorder] = []
        self._answer_headers: Headers = ()
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
        """The user part of From, or the whole URI where there is none."""
        return _number(self.request, "from")

    @property
    def callee_number(self) -> str:
        """The user part of the Request-URI's address, as To has it."""
        return _number(self.request, "to")

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
    def is_over(self) -> bool:
        """Whether the call has ended or failed."""
        return self._ended.done()

    # -- getting through -----------------------------------------------------------------------------------------------

    async def ringing(self) -> told.Ringing:
        """Wait until the callee's phone rings.

        Raises:
            CallFailed: it never did.
        """
        waiting: list[asyncio.Future[Any]] = [self._ringing, self._answered, self._ended]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if self._ringing.done():
            return self._ringing.result()
        await self.answered()
        return told.Ringing(200, self.answered_at or self._loop.time(), self._require_response())

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

    def ring(self, status: int = 180, headers: Headers = ()) -> None:
        """Tell the caller that we ring."""
        self._leg.ring(status, headers)

    async def answer(self, headers: Headers = ()) -> Call:
        """Take an incoming call; media starts at once, the ACK is awaited.

        Raises:
            CallFailed: the offer cannot be met (488 has been sent), or the caller gave up.
            InvalidState: it was answered or refused already.
        """
        if not self.is_incoming:
            raise InvalidState("only an incoming call is answered")
        self._must_live()
        try:
            answer = self._negotiation.answer(self.request.body)
        except (sdp.NotAcceptable, sdp.MalformedDescription) as fault:
            self._leg.reject(fault.status, headers=_warning(fault))
            self._fail(fault.status, str(fault), None)
            raise CallFailed(fault.status, str(fault)) from fault
        self._leg.accept(answer, headers=headers)
        if self._negotiation.agreed is not None:
            self._start_media()
        return await self.answered()

    def reject(self, status: int = 486, reason: str | None = None, headers: Headers = ()) -> None:
        """Refuse an incoming call; 486 is "Busy Here"."""
        self._leg.reject(status, reason, headers)
        self._finish("local", f"rejected with {status}", None)

    def hang_up(self, headers: Headers = ()) -> None:
        """End the call in whatever way its state asks for: CANCEL, refusal or BYE; nothing when it is over."""
        was_talking = self._leg.state in {SessionState.CONFIRMED, SessionState.ANSWERED}
        self._leg.hang_up(headers)
        if was_talking or (self.is_incoming and not self.is_over):
            self._finish("local", "we hung up", None)

    def give_up(self) -> None:
        """Cancel a call of ours that nobody answers: it fails with 408."""
        if self._leg.state is SessionState.INVITING:
            self._leg.cancel(408, "Not answered in time")

    def fail(self) -> None:
        """End the call for a fault of ours: 500 before the answer, BYE after it."""
        if self.is_incoming and self._leg.state is SessionState.RINGING:
            self.reject(500)
        else:
            self.hang_up()

    # -- speaking and hearing ------------------------------------------------------------------------------------------

    async def play(self, source: Audio | str | Path) -> Playback:
        """Say something and wait until its last sample has left; cancelling stops it at once.

        Raises:
            AudioError: the file is no sound.
            CallOver: the call has ended.
        """
        piece = self.start_playing(source)
        try:
            return await piece.wait()
        finally:
            piece.stop()

    def start_playing(self, source: Audio | str | Path) -> Playback:
        """Say something and return at once; the playback can be awaited with ``wait()``."""
        return self._media().outgoing.queue(Audio.of(source))

    def stop_playing(self) -> None:
        """Fall silent within one frame: everything that is queued is dropped."""
        self._media().outgoing.flush()

    async def send(self, frame: Pcm) -> None:
        """Send samples at :attr:`sample_rate`; waits while more than a tenth of a second is queued."""
        outgoing = self._media().outgoing
        outgoing.queue_frame(frame)
        await outgoing.wait_for_room()
        self._must_live()

    async def listen(self, silence: float = 0.8, timeout: float | None = None) -> Audio:
        """Hear one utterance: it ends when ``silence`` seconds are quiet.

        Args:
            silence: seconds of quiet that end it.
            timeout: seconds after which what was heard is returned, whatever comes; None waits.

        Returns:
            What was heard; empty when nothing was.
        """
        listener = Listener(self._media().incoming, silence, self._loop.time())
        self._listeners.append(listener)
        try:
            return await listener.wait(timeout)
        finally:
            self._listeners.remove(listener)

    @property
    def audio(self) -> FrameQueue:
        """A new reader of what is heard: ``async for frame in call.audio``."""
        queue = FrameQueue(self._media().incoming)
        self._queues.append(queue)
        return queue

    def record(self, path: str | Path) -> Recorder:
        """Record both sides from now on: a stereo WAV, caller left, callee right, on one time line of wire instants."""
        recorder = Recorder(Path(path), self._media(), incoming_is_caller=self.is_incoming, start=self._loop.time())
        self._recorders.append(recorder)
        return recorder

    async def send_dtmf(self, digits: str, duration: float = 0.1, gap: float = 0.06) -> None:
        """Press keys (RFC 4733) and wait until they are sent.

        Args:
            digits: of ``0123456789*#ABCD``.
            duration: seconds a key is held.
            gap: seconds between keys.

        Raises:
            ValueError: another key, or too many at once.
            InvalidState: the peer did not agree to telephone events.
        """
        media = self._media()
        if media.agreed.send_event_type is None:
            raise InvalidState("the peer takes no telephone events")
        await media.press(digits, duration, gap)

    async def dtmf(self) -> AsyncIterator[str]:
        """The keys that the peer presses, one by one, until the call ends."""
        async for event in self._drain(self._digits):
            yield event.digit

    async def events(self) -> AsyncIterator[told.CallEvent]:
        """What happens, until the end of the call, which is the last event."""
        async for event in self._drain(self._events):
            yield event

    async def _drain(self, kept: deque[T]) -> AsyncIterator[T]:
        while True:
            while kept:
                yield kept.popleft()
            if self.is_over:
                return
            self._news.clear()
            await self._news.wait()

    @property
    def quality(self) -> CallQuality:
        """Loss, jitter, late packets and MOS so far, as measured by us; see :mod:`offhook.quality`."""
        return measure(self._media())

    # -- what signalling tells -----------------------------------------------------------------------------------------

    def _signalled(self, event: CallEvent) -> None:
        match event:
            case CallProgressed(response):
                self._progressed(response)
            case CallAnswered(response):
                self._got_answer(response)
            case CallConfirmed(ack):
                self._confirmed(ack)
            case InviteFailed(status, reason, response):
                self._fail(status, reason, response)
            case CallCancelled(request):
                self._fail(487, "the caller gave up", None, request)
            case SessionOffered(request):
                self._offered(request)
            case SessionAcknowledged(ack):
                self._complete_late(ack)
            case CallEnded(by, request):
                self._finish("local" if by is EndedBy.LOCAL else "remote", by.value, request)

    def _progressed(self, response: Response) -> None:
        ringing = told.Ringing(response.status, self._loop.time(), response)
        if not self._ringing.done():
            self._ringing.set_result(ringing)
        self._tell(ringing)
        if (
            response.body and self.media is None
        ):  # early media (RFC 3960): what the callee lets us hear before it answers
            self._complete(response)

    def _got_answer(self, response: Response) -> None:
        self.response = response
        if self._complete(response):
            self._established()
        else:
            self._leg.bye()

    def _complete(self, message: Message) -> bool:
        """Take the answer to our offer from a message; False when it is none that we can live with."""
        if not message.body and self.media is not None:
            return True
        try:
            self._negotiation.complete(message.body)
        except (sdp.NotAcceptable, sdp.MalformedDescription) as fault:
            self._fail(488, f"the answer cannot be used: {fault}", self.response)
            return False
        if self.media is None:
            self._start_media()
        else:
            self._adopt()
        return True

    def _confirmed(self, ack: Request) -> None:
        if self.media is None and not self._complete(ack):
            self._leg.bye()
            return
        self._established()

    def _complete_late(self, ack: Request) -> None:
        if ack.body and not self._complete(ack):
            self._leg.bye()

    def _offered(self, request: Request) -> None:
        """A re-INVITE: answered by what we are, the direction mirrored (RFC 3264 section 8)."""
        try:
            answer = self._negotiation.answer(request.body)
        except (sdp.NotAcceptable, sdp.MalformedDescription) as fault:
            self._leg.refuse_offer(fault.status)
            return
        self._leg.accept_offer(answer)
        if request.body:
            self._adopt()

    def _adopt(self) -> None:
        agreed = self._negotiation.agreed
        if agreed is not None and self.media is not None:
            self.media.adopt(agreed)
            self._tell(told.MediaChanged(str(agreed.direction), self._loop.time()))

    def _start_media(self) -> None:
        self.media = self._negotiation.start(self._heard)

    def _established(self) -> None:
        self.answered_at = self._loop.time()
        if not self._answered.done():
            self._answered.set_result(None)
        self._tell(told.Answered(self.answered_at, self.codec or ""))

    def _heard(self, event: PlayerEvent) -> None:
        if isinstance(event, DtmfReceived):
            digit = told.DtmfReceived(event.digit, event.duration, event.at)
            self._digits.append(digit)
            self._tell(digit)
        elif isinstance(event, FirstPacket):
            self._tell(told.MediaStarted(event.arrival, event.source))

    # -- the end -------------------------------------------------------------------------------------------------------

    def _fail(self, status: int, reason: str, response: Response | None, request: Request | None = None) -> None:
        self.response = response or self.response
        if not self._answered.done():
            self._answered.set_exception(CallFailed(status, reason, response))
            self._answered.exception()  # it is told by Ended too: nobody has to ask
        self._finish("failure", f"{status} {reason}", request)

    def _finish(self, by: str, reason: str, request: Request | None) -> None:
        if self.is_over:
            return
        if not self._answered.done():
            self._answered.set_exception(CallFailed(487, reason))
            self._answered.exception()
        self._release()
        ended = told.Ended(by, reason, self._loop.time(), request)
        self._ended.set_result(ended)
        self._tell(ended)
        self._over(self)

    def _release(self) -> None:
        for recorder in self._recorders:
            recorder.close()
        if self.media is not None:
            self.media.stop()
        self._negotiation.close()
        for queue in self._queues:
            queue.close()
        for listener in list(self._listeners):
            listener.stop()

    def _tell(self, event: told.CallEvent) -> None:
        self._events.append(event)
        self._news.set()

    def _must_live(self) -> None:
        if self.is_over:
            raise CallOver(f"the call is over: {self._ended.result().reason}")

    def _media(self) -> Media:
        if self.media is None:
            self._must_live()
            raise InvalidState("no media is agreed on yet: await call.answered() first")
        return self.media

    def _require_response(self) -> Response:
        if self.response is None:
            raise CallOver("no response came")
        return self.response

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()

    def __repr__(self) -> str:
        arrow = "from" if self.is_incoming else "to"
        return f"<Call {arrow} {self.caller_number if self.is_incoming else self.request.target} {self.state}>"


def _number(message: Message, name: str) -> str:
    address = message.from_ if name == "from" else message.to
    user = getattr(address.uri, "user", None)
    return user or str(address.uri)


def _warning(fault: Exception) -> Headers:
    """RFC 3261 20.43: a refusal for the session's sake says why; 399 is a text for people."""
    text = str(fault).replace("\\", "").replace('"', "'")
    return (("Warning", f'399 offhook "{text}"'),)
