"""An HTTP server for tests: records every request as a JSON line, and answers as its path says.

usage: http_server.py RECORD_FILE [CERT KEY]
prints its port when it listens. Paths, by their first part:
  /ok/…             200 "ok"
  /first/KIND/ARG/REST…   the first time as /KIND/ARG, from then on as /REST…; for each body's key apart
  /status/500/…     that status, with a body
  /after/7/…        429 with Retry-After: 7        /afterdate/S/…  the same as an HTTP date, S seconds ahead
  /flaky/2/…        500 for the first two requests to the same path, then 200
  /slow/1.5/…       200 after so many seconds      /wait/1.5/REST…  so many seconds, then as /REST…
  /reset/…          reads the whole request, then resets the connection without an answer
  /resetonce/…      the same for the first request to a path, then 200
  /endless/…        an answer that does not end
  /slack/METHOD     as Slack's API answers          /slackerr/ERROR/METHOD  {"ok":false,"error":ERROR}
  /pagerduty/…      202 as PagerDuty answers
  /twilio/…         as Twilio answers: 401 unless the account is AC1:tok, 400 for a number ending in 13, else 201
  /echo/…           400 with the request's Authorization header and body in the answer
"""
import base64, email.utils, json, socket, ssl, struct, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

record, lock, seen = open(sys.argv[1], "a"), threading.Lock(), {}
slack_clock = [1700000000]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", headers=()):
        if isinstance(body, str):
            body = body.encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        # SO_LINGER with zero seconds: close sends RST.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.wfile = open("/dev/null", "wb")
        self.rfile = open("/dev/null", "rb")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self.path.strip("/").split("/")
        if parts[0] == "wait":
            time.sleep(float(parts[1]))
            parts = parts[2:]
        with lock:
            count = seen[self.path] = seen.get(self.path, 0) + 1
            if parts[0] == "first":
                known = (self.path, body)
                seen[known] = seen.get(known, 0) + 1
                parts = parts[1:3] if seen[known] == 1 else parts[3:]
            record.write(json.dumps({
                "kind": parts[0], "method": self.command, "path": self.path, "peer": self.client_address[1],
                "headers": {k.lower(): v for k, v in self.headers.items()},
                "body": base64.b64encode(body).decode(), "text": body.decode("utf-8", "replace")}) + "\n")
            record.flush()
        kind, arg = parts[0], parts[1] if len(parts) > 1 else ""
        if kind == "ok":
            self.answer(200, "ok")
        elif kind == "status":
            self.answer(int(arg), f"this is {arg}", [("Location", "/ok")])
        elif kind == "after":
            self.answer(429, "slow down", [("Retry-After", arg)])
        elif kind == "afterdate":
            self.answer(429, "slow down", [("Retry-After", email.utils.formatdate(time.time() + int(arg), usegmt=True))])
        elif kind == "flaky":
            self.answer(500 if count <= int(arg) else 200, "flaky")
        elif kind == "slow":
            time.sleep(float(arg))
            self.answer(200, "ok")
        elif kind == "reset" or (kind == "resetonce" and count == 1):
            self.reset()
        elif kind == "resetonce":
            self.answer(200, "ok")
        elif kind == "endless":
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                pass
        elif kind == "slack" and arg == "files.getUploadURLExternal":
            port = self.server.server_address[1]
            self.answer(200, json.dumps({
                "ok": True, "upload_url": f"http://127.0.0.1:{port}/ok/put/secret-place", "file_id": "F1"}))
        elif kind == "slack":
            try:
                sent = json.loads(body)
            except ValueError:
                sent = {}
            with lock:
                slack_clock[0] += 1
                ts = sent.get("ts") or f"{slack_clock[0]}.000100"
            self.answer(200, json.dumps({"ok": True, "channel": "C0DATA", "ts": ts}), [("Content-Type", "application/json")])
        elif kind == "slackerr":
            self.answer(200, json.dumps({"ok": False, "error": arg}), [("Content-Type", "application/json")])
        elif kind == "pagerduty":
            key = json.loads(body).get("dedup_key")
            self.answer(202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": key}))
        elif kind == "twilio":
            if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"AC1:tok").decode():
                self.answer(401, json.dumps({"code": 20003, "message": "Authenticate", "status": 401}))
            elif b"13&" in body:
                self.answer(400, json.dumps({"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}))
            else:
                self.answer(201, json.dumps({"sid": "SM1", "status": "queued"}))
        elif kind == "echo":
            self.answer(400, (self.headers.get("Authorization") or "").encode() + b" " + body)
        else:
            self.answer(404, "no such path")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), sys.stdout.flush(), __import__("os")._exit(0)), daemon=True).start()
server.serve_forever()
