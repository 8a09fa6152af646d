"""Templates, the values that strangers send for them, and personas that could not be played."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.loop import run

from offhook.simulator.persona import (
    DEMO,
    MAX_ASSIGNED,
    MAX_ITERATIONS,
    MAX_TEMPLATE_CHARACTERS,
    MAX_TEXT_OCTETS,
    MAX_VARIABLE_CHARACTERS,
    QUICKEST,
    BadTemplate,
    Persona,
    Reply,
    header_variables,
    render,
)


class TestTemplates:
    """Liquid, in bounds."""

    def test_a_header_fills_a_variable(self) -> None:
        """The greeting of somebody who sent ``X-First-Name: Ada``."""
        assert "Hello Ada" == render("Hello {{first_name}}", header_variables([("X-First-Name", "Ada")]))

    @pytest.mark.parametrize("template", ["{{ nobody }}", "{{ no.such.thing }}", "{{ x[3].y }}"])
    def test_what_is_not_known_is_empty(self, template: str) -> None:
        """A caller who sends no headers is served all the same."""
        assert "<>" == f"<{render(template, {})}>"

    @pytest.mark.parametrize("value", ["{{ secret }}", "{% for i in (1..9) %}x{% endfor %}", "{% if %}", "<b>&amp;"])
    def test_a_value_is_only_ever_text(self, value: str) -> None:
        """It is put in, and not read again."""
        assert f"I heard {value}" == render("I heard {{ name }}", {"name": value, "secret": "s"})

    @pytest.mark.parametrize("template", ["{{ x.__class__ }}", "{{ x.upper }}", "{{ x.__init__.__globals__ }}"])
    def test_templates_do_not_reach_into_objects(self, template: str) -> None:
        """Attributes of Python objects are not variables."""
        assert "" == render(template, {"x": "text"})

    @pytest.mark.parametrize("template", ["{% include 'x' %}", "{% render '/etc/passwd' %}"])
    def test_templates_do_not_reach_files(self, template: str) -> None:
        """There is nothing to include."""
        with pytest.raises(BadTemplate):
            render(template, {})

    @pytest.mark.parametrize(
        "template", ["{{", "{% nosuch %}", "{{ 1 | nosuch }}", "{{ 1 | divided_by: 0 }}", "{% if a %}" * 900]
    )
    def test_what_is_no_template_is_refused_in_one_line(self, template: str) -> None:
        """The message is for a terminal."""
        with pytest.raises(BadTemplate, match="not a Liquid template") as refusal:
            render(template, {})
        assert "\n" not in str(refusal.value)

    def test_a_variable_may_bear_any_name(self) -> None:
        """A header ``X-Self`` must not be mistaken for an argument of a function."""
        assert "me" == render("{{ self }}", header_variables([("X-Self", "me")]))


class TestBounds:
    """Each limit, and one beyond it."""

    def test_a_template_has_a_longest(self) -> None:
        """In characters."""
        assert "x" * MAX_TEMPLATE_CHARACTERS == render("x" * MAX_TEMPLATE_CHARACTERS, {})
        with pytest.raises(BadTemplate, match="limit is"):
            render("x" * (MAX_TEMPLATE_CHARACTERS + 1), {})

    def test_loops_end(self) -> None:
        """All iterations of a template count together."""
        loop = "{% for i in (1..COUNT) %}x{% endfor %}"
        assert "x" * MAX_ITERATIONS == render(loop.replace("COUNT", str(MAX_ITERATIONS)), {})
        with pytest.raises(BadTemplate, match="iteration limit"):
            render(loop.replace("COUNT", str(MAX_ITERATIONS + 1)), {})

    def test_what_a_template_makes_has_a_longest(self) -> None:
        """In octets."""
        assert MAX_TEXT_OCTETS == len(render("{{ x }}", {"x": "y" * MAX_TEXT_OCTETS}))
        with pytest.raises(BadTemplate, match="output stream limit"):
            render("{{ x }}", {"x": "y" * (MAX_TEXT_OCTETS + 1)})

    def test_what_a_template_keeps_is_bounded(self) -> None:
        """A variable that is doubled again and again."""
        doubling = "{% assign s = 'aaaaaaaa' %}{% for i in (1..30) %}{% assign s = s | append: s %}{% endfor %}"
        with pytest.raises(BadTemplate, match="namespace limit"):
            render(doubling, {})
        assert MAX_ASSIGNED < 8 * 2**30

    @pytest.mark.parametrize("more", [0, 1])
    def test_a_value_is_cut_at_its_limit(self, more: int) -> None:
        """A header of sixty kilobytes stops no greeting."""
        (value,) = header_variables([("X-A", "é" * (MAX_VARIABLE_CHARACTERS + more))]).values()
        assert MAX_VARIABLE_CHARACTERS == len(value)

    def test_joined_values_are_cut_too(self) -> None:
        """However often the header comes."""
        (value,) = header_variables([("X-A", "é" * 300)] * 9).values()
        assert MAX_VARIABLE_CHARACTERS == len(value)


class TestHeaders:
    """From header names to variables."""

    @pytest.mark.parametrize("name", ["x-first_name", "X-First-Name", "X-FIRST_NAME", "x-First-name"])
    def test_names_lose_their_prefix_and_their_case(self, name: str) -> None:
        """A hyphen becomes an underscore."""
        assert {"first_name": "Ada"} == header_variables([(name, "Ada")])

    def test_headers_that_are_not_custom_are_no_variables(self) -> None:
        """Nor is a name that is nothing but the prefix."""
        assert {} == header_variables([("From", "a"), ("Subject", "b"), ("X-", "c")])

    def test_several_of_one_name_are_a_list(self) -> None:
        """RFC 3261 7.3.1: rows combine, separated by commas."""
        assert {"a_b": "1, 2, 3"} == header_variables([("X-A-B", "1"), ("x-a_b", "2"), ("X-a-b", "3")])

    def test_octets_that_are_no_text_are_replaced(self) -> None:
        """The parser keeps them as surrogates, which nothing can say or write; control characters are spaces."""
        assert {"a": "? b  c"} == header_variables([("X-A", "\udc80 b\x1b\x7fc")])

    @given(st.lists(st.tuples(st.text(max_size=20), st.text(st.characters(), max_size=50)), max_size=5))
    def test_any_headers_can_be_said(self, headers: list[tuple[str, str]]) -> None:
        """Whatever strangers send, a greeting comes out that can be encoded."""
        render("{{ a }}{{ b_c }}", header_variables(headers)).encode()


class TestPersona:
    """What would fail in the middle of a call is refused before it."""

    @pytest.mark.parametrize(
        "change",
        [
            {"replies": ()},
            {"replies": (Reply("x", tool="nosuch"),)},
            {"digits": Reply("{{")},
            {"greeting": "{% if %}"},
            {"replies": (Reply("x", parameters={"a": "{{"}),)},
            {"delay": -0.1},
            {"delay": float("nan")},
            {"silence_timeout": 0.0},
            {"max_duration": 0.0},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_a_persona_that_cannot_be_played_is_refused(self, change: dict[str, object]) -> None:
        """No replies, a tool or a template that is none, durations that are none."""
        with pytest.raises(ValueError, match=r"."):
            replace(DEMO, **change)

    @pytest.mark.parametrize(("delay", "endpointing"), [(2.0, 0.24), (0.3, 0.12), (0.1, QUICKEST)])
    def test_ears_are_as_quick_as_the_delay_asks(self, delay: float, endpointing: float) -> None:
        """Never slower than they were, never quicker than ears can be."""
        persona = DEMO.thinking(delay)
        assert (delay, pytest.approx(endpointing)) == (persona.delay, persona.endpointing)

    def test_the_smallest_persona(self) -> None:
        """A greeting, one reply for all turns, one for keys."""
        assert {} == Persona("Hi", (Reply("Yes"),), Reply("Keys")).tools

    def test_the_demos_tool_knows_the_customer(self) -> None:
        """By the name that the header told."""
        answer = run(DEMO.tools["look_up_order"]({"customer": "Ada"}))
        assert ("Ada", "Thursday") == (answer["customer"], answer["arrives"])
