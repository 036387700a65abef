"""Signed URLs of objects in a connection's bucket (server.md 2.7; quirks 46, 57 and 58)."""

from __future__ import annotations

import sqlite3
from urllib.parse import quote

from .signing import VALID_SECONDS, signed_url

_SIGNED_FOR_S3 = "amazon_aws"


def connection_url(connection: sqlite3.Row, bucket: str, key: str, signing_key: str, base_url: str) -> str:
    """Return a URL of an object, made anew at every reading and valid for 7 hours.

    A connection without an endpoint, or without a secret to sign with, gets a URL of the emulator itself,
    whose buckets are folders. Nobody looks whether the object is there.

    :param connection: its row.
    :param signing_key: of the emulator's own URLs.
    """
    signs = connection["integration_name"] == _SIGNED_FOR_S3 and connection["private_secret"]
    if not (signs and connection["endpoint"]):
        return signed_url(signing_key, base_url, bucket, key)
    return presigned_url(
        connection["endpoint"],
        connection["region"] or "us-east-1",
        (connection["private_id"], connection["private_secret"]),
        bucket,
        key,
    )


def presigned_url(endpoint: str, region: str, credential: tuple[str, str], bucket: str, key: str) -> str:
    """Return a SigV4 URL for reading an object; the bucket stands in the path, the key is kept literally.

    :param credential: access key id and secret.
    """
    from botocore.auth import S3SigV4QueryAuth  # type: ignore[import-untyped]
    from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
    from botocore.credentials import Credentials  # type: ignore[import-untyped]

    path = f"{quote(bucket, safe='')}/{quote(key, safe='/~')}"
    request = AWSRequest("GET", f"{endpoint.rstrip('/')}/{path}")
    S3SigV4QueryAuth(Credentials(*credential), "s3", region, expires=VALID_SECONDS).add_auth(request)
    return str(request.url)
