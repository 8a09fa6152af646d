"""The page of one call: complete, self-contained, and deaf to what strangers wrote."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sample_report import IMAGE, SCRIPT, sample_report

from offhook.simulator import report as module
from offhook.simulator.report import Check, Figure, Party, ReportData, Turn, Verdict, render

BARE = ReportData("A call that failed", Verdict.FAILED, "sip:agent@127.0.0.1", "1")


class Page(HTMLParser):
    """What a browser would find: start tags with attributes, and the text in each kind of element."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Collects text under the tag that was opened last."""
        self.texts.append((self.tags[-1][0] if self.tags else "", data))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all tags of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self) -> str:
        """All that is said outside of scripts and styles."""
        return " ".join(data for tag, data in self.texts if tag not in {"script", "style"})


@pytest.fixture(scope="module")
def html() -> str:
    """The page of the sample call."""
    return render(sample_report())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    """The same, taken apart."""
    return Page(html)


class TestSelfContained:
    """It works from a disk, in a mail and in ten years."""

    def test_nothing_is_loaded_from_anywhere(self, page: Page) -> None:
        """Each address is a data URI or a place in the page."""
        addresses = [
            attributes[name] or ""
            for _, attributes in page.tags
            for name in ("src", "href", "data", "action")
            if name in attributes
        ]
        assert {"data:", "#"} == {"data:" if address.startswith("data:") else address[:1] for address in addresses}

    def test_the_policy_names_the_script_and_the_style_sheet_that_are_there(self, page: Page) -> None:
        """By the hash of what stands between the tags, to the octet."""
        [policy] = [meta["content"] or "" for meta in page.named("meta") if "http-equiv" in meta]
        [style] = [data for tag, data in page.texts if tag == "style" and data.strip()]
        script = [data for tag, data in page.texts if tag == "script" and data.strip()][2]
        for kind, source in (("style", style), ("script", script)):
            digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
            assert f"{kind}-src 'sha256-{digest}'" in policy

    def test_nothing_in_the_page_needs_what_the_policy_forbids(self, page: Page) -> None:
        """Neither style attributes nor event handlers."""
        names = {name for _, attributes in page.tags for name in attributes}
        assert not {name for name in names if name == "style" or name.startswith("on")}

    def test_two_renderings_are_the_same_to_the_octet(self, html: str) -> None:
        """So that a report can be compared and kept."""
        assert html == render(sample_report())


class TestContent:
    """What a reader looks for."""

    @pytest.mark.parametrize(
        "said",
        [
            "Book a table, with second thoughts", "failed", "42f7c1d0-8a5e-4c1b-9d57-0e6f3a2b1c90", "PCMU/8000", "24.7\u202fs",
            "n = 4", "p(95)<1200", "803\u202fms", "+3\u202fms", "interrupted", "find_table", '{"free": ["18:30"]}', "INVITE (SDP)",
            "again", "200 OK (INVITE, SDP)", "request without final response", "RTCP reports of the agent", "0.16\u202f%", "93.2",
            "BurstR 1.0", "Download result.json", "From INVITE to the 200 OK.", "2.4.6",
        ],
    )  # fmt: skip
    def test_the_page_says(self, page: Page, said: str) -> None:
        """Header, figures, checks, turns, tools, ladder, quality, definitions, versions."""
        assert said in page.text()

    def test_the_result_file_comes_back_to_the_octet(self, page: Page) -> None:
        """Embedded as a JSON string, so that nothing of it is rewritten."""
        embedded = [data for tag, data in page.texts if tag == "script" and data.strip()][1]
        assert sample_report().result_json == json.loads(embedded)

    def test_a_figure_that_is_defined_leads_to_its_definition(self, page: Page) -> None:
        """By its name before the statistic."""
        targets = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
        links = [link["href"] or "" for link in page.named("a") if (link.get("href") or "").startswith("#")]
        assert "#term-turn_latency" in links
        assert {link[1:] for link in links} <= targets

    def test_a_call_that_failed_early_still_has_a_page(self) -> None:
        """No sound, no turns, no figures: dashes, and the reason."""
        text = Page(render(replace(BARE, reason="486 Busy Here"))).text()
        assert "486 Busy Here" in text
        assert "Conversation" not in text
        assert "\u2013" in text

    def test_turns_without_a_recording_are_drawn_and_say_so(self) -> None:
        """The player is left out."""
        page = Page(render(replace(BARE, turns=(Turn(Party.AGENT, 0.0, 1.0, "Hello?"),))))
        assert "There is no recording of this call." in page.text()
        assert [] == page.named("audio")


class TestLimits:
    """Each list has one, and what is left out is counted."""

    def test_rows_beyond_the_limit_are_counted(self) -> None:
        """MAX_ROWS crossed by one."""
        page = Page(render(replace(BARE, checks=(Check("a check", True),) * (module.MAX_ROWS + 1))))
        assert module.MAX_ROWS == page.text().count("a check")
        assert "1 more checks are not shown" in page.text()

    def test_a_recording_beyond_the_limit_lies_beside_the_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """MAX_EMBEDDED_AUDIO_OCTETS crossed by one frame; the waveform is drawn all the same."""
        monkeypatch.setattr(module, "MAX_EMBEDDED_AUDIO_OCTETS", 400)
        fits, beyond = (replace(BARE, audio=np.zeros((frames, 2), dtype=np.int16)) for frames in (100, 101))
        assert 1 == len(Page(render(fits)).named("audio"))
        assert [] == Page(render(beyond)).named("audio")
        assert "too long to be carried" in Page(render(beyond)).text()

    def test_a_result_beyond_the_limit_lies_beside_the_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """MAX_RESULT_CHARACTERS crossed by one."""
        monkeypatch.setattr(module, "MAX_RESULT_CHARACTERS", 4)
        assert "Download" in Page(render(replace(BARE, result_json="1234"))).text()
        assert "too long to be carried" in Page(render(replace(BARE, result_json="12345"))).text()


class TestHostileStrings:
    """What strangers wrote is text, wherever it stands."""

    def test_the_sample_shows_them_and_makes_no_element_of_them(self, page: Page) -> None:
        """Both strings are read as words; there is no image and no script but ours."""
        assert IMAGE in page.text()
        assert SCRIPT in page.text()
        assert [] == page.named("img")
        assert 3 == len(page.named("script"))

    @settings(max_examples=25, deadline=None)
    @given(
        st.text(alphabet=st.sampled_from("<>&\"'/=`{}%#-! scriptimg\x00\x1b\u202e\u2028\ud800"), max_size=40),
        st.sampled_from([SCRIPT, IMAGE, '" autofocus onfocus=x ', "{{ 7*7 }}{% raw %}", "<!--", "]]>"]),
    )
    def test_no_string_changes_the_elements_of_the_page(self, noise: str, attack: str) -> None:
        """The same tags and attribute names as with harmless words, in every field that takes text."""
        shapes = []
        for words in ("harmless", noise + attack + noise):
            report = replace(
                BARE, title=words, uri=words, result_id=words, reason=words, codec=words, started=words, mos_kind=words,
                figures=(Figure(words, 1.0, words, 1, bound=words),), checks=(Check(words, True, words),),
                turns=(Turn(Party.AGENT, 0.0, 1.0, words),), versions=((words, words),), result_json=words,
            )  # fmt: skip
            page = Page(render(report))
            shapes.append([(tag, sorted(attributes)) for tag, attributes in page.tags])
        assert shapes[0] == shapes[1]
