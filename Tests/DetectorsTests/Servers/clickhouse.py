"""ClickHouse behind its HTTP interface, for one test run. The engine is ClickHouse's own (chDB, from PyPI); this script is the door before it, since no package of
the server is to be had: it takes what the real door takes, and gives statements, parameters, settings and errors to the engine and back untouched.

POST /?param_NAME=…&SETTING=…, the statement as the body, the user in X-ClickHouse-User and -Key. argv[1]: statements to begin with, each ended by a line that ends
with a semicolon. Prints {"port": n}; ends with standard input.
"""
import http.server, json, sys, threading, urllib.parse

from chdb import session

engine = session.Session()
lock = threading.Lock()
for statement in open(sys.argv[1]).read().split(";\n"):
    if statement.strip():
        engine.query(statement)

# What the door takes for itself; everything else that is no parameter is a setting of the query.
OWN = {"database", "wait_end_of_query", "query_id", "session_id"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        sql = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {k: v[0] for k, v in urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).items()}
        if (self.headers.get("X-ClickHouse-User"), self.headers.get("X-ClickHouse-Key")) != ("reader", "s3cret-word"):
            return self.answer(403, b"Code: 516. DB::Exception: reader: Authentication failed. (AUTHENTICATION_FAILED)")
        params = {k[6:]: v for k, v in given.items() if k.startswith("param_")}
        settings = [f"{k}={v}" for k, v in given.items() if not k.startswith("param_") and k not in OWN]
        try:
            with lock:
                body = engine.query(f"{sql}\nSETTINGS {', '.join(settings)}", params=params).bytes()
            self.answer(200, body)
        except Exception as e:
            self.answer(404 if "Code: 60." in str(e) else 500, str(e).encode())


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"port": server.server_port}), flush=True)
sys.stdin.read()
server.shutdown()
engine.close()
