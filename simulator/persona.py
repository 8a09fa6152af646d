"""What the reference agent says and does.

The reference agent understands no words: it takes turns. Its persona tells what it answers to the caller's first, second,
third ... turn, which tools it calls meanwhile, and how long it thinks. Texts are Liquid templates over the variables of the
call: header ``x-first_name: John`` fills ``{{first_name}}``.

Templates are written by whoever runs the agent, the values by whoever calls it. A value is only ever text: it is put in and not
read again, cut at :data:`MAX_VARIABLE_CHARACTERS`, and rid of control characters. Templates reach neither files nor attributes
of Python objects, and their loops and their output are bounded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError

Tool = Callable[[Mapping[str, Any]], Awaitable[Any]]

MAX_TEMPLATE_CHARACTERS: Final = 10_000  # ten minutes of speech
MAX_TEXT_OCTETS: Final = 40_000  # of a text that a template makes: as long as the longest template, in any script
MAX_ITERATIONS: Final = 1_000  # of all loops of a template together
MAX_ASSIGNED: Final = 10_000  # what a template may keep in variables of its own, octets
MAX_VARIABLE_CHARACTERS: Final = 1_000  # of a header's value; names and numbers are shorter


EARS: Final = 0.18  # seconds that the detector and the making of an answer take beyond the silence they wait for
QUICKEST: Final = 0.06  # seconds; the closure of a plosive inside a word is longer


class BadTemplate(ValueError):
    """A text of the persona is no Liquid template, or does more than it may; the message is one line."""


class _Bounded(Environment):
    loop_iteration_limit = MAX_ITERATIONS
    output_stream_limit = MAX_TEXT_OCTETS
    local_namespace_limit = MAX_ASSIGNED


_ENVIRONMENT: Final = _Bounded(autoescape=False)  # what is made is spoken, not shown in a page


def _parsed(template: str) -> BoundTemplate:
    if len(template) > MAX_TEMPLATE_CHARACTERS:
        raise BadTemplate(f"a template of {len(template)} characters; the limit is {MAX_TEMPLATE_CHARACTERS}")
    try:
        return _ENVIRONMENT.from_string(template)
    except LiquidError as error:
        raise _refusal(error) from error


def _refusal(error: LiquidError) -> BadTemplate:
    return BadTemplate(f"not a Liquid template: {str(error).splitlines()[0]}")


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one turn."""

    text: str
    tool: str | None = None
    "Name of the tool that is called before answering; its output is ``{{result}}`` in the text."
    parameters: Mapping[str, str] = field(default_factory=dict)
    "Templates."


@dataclass(frozen=True, slots=True)
class Persona:
    """The reference agent's part.

    Raises:
        ValueError: no replies, a tool that is not among the tools, a duration that is none.
        BadTemplate: (a ``ValueError``) a text that cannot be read.
    """

    greeting: str
    replies: tuple[Reply, ...]
    "For the caller's turns in order; the last one serves for all further ones."
    digits: Reply
    "For keys that were pressed: ``{{digits}}`` are they, spelt out."
    delay: float = 0.8
    "Seconds from the caller's last audible sample to the agent's first one."
    endpointing: float = 0.24
    "Seconds of silence after which the caller's turn is taken to be over; a delay not :data:`EARS` longer cannot be kept."
    digit_pause: float = 1.5
    "Seconds without a key after which the keys are complete; ``#`` completes them at once."
    tools: Mapping[str, Tool] = field(default_factory=dict)
    tool_timeout: float = 10.0
    "Seconds after which a tool that has not returned has failed; the agent answers without it."
    silence_timeout: float = 30.0
    "Seconds without a word or a key of either side, after which the agent hangs up."
    max_duration: float = 600.0
    "Seconds after the answer at which the agent hangs up, whatever happens."

    def __post_init__(self) -> None:
        """Refuse what would fail in the middle of a call."""
        pauses = (self.delay, self.endpointing, self.digit_pause, self.tool_timeout)
        limits = (self.silence_timeout, self.max_duration)
        if not (all(pause >= 0.0 for pause in pauses) and all(limit > 0.0 for limit in limits)):  # NaN is neither
            raise ValueError("a persona's durations are seconds, 0 or more; silence_timeout and max_duration above 0")
        if not self.replies:
            raise ValueError("a persona needs a reply: its last one serves for all turns that follow")
        for reply in (*self.replies, self.digits):
            if reply.tool is not None and reply.tool not in self.tools:
                raise ValueError(f"a reply calls {reply.tool!r}, which is not among the persona's tools")
            for text in (reply.text, *reply.parameters.values()):
                _parsed(text)
        _parsed(self.greeting)

    def thinking(self, delay: float) -> Persona:
        """The same with another delay, and with ears that are quick enough to keep it as far as ears can be.

        Quick ears take a short pause for the end of a turn. That does no harm: an answer is only due after the delay, and is
        taken back when the caller goes on before it.
        """
        endpointing = min(self.endpointing, max(QUICKEST, delay - EARS))
        return replace(self, delay=delay, endpointing=endpointing)


async def look_up_order(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The demo's tool: pretends to ask a shop."""
    return {"customer": parameters.get("customer", ""), "status": "shipped", "arrives": "Thursday"}


DEMO: Final = Persona(
    greeting="Hello {{ first_name | default: 'there' }}, you have reached the offhook demo. How can I help you?",
    replies=(
        Reply(
            "I have found your order which was handed to our parcel service yesterday and is now on its way to you and "
            "should arrive on {{ result.arrives }} before noon unless the weather has other plans for the roads.",
            tool="look_up_order",
            parameters={"customer": "{{ first_name | default: 'unknown' }}"},
        ),
        Reply("Of course. Please key in your order number, and end with the hash key."),
        Reply("You are welcome. Goodbye."),
    ),
    digits=Reply("Thank you. You have pressed {{ digits }}. Is there anything else?"),
    tools={"look_up_order": look_up_order},
)


def render(template: str, variables: Mapping[str, Any]) -> str:
    """Fill in a template; variables that are not known are empty.

    Raises:
        BadTemplate: it is none, or does more than it may.
    """
    try:
        return _parsed(template).render(variables)
    except LiquidError as error:
        raise _refusal(error) from error


def header_variables(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Custom headers as template variables: ``X-First_Name: John`` is ``first_name``.

    Names lose their ``x-`` and their case; a hyphen becomes an underscore, because a variable cannot bear it. Headers that
    come to the same name are one list: rows combine "by appending each subsequent field-value to the first, each separated by
    a comma" (RFC 3261 section 7.3.1).
    """
    variables: dict[str, str] = {}
    for name, value in headers:
        lowered = name.lower()
        if lowered.startswith("x-") and len(lowered) > 2:
            key = lowered[2:].replace("-", "_")
            text = _plain(value)
            variables[key] = f"{variables[key]}, {text}"[:MAX_VARIABLE_CHARACTERS] if key in variables else text
    return variables


def _plain(value: str) -> str:
    """Octets that are no UTF-8 (kept as surrogates by the parser) are replaced, control characters are spaces."""
    text = value[:MAX_VARIABLE_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    return "".join(" " if ord(character) < 32 or ord(character) == 127 else character for character in text)
