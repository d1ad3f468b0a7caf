"""A mail server for tests: records every mail, taken apart by Python's own mail reader, as a JSON line.

usage: smtp_server.py RECORD_FILE MODE [CERT KEY [USER PASSWORD]]      MODE: plain, starttls (required), offered, smtps
prints its port when it listens. Recipients decide what happens:
  refused@…   550 for this recipient         busy@…    450 for this recipient, always
  grey@…      451 the first time, then taken  full@…    552 after the data
  later@…     451 after the data              drop@…    the connection breaks after the data, unanswered
  first-later@… and first-drop@… do so for the first mail of each Message-ID; slow@… is answered after a second
"""
import asyncio, base64, email, email.policy, json, logging, ssl, sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

logging.disable(logging.CRITICAL)
record_path, mode = sys.argv[1], sys.argv[2]
cert, key = (sys.argv[3:5] + ["", ""])[:2]
account = sys.argv[5:7]
record, greyed, known = open(record_path, "a"), set(), set()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        who = address.split("@")[0]
        if who == "refused":
            return "550 5.1.1 no such person here"
        if who == "busy":
            return "450 4.2.1 mailbox busy"
        if who == "grey" and address not in greyed:
            greyed.add(address)
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        leaves = []
        for part in message.walk():
            if part.is_multipart():
                continue
            content = part.get_content()
            leaves.append({
                "type": part.get_content_type(), "encoding": part.get("Content-Transfer-Encoding", ""),
                "id": part.get("Content-ID", ""),
                "text": content.replace("\r\n", "\n") if isinstance(content, str) else "",
                "bytes": "" if isinstance(content, str) else base64.b64encode(content).decode()})
        who = {address.split("@")[0] for address in envelope.rcpt_tos}
        is_first = message["Message-ID"] not in known
        known.add(message["Message-ID"])
        if "slow" in who:
            await asyncio.sleep(1)
        refuses = "full" in who or "later" in who or ("first-later" in who and is_first)
        record.write(json.dumps({
            "kind": "refused" if refuses else "mail", "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": server.transport.get_extra_info("ssl_object") is not None,
            "user": (session.auth_data.login.decode() if getattr(session, "auth_data", None) else ""),
            "raw": base64.b64encode(envelope.original_content).decode(), "peer": session.peer[1],
            "structure": [part.get_content_type() for part in message.walk()], "parts": leaves,
            "defects": [str(d) for part in message.walk() for d in part.defects],
            "headers": {name.lower(): str(value) for name, value in message.items()}}) + "\n")
        record.flush()
        if "full" in who:
            return "552 5.2.2 mailbox full"
        if "later" in who or ("first-later" in who and is_first):
            return "451 4.3.0 try again later"
        if "drop" in who or ("first-drop" in who and is_first):
            server.transport.abort()
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    ok = isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()] == account
    return AuthResult(success=ok, handled=False if not ok else True, auth_data=data if ok else None)


async def main():
    context = None
    if cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(cert, key)
    auth = dict(authenticator=authenticate, auth_required=bool(account), auth_require_tls=False) if account else {}

    def factory():
        tls = context if mode in ("starttls", "offered") else None
        return SMTP(Handler(), tls_context=tls, require_starttls=mode == "starttls", enable_SMTPUTF8=True, **auth)

    server = await asyncio.get_running_loop().create_server(
        factory, "127.0.0.1", 0, ssl=context if mode == "smtps" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    # The test holds our standard input open for as long as it lives.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    __import__("os")._exit(0)


asyncio.run(main())
