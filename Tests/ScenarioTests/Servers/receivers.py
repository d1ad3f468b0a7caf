"""A real SMTP server, and a Slack and a PagerDuty that answer as the real ones do. Each message that arrives is a line of JSON in a file.

    receivers.py FILE SMTP_PORT HTTP_PORT

While a file `slack-fails` in the folder holds a number above 0, Slack answers HTTP 500 instead, and takes one off it.
"""
import asyncio, email, email.policy, http.server, itertools, json, sys, threading
from aiosmtpd.controller import Controller

path, smtp_port, http_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
lock, out = threading.Lock(), open(path, "a", buffering=1)
stamps = itertools.count(1)


def note(**record):
    with lock:
        out.write(json.dumps(record) + "\n")
        out.flush()


def refuses():
    with lock:
        try:
            left = int(open("slack-fails").read())
        except (OSError, ValueError):
            return False
        open("slack-fails", "w").write(str(left - 1))
        return left > 0


class Mail:
    async def handle_DATA(self, server, session, envelope):
        m = email.message_from_bytes(envelope.content, policy=email.policy.default)
        note(kind="email", to=envelope.rcpt_tos, subject=m["Subject"], id=m["Message-ID"], references=m["References"],
             auto=m["Auto-Submitted"], types=[p.get_content_type() for p in m.walk()],
             text=m.get_body(("plain",)).get_content(), html=m.get_body(("html",)).get_content())
        return "250 taken"


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(raw or b"{}")
        if self.path == "/v2/enqueue":
            note(kind="pagerduty", action=body.get("event_action"), key=body.get("dedup_key"), body=body)
            self.answer(202, {"status": "success", "message": "Event processed", "dedup_key": body.get("dedup_key")})
        elif self.path.startswith("/api/chat.") and refuses():
            note(kind="refused", text=body.get("text"))
            self.answer(500, {"ok": False, "error": "internal_error"})
        elif self.path.startswith("/api/chat."):
            ts = body.get("ts") or f"1700000000.{next(stamps):06d}"
            note(kind="slack", method=self.path.split(".")[-1], ts=ts, thread=body.get("thread_ts"),
                 token=self.headers.get("Authorization", ""), channel=body.get("channel"), text=body.get("text"), body=body)
            self.answer(200, {"ok": True, "channel": "C1", "ts": ts})
        else:
            note(kind="other", path=self.path)
            self.answer(404, {})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


Controller(Mail(), hostname="127.0.0.1", port=smtp_port).start()
web = Server(("127.0.0.1", http_port), Web)
print("ready", flush=True)
web.serve_forever()
