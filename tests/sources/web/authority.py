"""A certificate authority for tests, and a TLS context with a certificate for each host."""

import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Authority:
    """A certificate authority; `Authority.named("…")` has a new key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @staticmethod
    def named(text: str) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(text)
        builder = _builder(name, name, key, datetime.now(UTC) - YEAR / 100, YEAR)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        return Authority(key, builder.sign(key, hashes.SHA256()))

    def context(self, folder: Path, host: str, *, begun: timedelta = timedelta(days=1)) -> ssl.SSLContext:
        """Return a server's context with a certificate for a host, valid for two days from `begun` ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(host), self.certificate.subject, key, datetime.now(UTC) - begun, timedelta(days=2))
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        path = folder / f"{host}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + _pem(builder.sign(self.key, hashes.SHA256())))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def write(self, path: Path) -> None:
        """Write the authority's certificate."""
        path.write_bytes(_pem(self.certificate))


def by_host(contexts: Mapping[str, ssl.SSLContext]) -> ssl.SSLContext:
    """Return one context for several hosts, which chooses by the host name in the client's hello."""

    def choose(connection: ssl.SSLObject, host: str | None, initial: ssl.SSLContext) -> None:
        connection.context = contexts.get(host or "", initial)

    front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    front.sni_callback = choose
    return front


def trust(certificate: Path, home: Path) -> None:
    """Add an authority to a user's certificate store, as in docs/sources/web.md."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    subprocess.run(["certutil", "-d", f"sql:{store}", "-N", "--empty-password"], check=True)
    add = ["certutil", "-d", f"sql:{store}", "-A", "-n", "tests", "-t", "C,,", "-i", str(certificate)]
    subprocess.run(add, check=True)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begin: datetime, length: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + length)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
