"""A hospital's sign-in by OpenID Connect, on loopback: discovery, keys, and tokens that can be wrong in every way."""

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = ("pumpline", "a secret of the hospital")


@dataclass
class FakeOidc:
    """`claims` go over what an honest token says; `sign_with` is the key, or none for an unsigned token."""

    now: datetime
    email: str = "ana@clinic.example"
    claims: dict[str, Any] = field(default_factory=dict)
    calls_itself: str = ""
    unsigned: bool = False
    stranger: bool = False
    asked: dict[str, str] = field(default_factory=dict)
    down: bool = False

    def __post_init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.other = RSAKey.generate_key(2048, {"kid": "one"})

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake.answer(self, "")

            def do_POST(self) -> None:
                fake.answer(self, self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}/hospital"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def sees(self, address: str) -> str:
        """The browser arrives at the hospital's page and signs in there; return the state to bring back."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        return self.asked["state"]

    def answer(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        path = urlsplit(handler.path).path
        if self.down:
            return self._send(handler, 503, {})
        if path == "/hospital/.well-known/openid-configuration":
            return self._send(
                handler,
                200,
                {
                    "issuer": self.calls_itself or self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                },
            )
        if path == "/hospital/keys":
            return self._send(handler, 200, {"keys": [self.key.as_dict(private=False)]})
        if path == "/hospital/token":
            return self._token(handler, {name: values[0] for name, values in parse_qs(body).items()})
        return self._send(handler, 404, {})

    def _token(self, handler: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        wanted = base64.b64encode(":".join(CLIENT).encode()).decode()
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        honest = handler.headers["Authorization"] == f"Basic {wanted}" and form.get("code") == "a-code"
        if not honest or challenge != self.asked["code_challenge"] or self.asked["code_challenge_method"] != "S256":
            return self._send(handler, 400, {"error": "invalid_grant"})
        return self._send(handler, 200, {"access_token": "x", "token_type": "Bearer", "id_token": self._id_token()})

    def _id_token(self) -> str:
        at = int(self.now.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT[0],
            "sub": "1234",
            "iat": at,
            "exp": at + 300,
            "nonce": self.asked["nonce"],
            "email": self.email,
            "email_verified": True,
        } | self.claims
        if self.unsigned:
            parts = [json.dumps({"alg": "none"}), json.dumps(claims)]
            return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "."
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.other if self.stranger else self.key)

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, status: int, body: dict[str, Any]) -> None:
        said = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(said)))
        handler.end_headers()
        handler.wfile.write(said)
