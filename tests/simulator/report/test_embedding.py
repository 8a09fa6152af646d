"""Foreign octets and strings inside one HTML file stay data."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from offhook.simulator.report.embedding import (
    MAX_TEXT_CHARACTERS,
    content_security_policy,
    script_json,
    shown,
    wav_data_uri,
)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class TestThePolicy:
    """Content Security Policy Level 3."""

    def test_nothing_runs_but_what_is_named_by_its_hash(self) -> None:
        """No 'unsafe-inline', no host, no scheme but data."""
        digest = base64.b64encode(hashlib.sha256(b"run()").digest()).decode()
        policy = content_security_policy("p{}", "run()")
        assert policy.startswith("default-src 'none'; ")
        assert f"script-src 'sha256-{digest}';" in policy
        assert "unsafe" not in policy


class TestJsonInAScript:
    """What HTML could take for the end of the element is written as an escape."""

    @given(JSON_VALUES)
    def test_any_value_comes_back_as_it_was(self, value: object) -> None:
        """Escapes are part of JSON, so nothing has to be undone."""
        assert value == json.loads(script_json(value))

    @given(st.text())
    def test_no_character_that_html_or_javascript_could_misread_is_left(self, text: str) -> None:
        """`</script>`, `<!--`, `&lt;`, and the two line ends that JavaScript once knew alone."""
        assert not set("<>&\u2028\u2029") & set(script_json([text, "</script><!--&\u2028\u2029"]))

    def test_numbers_that_json_does_not_know_are_refused(self) -> None:
        """A browser would not parse them."""
        with pytest.raises(ValueError, match="JSON"):
            script_json(float("nan"))


class TestTheRecording:
    """The sound as the address of itself."""

    def test_the_address_holds_a_wave_file_with_the_same_samples(self) -> None:
        """Two channels, 16 bits, little-endian."""
        audio = np.array([[1, -2], [300, -32_768]], dtype=np.int16)
        kind, _, encoded = wav_data_uri(audio, 16_000).partition(",")
        assert "data:audio/wav;base64" == kind
        with wave.open(io.BytesIO(base64.b64decode(encoded))) as file:
            assert (2, 2, 16_000, 2) == file.getparams()[:4]
            assert audio.astype("<i2").tobytes() == file.readframes(2)


class TestShownText:
    """What no font shows becomes an escape; letters of all scripts stay."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("\x1b[31m\x00\x9b", "\\x1b[31m\\x00\\x9b"),
            ("abc\u202edef\u2066\ufeff", "abc\\u202edef\\u2066\\ufeff"),
            ("\ud800", "\\ud800"),
            ("a\r\nb\tc\rd", "a\nb\tc\\x0dd"),
            ("नमस्ते 👩‍👧 Zoë", "नमस्ते 👩‍👧 Zoë"),
        ],
    )
    def test_controls_are_visible_and_letters_untouched(self, text: str, expected: str) -> None:
        """Line ends and tabs are layout, not control."""
        assert expected == shown(text)

    def test_a_long_text_is_cut_and_says_so(self) -> None:
        """MAX_TEXT_CHARACTERS crossed by one."""
        exact = "x" * MAX_TEXT_CHARACTERS
        assert exact == shown(exact)
        assert f"{exact} … (1 more characters)" == shown(exact + "x")

    def test_what_is_no_foreign_text_passes(self) -> None:
        """Numbers, and markup that is ours."""
        assert [7, None, Markup("<b>\x01")] == [shown(7), shown(None), shown(Markup("<b>\x01"))]

    @given(st.text(st.characters(codec=None), min_size=1))
    def test_any_text_can_be_written_as_utf_8(self, text: str) -> None:
        """Lone surrogates included."""
        assert str(shown(text)).encode()
