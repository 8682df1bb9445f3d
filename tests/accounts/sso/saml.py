"""A SAML provider whose answers a test can bend: what it signs, for whom, and in answer to what.

That an honest answer of a real provider is taken, the browser tests show; here it is about all the others.
"""

import base64
import datetime as dt
import subprocess
import sys
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test import Client
from django.urls import reverse
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from tests.accounts.sso.oidc import begin, free_port, wait_for

ENTITY = "urn:example:campus"
PERSISTENT = Names.NAMEID_PERSISTENT
HOST = "http://testserver"
TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass
class Answer:
    """One answer. What a test does not change is as it should be."""

    in_response_to: str | None
    name_id: str = "jane"
    attributes: dict[str, list[str]] = field(default_factory=dict)
    acs: str = f"{HOST}/sso/saml/acs"
    audience: str | None = "http://localhost:8000/sso/saml/metadata"
    issuer: str = ENTITY
    format: str = PERSISTENT
    minutes: int = 5
    # What the assertion itself says that it answers; None: nothing.
    confirmed: Any = "as the response"
    id: str = field(default_factory=lambda: f"_{uuid.uuid4().hex}")

    def assertion(self) -> str:
        """Return the assertion as XML, not signed."""
        confirmed = self.in_response_to if self.confirmed == "as the response" else self.confirmed
        answers = f'InResponseTo="{confirmed}"' if confirmed else ""
        now = dt.datetime.now(dt.UTC)
        start, end = ((now + dt.timedelta(minutes=n)).strftime(TIME) for n in (self.minutes - 10, self.minutes))
        restriction = (
            f"<saml:AudienceRestriction><saml:Audience>{self.audience}</saml:Audience></saml:AudienceRestriction>"
        )
        attributes = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
            + "</saml:Attribute>"
            for name, values in self.attributes.items()
        )
        statement = f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement>" if attributes else ""
        return (
            f'<saml:Assertion xmlns:saml="{Names.NS_SAML}" ID="{self.id}" Version="2.0" IssueInstant="{start}">'
            f"<saml:Issuer>{self.issuer}</saml:Issuer>"
            f'<saml:Subject><saml:NameID Format="{self.format}">{self.name_id}</saml:NameID>'
            f'<saml:SubjectConfirmation Method="{Names.CM_BEARER}"><saml:SubjectConfirmationData NotOnOrAfter="{end}" '
            f'Recipient="{self.acs}" {answers}/></saml:SubjectConfirmation></saml:Subject>'
            f'<saml:Conditions NotBefore="{start}" NotOnOrAfter="{end}">{restriction if self.audience else ""}'
            f'</saml:Conditions><saml:AuthnStatement AuthnInstant="{start}"><saml:AuthnContext>'
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>"
            f"</saml:AuthnContext></saml:AuthnStatement>{statement}</saml:Assertion>"
        )

    def response(self, assertion: str) -> str:
        """Return the response around it, in base64, as a browser would post it."""
        answers = f'InResponseTo="{self.in_response_to}"' if self.in_response_to else ""
        now = dt.datetime.now(dt.UTC).strftime(TIME)
        text = (
            f'<samlp:Response xmlns:samlp="{Names.NS_SAMLP}" xmlns:saml="{Names.NS_SAML}" ID="_{uuid.uuid4().hex}" '
            f'Version="2.0" IssueInstant="{now}" Destination="{self.acs}" {answers}>'
            f"<saml:Issuer>{self.issuer}</saml:Issuer>"
            f'<samlp:Status><samlp:StatusCode Value="{Names.STATUS_SUCCESS}"/></samlp:Status>{assertion}</samlp:Response>'
        )
        return base64.b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Idp:
    """Its certificate and key."""

    certificate: str
    key: str

    def sign(self, xml: str) -> str:
        """Return the element with the provider's signature."""
        algorithms = (Names.RSA_SHA256, Names.SHA256)
        signed = OneLogin_Saml2_Utils.add_sign(xml, self.key, self.certificate, False, *algorithms)
        return etree.tostring(etree.fromstring(signed)).decode()

    def answer(self, answer: Answer, *, is_signed: bool = True) -> str:
        """Return the whole response, its assertion signed."""
        xml = answer.assertion()
        return answer.response(self.sign(xml) if is_signed else xml)


def ask(client: Client, code: str = "saml", **more: str) -> str:
    """Press the button, and return the id of the question that goes to the provider."""
    raw = parse_qs(urlsplit(begin(client, code, **more)).query)["SAMLRequest"][0]
    return str(etree.fromstring(zlib.decompress(base64.b64decode(raw), -15)).get("ID"))


def post(client: Client, response: str, code: str = "saml", **more: str):
    """Bring the response back as the browser does: the post without, and then the page with its session."""
    kept = client.post(reverse("saml_acs", args=[code]), {"SAMLResponse": response, **more})
    return client.get(kept.url) if kept.status_code == 302 else kept


@contextmanager
def running_saml(folder: Path, portal_metadata: str) -> Iterator[str]:
    """Run a whole SAML provider, which others wrote, as a process of its own; yields the address of its metadata."""
    port = free_port()
    for name, pem in zip(("idp.pem", "idp.key"), make_pair(), strict=True):
        (folder / name).write_text(pem)
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tests.accounts.sso.saml_site",
        str(port),
        str(folder),
        portal_metadata,
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/idp/metadata/"
        wait_for(process, url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def make_pair(days: int = 30) -> tuple[str, str]:
    """Return (certificate, key) as PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "portal")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=60)).not_valid_after(now + dt.timedelta(days=days))
    certificate = builder.sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), pem.decode()
