"""ID tokens that prove nothing, for whoever wants to see that they are refused."""

import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import RSAKey

A_DAY: Final = 86_400


def spoilt(claims: dict[str, Any], how: str) -> dict[str, Any]:
    """The claims, with what is wrong in them."""
    if how == "expired":
        return claims | {"iat": claims["iat"] - 2 * A_DAY, "exp": claims["iat"] - A_DAY}
    if how == "early":
        return claims | {"iat": claims["iat"] + A_DAY, "exp": claims["iat"] + 2 * A_DAY}
    if how == "other_issuer":
        return claims | {"iss": "https://identity.other.example"}
    if how == "other_audience":
        return claims | {"aud": ["another-app"]}
    if how == "other_party":  # that asked for it; the audience is as it should be
        return claims | {"azp": "another-app"}
    return claims


def encoded(claims: dict[str, Any], key: RSAKey, how: str) -> str:
    """The ID token, signed with the key, or with whatever else was asked for."""
    head = {"alg": "RS256", "kid": key.kid}
    if how == "unsigned":
        _, body, _ = jwt.encode(head, claims, key).split(".")
        return f"eyJhbGciOiJub25lIn0.{body}."  # {"alg":"none"}
    if how == "forged":
        return jwt.encode(head, claims, RSAKey.generate_key(2048))
    if how == "public_key":  # as if the public key were a secret that both sides share
        _, body, _ = jwt.encode(head, claims, key).split(".")
        signed = f"{_encoded(json.dumps(head | {'alg': 'HS256'}).encode())}.{body}"
        mac = hmac.digest(key.as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{_encoded(mac)}"
    return jwt.encode(head, claims, key)


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
