"""An authority, and certificates of it for a server and for a client, made for one test run."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_MAY_SIGN = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
"""Python 3.13 refuses an authority that does not say so."""


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files.

    :param authority: the certificate that signed the others.
    :param server: certificate and key of 127.0.0.1.
    :param client: certificate and key of a client.
    :param client_alone: the same certificate without its key.
    :param client_key: its key.
    :param locked_key: its key with a passphrase.
    """

    authority: Path
    server: Path
    client: Path
    client_alone: Path
    client_key: Path
    locked_key: Path

    def server_context(self, *, asks_for_a_certificate: bool = False) -> ssl.SSLContext:
        """Return how the server speaks TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        if asks_for_a_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.authority)
        return context


def make_certificates(folder: Path) -> Certificates:
    """Write the files into ``folder``."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _signed(
        "authority", authority_key.public_key(), "authority", authority_key, is_authority=True
    )
    made = {"authority": authority.public_bytes(serialization.Encoding.PEM)}
    for name in ("server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(name, key.public_key(), "authority", authority_key, is_authority=False)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        made |= {name: pem + _key(key), f"{name}_alone": pem, f"{name}_key": _key(key)}
        made["locked_key"] = _key(key, b"a passphrase")
    paths = {name: folder / f"{name}.pem" for name in Certificates.__dataclass_fields__}
    for name, path in paths.items():
        path.write_bytes(made[name])
    return Certificates(**paths)


def _key(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption(),
    )


def _signed(
    name: str, key: Any, by: str, by_key: ec.EllipticCurvePrivateKey, *, is_authority: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(by))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False
        )
    )
    if is_authority:
        builder = builder.add_extension(_MAY_SIGN, critical=True)
    else:
        here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([here]), critical=False)
    return builder.sign(by_key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
