"""Signatures by which a receiver knows that a message is ours, whole and recent."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from datetime import datetime, timedelta

from ...models import WebhookEndpoint


PREFIX = "whsec_"
SECRET_SIZE = 32
"""In bytes; Standard Webhooks asks for 24 to 64."""
FORMER_SECRET_LASTS = timedelta(hours=24)


def new_secret() -> str:
    return PREFIX + b64encode(secrets.token_bytes(SECRET_SIZE)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of one attempt, with its version: ``v1,…``."""
    key = b64decode(secret.removeprefix(PREFIX))
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{b64encode(digest).decode()}"


def signed_headers(
    endpoint: WebhookEndpoint, message_id: str, body: bytes, now: datetime
) -> dict[str, str]:
    """The headers that Standard Webhooks asks for. While the secret is being changed,
    both sign."""
    timestamp = int(now.timestamp())
    valid = [endpoint.secret]
    if endpoint.former_secret_until and now < endpoint.former_secret_until:
        valid.append(endpoint.former_secret)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            signature(secret, message_id, timestamp, body) for secret in valid
        ),
    }


def change_secret(endpoint: WebhookEndpoint, now: datetime) -> None:
    """Give the endpoint another secret; the former one stays valid for a day, so that
    its receiver can change over."""
    endpoint.former_secret = endpoint.secret
    endpoint.former_secret_until = now + FORMER_SECRET_LASTS
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "former_secret", "former_secret_until"])
