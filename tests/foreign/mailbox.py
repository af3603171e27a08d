"""A mail server for tests: aiosmtpd speaks SMTP, Python's own parser reads the mail.

    mailbox.py [--tls CERTIFICATE KEY] [--user USER --password PASSWORD] [ANSWER...]

Prints one line of JSON with its port, then one for each mail that it took. ANSWERs are what it says to the next mails,
one after the other: a reply such as "451 later", or "cut": it takes the mail and hangs up without a word.
"""

import argparse
import asyncio
import json
import ssl
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult


def tell(value):
    print(json.dumps(value), flush=True)


class Mailbox:
    def __init__(self, answers):
        self.answers = answers

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer == "cut" or answer.startswith("2"):
            self.show(session, envelope)
        if answer == "cut":
            server.transport.abort()
        return answer

    def show(self, session, envelope):
        mail = message_from_bytes(envelope.original_content, policy=policy.default)
        parts = [part for part in mail.walk() if not part.is_multipart()]
        tell(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "headers": [[name.lower(), str(value)] for name, value in mail.items()],
                "kind": mail.get_content_type(),
                "parts": [{"kind": part.get_content_type(), "text": part.get_content()} for part in parts],
                "defects": [repr(defect) for part in mail.walk() for defect in part.defects],
                "tls": session.ssl is not None,
                "user": session.auth_data.login.decode() if session.authenticated else None,
            }
        )


async def serve(arguments):
    options = {}
    if arguments.tls:
        options["tls_context"] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        options["tls_context"].load_cert_chain(*arguments.tls)
        options["require_starttls"] = True
    if arguments.user:
        wanted = (arguments.user.encode(), arguments.password.encode())
        options["auth_required"] = True
        options["authenticator"] = lambda server, session, envelope, mechanism, given: AuthResult(
            success=(given.login, given.password) == wanted, handled=False, auth_data=given
        )
    mailbox = Mailbox(arguments.answers)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, enable_SMTPUTF8=True, loop=loop, **options), "127.0.0.1", 0
    )
    tell({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


parser = argparse.ArgumentParser()
parser.add_argument("--tls", nargs=2)
parser.add_argument("--user")
parser.add_argument("--password")
parser.add_argument("answers", nargs="*")
asyncio.run(serve(parser.parse_args()))
