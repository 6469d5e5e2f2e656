"""A stand-in for Twilio's API that answers after a set time, a process of its own: `python -m bench.provider MS AHEAD`.

It prints its port. Beside Twilio's two addresses it tells, at /accepted, how many texts each phone got.
"""

import asyncio
import json
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit


class Provider:
    def __init__(self, answers_after_ms: float, ahead: timedelta) -> None:
        self._wait = answers_after_ms / 1_000
        self._ahead = ahead
        self._held: list[dict[str, object]] = []

    async def serve(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=256)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split(" ", 2)
                length = next(
                    (line[15:] for line in head.lower().split("\r\n") if line.startswith("content-length:")), "0"
                )
                sent = (await reader.readexactly(int(length))).decode()
                status, answer = await (self._take(sent) if method == "POST" else self._tell(target))
                body = json.dumps(answer).encode()
                kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
                writer.write(f"HTTP/1.1 {status} OK\r\n{kind}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _take(self, sent: str) -> tuple[int, object]:
        form = dict(parse_qsl(sent, keep_blank_values=True))
        made_at = format_datetime(datetime.now(UTC) + self._ahead)
        message: dict[str, object] = {
            "sid": f"SM{len(self._held):032x}",
            "to": form["To"],
            "from": form.get("From"),
            "body": form["Body"],
            "status": "queued",
            "direction": "outbound-api",
            "num_segments": "1",
            "date_created": made_at,
            "date_updated": made_at,
        }
        self._held.append(message)
        await asyncio.sleep(self._wait)
        return 201, message

    async def _tell(self, target: str) -> tuple[int, object]:
        if target == "/accepted":
            return 200, Counter(str(message["to"]) for message in self._held)
        wanted = parse_qs(urlsplit(target).query).get("To", [""])[0]
        found = [message for message in reversed(self._held) if message["to"] == wanted]
        return 200, {"messages": found, "page": 0, "page_size": 400, "next_page_uri": None}


if __name__ == "__main__":
    asyncio.run(Provider(float(sys.argv[1]), timedelta(seconds=float(sys.argv[2]))).serve())
