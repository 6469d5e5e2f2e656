"""A sign of life to an address that the operator names: whoever watches it raises the alarm when it stops coming."""

import requests

CONNECT_SECONDS, ANSWER_SECONDS = 5, 10


class PingFailed(Exception):
    """The sign of life was not taken. str(error) holds no part of the address, which may be a secret."""


def ping(address: str) -> None:
    """Ask for the address once; no redirect is followed, and of the answer nothing but its status is read."""
    try:
        with requests.get(
            address,
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            allow_redirects=False,
            stream=True,
            headers={"User-Agent": "Pumpline"},
        ) as answer:
            status = answer.status_code
    except requests.RequestException as error:
        problem = type(error).__name__  # its words repeat the address
    else:
        if 200 <= status < 300:
            return
        problem = f"answered {status}"
    raise PingFailed(problem)
