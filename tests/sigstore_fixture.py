"""A deployment of Sigstore in memory: certificate authority, certificate log and signature log, without a network.

What it makes has the formats of RFC 6962 (certificates in a log) and of Sigstore's bundles, and is verified for real by
sigstore-python: no step is replaced.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_ISSUER_OID = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_SHA256 = ec.ECDSA(hashes.SHA256())
_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(spki(key)).digest()


def canonical(value: object) -> bytes:
    """JSON as RFC 8785 writes it; for texts in ASCII and integers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class PrivateSigstore:
    def __init__(self) -> None:
        self.now = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
        self.authority, self.certificates, self.signatures = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        builder = self._certificate(self.authority, self.name, days=30, usages={"key_cert_sign", "crl_sign"})
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        public = x509.SubjectKeyIdentifier.from_public_key(self.authority.public_key())
        self.root = builder.add_extension(public, critical=False).sign(self.authority, hashes.SHA256())

    def _certificate(
        self, key: ec.EllipticCurvePrivateKey, subject: x509.Name, *, days: float, usages: set[str]
    ) -> x509.CertificateBuilder:
        span = dt.timedelta(days=days)
        builder = x509.CertificateBuilder(self.name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(self.now - span).not_valid_after(self.now + span)
        return builder.add_extension(x509.KeyUsage(**{name: name in usages for name in _USAGES}), critical=True)

    def trusted_root(self) -> str:
        """The trusted_root.json of the deployment."""
        start = {"start": "2025-01-01T00:00:00Z"}

        def log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            details = {"rawBytes": text(spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": start}
            identity = {"keyId": text(key_id(key))}
            return {"baseUrl": "https://log.test", "hashAlgorithm": "SHA2_256", "publicKey": details, "logId": identity}

        chain = {"certificates": [{"rawBytes": text(self.root.public_bytes(Encoding.DER))}]}
        names = {"commonName": "authority", "organization": "test"}
        authority = {"subject": names, "uri": "https://authority.test", "certChain": chain, "validFor": start}
        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [log(self.signatures)],
                "ctlogs": [log(self.certificates)],
                "certificateAuthorities": [authority],
            }
        )

    def bundle(self, payload: bytes, identity: str, issuer: str) -> str:
        """The bundle of a payload that a person with an e-mail address signed."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._logged(key, identity, issuer)
        signature = key.sign(b"DSSEv1 %d %b %d %b" % (28, PAYLOAD_TYPE.encode(), len(payload), payload), _SHA256)
        envelope = {"payload": text(payload), "payloadType": PAYLOAD_TYPE, "signatures": [{"sig": text(signature)}]}
        entry = {"signature": text(signature), "verifier": text(certificate.public_bytes(Encoding.PEM))}
        spec = {
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(canonical(envelope)).hexdigest()},
            "signatures": [entry],
        }
        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
                "verificationMaterial": {
                    "certificate": {"rawBytes": text(certificate.public_bytes(Encoding.DER))},
                    "tlogEntries": [self._entry({"kind": "dsse", "apiVersion": "0.0.1", "spec": spec})],
                },
                "dsseEnvelope": envelope,
            }
        )

    def _logged(self, key: ec.EllipticCurvePrivateKey, identity: str, issuer: str) -> x509.Certificate:
        """A certificate with the promise of the certificate log (RFC 6962, section 3.2) that it is in it."""
        builder = self._certificate(key, x509.Name([]), days=0.01, usages={"digital_signature"})
        public = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key())
        for extension, critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
            (x509.SubjectAlternativeName([x509.RFC822Name(identity)]), True),
            (public, False),
            (x509.UnrecognizedExtension(_ISSUER_OID, issuer.encode()), False),
        ):
            builder = builder.add_extension(extension, critical)
        before = builder.sign(self.authority, hashes.SHA256()).tbs_certificate_bytes
        time = int(self.now.timestamp() * 1000).to_bytes(8, "big")
        promised = b"\0\0" + time + b"\0\1" + key_id(self.authority) + len(before).to_bytes(3, "big") + before + b"\0\0"
        signed = self.certificates.sign(promised, _SHA256)
        promise = b"\0" + key_id(self.certificates) + time + b"\0\0\4\3" + len(signed).to_bytes(2, "big") + signed
        promises = (len(promise) + 2).to_bytes(2, "big") + len(promise).to_bytes(2, "big") + promise
        octets = b"\x04" + (b"" if len(promises) < 128 else b"\x81") + bytes([len(promises)]) + promises  # in DER
        kind = ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS
        return builder.add_extension(x509.UnrecognizedExtension(kind, octets), False).sign(
            self.authority, hashes.SHA256()
        )

    def _entry(self, body: dict[str, Any]) -> dict[str, Any]:
        """The only entry of the signature log, with the log's signatures on it."""
        data, log, seconds = canonical(body), key_id(self.signatures), int(self.now.timestamp())
        leaf = hashlib.sha256(b"\0" + data).digest()
        note = f"log.test\n1\n{text(leaf)}\n"
        line = f"\n\u2014 log.test {text(log[:4] + self.signatures.sign(note.encode(), _SHA256))}\n"
        promised = {"body": text(data), "integratedTime": seconds, "logID": log.hex(), "logIndex": 0}
        proof = {"logIndex": "0", "rootHash": text(leaf), "treeSize": "1", "hashes": []}
        return {
            "logIndex": "0",
            "logId": {"keyId": text(log)},
            "kindVersion": {"kind": body["kind"], "version": body["apiVersion"]},
            "integratedTime": str(seconds),
            "canonicalizedBody": text(data),
            "inclusionPromise": {"signedEntryTimestamp": text(self.signatures.sign(canonical(promised), _SHA256))},
            "inclusionProof": proof | {"checkpoint": {"envelope": note + line}},
        }
