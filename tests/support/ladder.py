"""A playbook for SIP machines: what happens to a machine, what it must do, in order and nothing more.

``>>`` is what happens: a message that the network brings, or :class:`respond`, :class:`fail`, :class:`abandon`, :class:`after`,
:class:`until`. ``<<`` is what the machine must do next: :class:`Send` a message, report an event, or name the
:class:`~offhook.sipcore.drops.Drop` by which it ignored what happened::

    assert (Ladder(invite_client())
        << Send("INVITE")
        >> response(486) << Send("ACK") << ResponseReceived(486)
        >> response(486) << Send("ACK")                 # retransmission: ACK again, tell nobody
        >> until(Timer.D) << TransactionTerminated())

In an expected event a number stands for any response of that status, a method's name for any request of that method.
Nothing is played before the ladder is asked whether it is true; if it is not, it raises AssertionError with a drawing in
which the first difference is marked. Time begins at zero and moves only by ``after`` and ``until``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import Event
from offhook.sipcore.message import Request, Response

if TYPE_CHECKING:
    from offhook.sipcore.timers import Timer


@dataclass(frozen=True)
class Send:
    """The machine sends a request of this method or a response of this status."""

    what: str | int


@dataclass(frozen=True)
class respond:  # noqa: N801 - reads as a verb in a ladder
    """The machine's user answers."""

    response: Response


@dataclass(frozen=True)
class fail:  # noqa: N801 - reads as a verb in a ladder
    """A message could not be sent."""

    error: Exception


@dataclass(frozen=True)
class abandon:  # noqa: N801 - reads as a verb in a ladder
    """The machine's user gives it up."""


@dataclass(frozen=True)
class after:  # noqa: N801 - reads as a preposition in a ladder
    """So many seconds go by, with a wake-up at each deadline on the way."""

    seconds: float


@dataclass(frozen=True)
class until:  # noqa: N801 - reads as a preposition in a ladder
    """Time goes by until this timer, which must be running, has fired; deadlines on the way are kept."""

    timer: Timer


class Ladder:
    """A machine and the play that it must follow."""

    def __init__(self, machine: Any, now: float = 0.0) -> None:
        self.machine = machine
        self.now = now
        self._steps: list[tuple[str, Any]] = []
        self._lines: list[str] = []

    def __rshift__(self, stimulus: Any) -> Ladder:
        self._steps.append((">>", stimulus))
        return self

    def __lshift__(self, outcome: Any) -> Ladder:
        self._steps.append(("<<", outcome))
        return self

    def __bool__(self) -> bool:
        """Play it.

        Raises:
            AssertionError: with the drawing, at the first difference.
        """
        done = self._drain()
        for way, item in self._steps:
            if way == ">>":
                self._nothing_more(done)
                self._draw(f"-->| {_name(item)}")
                done = self._play(item)
            elif done and _matches(item, done[0]):
                self._draw(f"<--| {_name(done.pop(0))}")
            else:
                self._differs(_name(item), _name(done[0]) if done else "nothing")
        self._nothing_more(done)
        return True

    def _play(self, item: Any) -> list[Any]:
        drop = None
        if isinstance(item, Request):
            drop = self.machine.receive_request(item, self.now)
        elif isinstance(item, Response):
            drop = self.machine.receive_response(item, self.now)
        elif isinstance(item, respond):
            drop = self.machine.respond(item.response, self.now)
        elif isinstance(item, fail):
            drop = self.machine.transport_failed(item.error, self.now)
        elif isinstance(item, abandon):
            drop = self.machine.abandon(self.now)
        else:
            return self._wait(self._goal(item))
        return [*self._drain(), *([] if drop is None else [drop])]

    def _goal(self, item: Any) -> float:
        if isinstance(item, after):
            return self.now + item.seconds
        running = self.machine._deadlines
        if item.timer not in running:
            self._differs(
                f"timer {item.timer.name} running", f"only {', '.join(t.name for t in running) or 'no timer'}"
            )
        return running[item.timer]

    def _wait(self, goal: float) -> list[Any]:
        done: list[Any] = []
        while (deadline := self.machine.next_deadline()) is not None and deadline <= goal:
            self.now = deadline
            self.machine.handle_timeout(deadline)
            done += self._drain()
        self.now = goal
        return done

    def _drain(self) -> list[Any]:
        return [*self.machine.messages_to_send(), *self.machine.events()]

    def _nothing_more(self, done: list[Any]) -> None:
        if done:
            self._differs("nothing more", _name(done[0]))

    def _draw(self, text: str) -> None:
        self._lines.append(f"    {self.now:9.3f} s  {text}")

    def _differs(self, expected: str, actual: str) -> None:
        mark = f">>> {self.now:9.3f} s  expected {expected}, but there was {actual}"
        raise AssertionError("\n".join(["the ladder breaks:", *self._lines, mark]))


def _matches(expected: Any, actual: Any) -> bool:
    if isinstance(expected, Send):
        return isinstance(actual, Request | Response) and _same(expected.what, actual)
    if type(expected) is not type(actual):
        return False
    if isinstance(expected, Event):
        return all(_same(getattr(expected, f.name), getattr(actual, f.name)) for f in fields(expected))
    return expected == actual


def _same(expected: Any, actual: Any) -> bool:
    """Equal, or a message that goes by the name that was expected."""
    if isinstance(expected, int | str) and isinstance(actual, Request | Response):
        return expected == (actual.method if isinstance(actual, Request) else actual.status)
    return expected == actual


def _name(item: Any) -> str:
    if isinstance(item, Request):
        return item.method
    if isinstance(item, Response):
        return f"{item.status} {item.reason}"
    if isinstance(item, Send):
        return str(item.what)
    if isinstance(item, Drop):
        return f"dropped: {item}"
    words = [getattr(item, f.name) for f in fields(item)]
    return " ".join([type(item).__name__, *(getattr(w, "name", None) or _brief(w) for w in words)])


def _brief(word: Any) -> str:
    return _name(word) if isinstance(word, Request | Response) else repr(word)
