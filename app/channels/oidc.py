"""Single sign-on by OpenID Connect: code flow with PKCE (RFC 7636), state and nonce; the ID token is verified here.

Nothing but loopback is reached unless an issuer is set. Answers are small and waited for briefly.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

TIMEOUT_SECONDS = 5
ALGORITHMS = ["RS256", "PS256", "ES256"]  # signed by the issuer's key: never "none", never by a shared secret
LEEWAY_SECONDS = 60
LARGEST_BYTES = 256 * 1024
SCOPE = "openid email"


class OidcError(Exception):
    """Why single sign-on did not work, in words for whoever signs in; they hold no token and no name."""


@dataclass(frozen=True)
class Provider:
    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Begun:
    """Where the browser goes, and what it must bring back."""

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Known:
    """Whom the issuer vouches for."""

    email: str


def begin(provider: Provider, back: str) -> Begun:
    found = _discovered(provider)
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    with _client(provider, back) as client:
        address, state = client.create_authorization_url(
            found["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
    return Begun(address, state, nonce, verifier)


def finish(provider: Provider, back: str, begun: Begun, code: str, now: datetime) -> Known:
    """Trade the code for an ID token and verify it: signature, issuer, audience, times, nonce, a verified e-mail."""
    found = _discovered(provider)
    try:
        with _client(provider, back) as client:
            answer = client.fetch_token(
                found["token_endpoint"], code=code, code_verifier=begun.verifier, timeout=TIMEOUT_SECONDS
            )
    except (OAuthError, requests.RequestException, ValueError) as error:
        raise OidcError("your hospital's sign-in did not confirm it: try again") from error
    claims = _verified(provider, str(answer.get("id_token", "")), _keys(found["jwks_uri"]), now)
    if not secrets.compare_digest(str(claims.get("nonce", "")), begun.nonce):
        raise OidcError("that answer belongs to another sign-in: try again")
    email = claims.get("email")
    if not isinstance(email, str) or "@" not in email or claims.get("email_verified") is not True:
        raise OidcError("your hospital's sign-in names no verified e-mail address: tell whoever runs it")
    return Known(email.strip().lower())


def _client(provider: Provider, back: str) -> OAuth2Session:
    client = OAuth2Session(
        provider.client_id, provider.client_secret, scope=SCOPE, redirect_uri=back, code_challenge_method="S256"
    )
    client.max_redirects = 0
    return client


def _discovered(provider: Provider) -> dict[str, str]:
    found = _json(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != provider.issuer:
        raise OidcError("your hospital's sign-in calls itself something else: tell whoever runs Pumpline")
    scheme = urlsplit(provider.issuer).scheme
    wanted = {name: str(found.get(name, "")) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    if any(urlsplit(address).scheme != scheme for address in wanted.values()):
        raise OidcError("your hospital's sign-in is not set up whole: tell whoever runs Pumpline")
    return wanted


def _keys(address: str) -> KeySet:
    try:
        return KeySet.import_key_set(_json(address))  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise OidcError("your hospital's keys cannot be read: try again later") from error


def _verified(provider: Provider, token: str, keys: KeySet, now: datetime) -> dict[str, Any]:
    registry = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
    )
    try:
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        registry.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise OidcError("your hospital's answer cannot be trusted: try again") from error
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != provider.client_id:
        raise OidcError("your hospital's answer cannot be trusted: try again")
    return dict(claims)


def _json(address: str) -> dict[str, Any]:
    try:
        answer = requests.get(address, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True)
        answer.raise_for_status()
        body = answer.raw.read(LARGEST_BYTES + 1, decode_content=True)
        found = json.loads(body) if len(body) <= LARGEST_BYTES else None
    except (requests.RequestException, ValueError) as error:
        raise OidcError("your hospital's sign-in does not answer: use your password, or try again") from error
    if not isinstance(found, dict):
        raise OidcError("your hospital's sign-in does not answer: use your password, or try again")
    return found
