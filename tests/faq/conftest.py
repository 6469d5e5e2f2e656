from pathlib import Path

import pytest

from faq.library import Library, load

from .content_folder import ContentFolder, write_content


@pytest.fixture(scope="session")
def library() -> Library:
    """The answers as they are shipped."""
    return load()


@pytest.fixture
def content(tmp_path: Path) -> ContentFolder:
    return write_content(tmp_path / "content")
