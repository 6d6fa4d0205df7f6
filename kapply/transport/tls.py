"""One SSLContext for a connection: whom to trust, and which certificate to show."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

from kapply.errors import ConfigError, CredentialError
from kapply.transport.types import Endpoint


def make_context(
    endpoint: Endpoint, pair: tuple[bytes, bytes] | None, *, memory_file: bool = True
) -> ssl.SSLContext:
    """The context for every connection to the endpoint: TLS 1.2 or newer.

    Trusted are the endpoint's roots and no others; without any, the system's. A certificate
    of the given roots need not be self-signed, as in Go.

    Args:
        endpoint: CA, insecure.
        pair: client certificate chain and key in PEM.
        memory_file: whether the pair may pass through a file without a name, where there are
            such files; else it is one that only this user can open, for a moment.

    Raises:
        ConfigError: a CA that cannot be read or holds no certificate.
        CredentialError: a client certificate or key that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["http/1.1"])
    if endpoint.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        _load_roots(context, endpoint)
    if pair is not None:
        _load_certificate(context, pair, memory_file)
    return context


def _load_roots(context: ssl.SSLContext, endpoint: Endpoint) -> None:
    data = endpoint.ca_data
    if data:
        named = "certificate-authority-data"
    elif endpoint.ca_file:
        named = f"certificate-authority {endpoint.ca_file}"
        try:
            data = Path(endpoint.ca_file).read_bytes()
        except OSError as error:
            raise ConfigError(f"{named} cannot be read: {error.strerror}") from error
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return
    try:
        context.load_verify_locations(cadata=data.decode("ascii", "ignore"))
        found = context.cert_store_stats()["x509"]
    except (ssl.SSLError, ValueError):
        found = 0
    if not found:
        raise ConfigError(f"{named} holds no certificate", hint="It has to be PEM.")


def _load_certificate(
    context: ssl.SSLContext, pair: tuple[bytes, bytes], memory_file: bool
) -> None:
    # The ssl module reads certificates from files only: both go into one that has no name
    # where the system can do that, and that only this user can open where it cannot.
    content = pair[0].rstrip() + b"\n" + pair[1]
    try:
        if memory_file and hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("kapply")
            with os.fdopen(descriptor, "wb") as memory:
                memory.write(content)
                memory.flush()
                _load_chain(context, f"/proc/self/fd/{descriptor}")
            return
    except OSError:
        pass  # no /proc, or memory files are not allowed
    descriptor, name = tempfile.mkstemp(prefix="kapply-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        _load_chain(context, name)
    finally:
        Path(name).unlink(missing_ok=True)


def _load_chain(context: ssl.SSLContext, path: str) -> None:
    def refuse() -> bytes:
        # Without this, OpenSSL would ask the terminal.
        raise CredentialError(
            "the client key is encrypted, which is not supported",
            hint="Decrypt it: openssl pkey -in KEY -out KEY.",
        )

    try:
        context.load_cert_chain(path, password=refuse)
    except ssl.SSLError as error:
        mismatch = "MISMATCH" in (error.reason or "")
        raise CredentialError(
            "the client key does not belong to the client certificate"
            if mismatch
            else f"the client certificate or key cannot be used: {error.reason or error}",
            hint="" if mismatch else "Both have to be PEM, the key unencrypted.",
        ) from error
