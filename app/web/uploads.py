"""Files that a form brings: which form may be larger than others, and that nothing of a file touches the disk."""

from io import BytesIO
from typing import IO

from flask import Request, request

from app.integrations.csv_headers import LARGEST_FILE
from app.web.language import N_

AROUND_A_FILE = 64 * 1024  # the rest of its form
LARGEST = {"console.upload_file": LARGEST_FILE + AROUND_A_FILE}
TOO_LARGE = {
    "console.upload_file": (
        N_("That file is too large"),
        N_(
            "At most 5 MB can be imported here. Split the file, or have it imported with `pumpline import`. "
            "Nothing was changed."
        ),
    )
}
_READ_ON = 64 * 1024 * 1024


class InMemory(Request):
    """Keeps an uploaded file in memory: it may hold patients, and would else be written out in the clear."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return BytesIO()


def let_in_files() -> None:
    if (most := LARGEST.get(request.endpoint or "")) is not None:
        request.max_content_length = most


def read_to_the_end() -> None:
    """Take the rest of what is being sent, so that the browser hears the answer rather than a broken connection."""
    stream = request.environ["wsgi.input"]
    left = min(request.content_length or 0, _READ_ON)
    while left > 0 and (part := stream.read(min(left, 64 * 1024))):
        left -= len(part)
