"""What the documents lead to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LEADS = re.compile(r"\]\(([^)\s#]+)|(?:src|srcset|href)=\"([^\"#]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_leads_to_is_there(document: Path) -> None:
    leads = ["".join(found) for found in LEADS.findall(document.read_text(encoding="utf-8"))]
    ours = [lead for lead in leads if not re.match(r"[a-z]+:", lead)]
    assert [lead for lead in ours if not (document.parent / lead).exists()] == []


def test_every_picture_is_shown_somewhere() -> None:
    told = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    pictures = sorted(picture.name for picture in (ROOT / "docs" / "images").iterdir())
    assert [name for name in pictures if f"images/{name}" not in told] == []
