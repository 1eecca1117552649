"""A real SMTP server, written by others: prints what it takes, one JSON line each, and stops where it is told to.

    mailbox.py plain|starttls|smtps [CERTIFICATE KEY USER PASSWORD]

Lines on stdin: `hold STEP` waits at the next EHLO, AUTH, MAIL, RCPT, DATA or QUIT until `go`; the end of stdin ends it.
"""

import asyncio
import email
import email.policy
import hashlib
import json
import queue
import socket
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

MODE, FILES, LOGIN = sys.argv[1], sys.argv[2:4], sys.argv[4:6]
HELD, GO = set(), queue.Queue()


def say(**line):
    print(json.dumps(line), flush=True)


def wait_at(step):
    if step in HELD:
        HELD.discard(step)
        say(at=step)
        GO.get()


def part(part):
    content = part.get_payload(decode=True)
    text = part.get_content() if part.get_content_maintype() == "text" else None
    return {
        "type": part.get_content_type(),
        "id": part["Content-ID"],
        "sha256": hashlib.sha256(content).hexdigest(),
        "text": text,
    }


class Handler:
    async def wait_at(self, step):
        await asyncio.get_running_loop().run_in_executor(None, wait_at, step)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        # A client that may turn to TLS greets twice; the second greeting is the one that counts.
        if MODE != "starttls" or session.ssl:
            await self.wait_at("EHLO")
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        await self.wait_at("MAIL")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        await self.wait_at("RCPT")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say(
            **{"from": envelope.mail_from},
            to=envelope.rcpt_tos,
            subject=mail["Subject"],
            id=mail["Message-ID"],
            unsubscribe=mail["List-Unsubscribe"],
            tls=session.ssl is not None or MODE == "smtps",
            login=bool(session.authenticated),
            structure=[p.get_content_type() for p in mail.walk()],
            parts=[part(p) for p in mail.walk() if not p.is_multipart()],
        )
        # Taken, and not yet said so.
        await self.wait_at("DATA")
        return "250 taken"

    async def handle_QUIT(self, server, session, envelope):
        await self.wait_at("QUIT")
        return "221 bye"


def authenticate(server, session, envelope, mechanism, data):
    wait_at("AUTH")
    given = [data.login.decode(), data.password.decode()]
    return AuthResult(success=given == LOGIN, handled=False)


def options():
    if MODE == "plain":
        return {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*FILES)
    login = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": MODE == "starttls"}
    if MODE == "smtps":
        return {"ssl_context": context, **login}
    return {"tls_context": context, "require_starttls": True, **login}


with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
controller = Controller(Handler(), hostname="127.0.0.1", port=port, **options())
controller.start()
say(port=port)
for line in sys.stdin:
    order, _, step = line.strip().partition(" ")
    if order == "hold":
        HELD.add(step)
        say(holds=step)
    else:
        GO.put(order)
controller.stop()
