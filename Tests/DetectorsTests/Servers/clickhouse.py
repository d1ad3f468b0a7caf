"""A stand-in for ClickHouse's HTTP interface, since Debian has no ClickHouse: it checks the protocol as documented, and answers from SQLite.

POST /?param_NAME=…, the statement as the body, the user in X-ClickHouse-User and -Key, errors as `Code: n. DB::Exception: …`. What a statement needs of ClickHouse's
functions is defined below by their documentation. Prints {"port": n}; ends with standard input.
"""
import http.server, json, re, sqlite3, sys, threading, time, urllib.parse
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

db = sqlite3.connect(":memory:", check_same_thread=False)
zone = ZoneInfo("UTC")


def micro(t):
    return round(t.timestamp()) * 1_000_000


def local(us):
    return datetime.fromtimestamp(us / 1e6, zone)


def to_datetime64(value, precision, name):
    global zone
    zone = ZoneInfo(name)
    if isinstance(value, int):
        return value
    return micro(datetime.fromisoformat(value).replace(tzinfo=zone))


def start_of_day(us):
    return micro(local(us).replace(hour=0, minute=0, second=0, microsecond=0))


def monday(us):
    t = local(us)
    return micro((t - timedelta(days=t.weekday())).replace(hour=0, minute=0, second=0, microsecond=0))


for name, n, f in [
    ("toDateTime64", 3, to_datetime64), ("toStartOfDay", 1, start_of_day), ("toMonday", 1, monday),
    ("toStartOfHour", 1, lambda us: us // 3_600_000_000 * 3_600_000_000),
    ("stepOf", 2, lambda us, n: us // (n * 1_000_000) * n * 1_000_000),
    ("toUnixTimestamp64Micro", 1, int), ("toString", 1, str), ("toFloat64", 1, float),
    ("fromUnixTimestamp64Micro", 2, lambda us, name: datetime.fromtimestamp(us / 1e6, ZoneInfo(name)).strftime("%Y-%m-%d %H:%M:%S")),
    ("sleep", 1, lambda s: time.sleep(s)),
]:
    db.create_function(name, n, lambda *a, f=f: None if a and a[0] is None else f(*a))
db.executescript(open(sys.argv[1]).read())


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        sql = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {k: v[0] for k, v in urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).items()}
        if (self.headers.get("X-ClickHouse-User"), self.headers.get("X-ClickHouse-Key")) != ("reader", "s3cret-word"):
            return self.answer(403, "Code: 516. DB::Exception: reader: Authentication failed. (AUTHENTICATION_FAILED)")
        if given.get("readonly") != "2" or "max_execution_time" not in given:
            return self.answer(400, "Code: 36. DB::Exception: the settings are missing (BAD_ARGUMENTS)")
        if not sql.endswith("\nFORMAT JSONCompactEachRowWithNames"):
            return self.answer(400, "Code: 73. DB::Exception: Unknown format (UNKNOWN_FORMAT)")
        sql = sql[: sql.rindex("\nFORMAT")]
        if "sleep(" in sql:
            time.sleep(float(given["max_execution_time"]))
            return self.answer(408, "Code: 159. DB::Exception: Timeout exceeded (TIMEOUT_EXCEEDED)")
        values = {}
        for name, kind in re.findall(r"\{(\w+):(\w+)\}", sql):
            if kind != "Int64" or not re.fullmatch(r"-?\d+", given.get("param_" + name, "")):
                return self.answer(400, f"Code: 456. DB::Exception: Substitution `{name}` is not set (UNKNOWN_QUERY_PARAMETER)")
            values[name] = int(given["param_" + name])
        sql = re.sub(r"\{(\w+):Int64\}", r":\1", sql)
        sql = re.sub(r"toStartOfInterval\((.*?), INTERVAL (\d+) SECOND\)", r"stepOf(\1, \2)", sql)
        try:
            rows = db.execute(sql, values)
            out = [[c[0] for c in rows.description]]
            # 64-bit integers are quoted, as ClickHouse does it by default.
            out += [[str(v) if isinstance(v, int) else v for v in row] for row in rows]
            self.answer(200, "".join(json.dumps(r) + "\n" for r in out))
        except sqlite3.Error as e:
            code = 60 if "no such table" in str(e) else 47
            self.answer(404, f"Code: {code}. DB::Exception: {e} (UNKNOWN)")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"port": server.server_port}), flush=True)
sys.stdin.read()
