"""What the reference agent says and does.

The reference agent understands no words: it takes turns. Its persona tells what it answers to the caller's first, second,
third ... turn, which tools it calls meanwhile, and how long it thinks. Texts are Liquid templates over the variables of the
call: header ``x-first_name: John`` fills ``{{first_name}}``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from liquid import Environment
from liquid.exceptions import LiquidError

Tool = Callable[[Mapping[str, Any]], Awaitable[Any]]

MAX_TEMPLATE_CHARACTERS: Final = 10_000
_ENVIRONMENT: Final = Environment(autoescape=False)


class BadTemplate(ValueError):
    """A text of the persona is no Liquid template."""


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
    """The reference agent's part."""

    greeting: str
    replies: tuple[Reply, ...]
    "For the caller's turns in order; the last one serves for all further ones."
    digits: Reply
    "For keys that were pressed: ``{{digits}}`` are they, spelt out."
    delay: float = 0.8
    "Seconds from the caller's last audible sample to the agent's first one."
    endpointing: float = 0.24
    "Seconds of silence after which the caller's turn is taken to be over; a delay below it cannot be kept."
    digit_pause: float = 1.5
    "Seconds without a key after which the keys are complete; ``#`` completes them at once."
    tools: Mapping[str, Tool] = field(default_factory=dict)


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
        BadTemplate: it is none.
    """
    if len(template) > MAX_TEMPLATE_CHARACTERS:
        raise BadTemplate(f"a template of {len(template)} characters; the limit is {MAX_TEMPLATE_CHARACTERS}")
    try:
        return _ENVIRONMENT.from_string(template).render(**variables)
    except LiquidError as error:
        raise BadTemplate(f"not a Liquid template: {error}") from error


def header_variables(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Custom headers as template variables: ``X-First_Name: John`` is ``first_name``.

    Names lose their ``x-`` and their case; a hyphen becomes an underscore, because a variable cannot bear it.
    """
    return {
        name.lower()[2:].replace("-", "_"): value
        for name, value in headers
        if name.lower().startswith("x-") and len(name) > 2
    }
