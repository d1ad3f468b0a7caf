"""A receiver of webhooks that writes down what arrives, a line of JSON each, before it answers.

    hooks.py FILE PORT

Also the other end of an outbound heartbeat: GET is written down too. While a file `hooks-fail` is in the folder the answer is HTTP 503; while a file
`hooks-hang` is there, none comes.
"""
import http.server, json, os, sys, threading, time

path, port = sys.argv[1], int(sys.argv[2])
lock, out = threading.Lock(), open(path, "a", buffering=1)


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        data = body.get("data", {})
        alert = data.get("alert") or {}
        anomaly = (alert.get("anomaly") or {}).get("data", {})
        self.note(method="POST", key=self.headers.get("Idempotency-Key"), purpose=data.get("purpose"),
                  metric=anomaly.get("metric"), event_type=anomaly.get("event_type"), alert=alert.get("id"))

    def do_GET(self):
        self.note(method="GET")

    def note(self, **record):
        while os.path.exists("hooks-hang"):
            time.sleep(0.05)
        failing = os.path.exists("hooks-fail")
        with lock:
            out.write(json.dumps({"path": self.path, "failed": failing, "at": time.time(), **record}) + "\n")
            out.flush()
        self.send_response(503 if failing else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


web = Server(("127.0.0.1", port), Hook)
print("ready", flush=True)
web.serve_forever()
