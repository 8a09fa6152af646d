"""The definitions at the foot of a report."""

from __future__ import annotations

import re

from offhook.simulator.report.glossary import GLOSSARY


def test_each_figure_is_defined_once_and_can_be_linked_to() -> None:
    """The name is part of an HTML id."""
    names = [term.name for term in GLOSSARY]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)


def test_each_definition_is_a_sentence() -> None:
    """It ends like one and names more than a synonym."""
    assert all(term.definition.endswith(".") and len(term.definition.split()) > 4 for term in GLOSSARY)
