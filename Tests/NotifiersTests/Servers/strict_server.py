"""A Slack, a PagerDuty, a Twilio and a webhook's receiver that refuse what the real ones refuse: wrong keys and signatures, what is too long, what comes too fast.

usage: strict_server.py RECORD_FILE
prints its port when it listens. Each request is a JSON line with the `refusal` that it got, or null. Paths:
  /slack/METHOD         Slack's Web API, for the token xoxb-strict
  /services/…           an incoming webhook of Slack's
  /v2/enqueue           PagerDuty's Events API, for a routing key of 32 letters and digits
  /2010-04-01/…         Twilio's messages, for the account AC1 with the token tok
  /hook                 checks X-Tocsin-Signature against the secret `hook-secret`
"""
import base64, hashlib, hmac, json, re, sys, threading, time, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

record, lock = open(sys.argv[1], "a"), threading.Lock()
known, places, counter, last = set(), {}, [0], {}


class Refused(Exception):
    def __init__(self, error, status=200, headers=()):
        self.error, self.status, self.headers = error, status, headers


def too_fast(place, per_second=1.0, burst=5):
    """A bucket for each place; what finds it empty is told to come back in a second."""
    now = time.time()
    tokens, at = last.get(place, (burst, now))
    tokens = min(burst, tokens + (now - at) * per_second)
    last[place] = (tokens - 1, now) if tokens >= 1 else (tokens, now)
    return tokens < 1


def units(text):
    return len(text.encode("utf-16-le")) // 2


def text_object(value, kinds, limit, what):
    if not isinstance(value, dict) or value.get("type") not in kinds or not 1 <= units(value.get("text", "")) <= limit:
        raise Refused(f"invalid_blocks: {what}")
    return units(value["text"])


def check_blocks(body):
    blocks = body.get("blocks", [])
    if len(blocks) > 50:
        raise Refused("invalid_blocks: more than 50")
    if not blocks and not body.get("text"):
        raise Refused("no_text")
    if units(body.get("text", "")) > 40000:
        raise Refused("msg_too_long")
    total = 0
    for block in blocks:
        kind = block.get("type")
        if kind == "header":
            total += text_object(block.get("text"), ["plain_text"], 150, "header")
        elif kind == "section":
            total += text_object(block.get("text"), ["mrkdwn", "plain_text"], 3000, "section")
        elif kind == "context":
            if not 1 <= len(block.get("elements", [])) <= 10:
                raise Refused("invalid_blocks: context")
            total += sum(text_object(e, ["mrkdwn", "plain_text"], 3000, "context") for e in block["elements"])
        elif kind == "actions":
            elements = block.get("elements", [])
            names = [e.get("action_id") for e in elements]
            if not 1 <= len(elements) <= 25 or len(set(names)) != len(names):
                raise Refused("invalid_blocks: actions")
            for e in elements:
                total += text_object(e.get("text"), ["plain_text"], 75, "button")
                if e.get("type") != "button" or not 1 <= len(e["action_id"]) <= 255 or len(e.get("value", "")) > 2000 \
                        or len(e.get("url", "")) > 3000 or e.get("style") not in (None, "primary", "danger"):
                    raise Refused("invalid_blocks: button")
        elif kind != "divider":
            raise Refused(f"invalid_blocks: {kind}")
    if total > 13200:
        raise Refused("msg_blocks_too_long")


def slack(method, headers, raw, port):
    if headers.get("Authorization") != "Bearer xoxb-strict":
        raise Refused("invalid_auth")
    if method == "files.getUploadURLExternal":
        form = dict(urllib.parse.parse_qsl(raw.decode()))
        if not form.get("filename") or not form.get("length", "").isdigit():
            raise Refused("invalid_arguments")
        counter[0] += 1
        places[f"F{counter[0]}"] = int(form["length"])
        return {"ok": True, "upload_url": f"http://127.0.0.1:{port}/put/F{counter[0]}", "file_id": f"F{counter[0]}"}
    if not headers.get("Content-Type", "").startswith("application/json"):
        raise Refused("invalid_content_type")
    body = json.loads(raw)
    if method == "files.completeUploadExternal":
        if any(places.get(f["id"]) != "there" for f in body["files"]) or body.get("thread_ts") not in known:
            raise Refused("file_not_found")
        return {"ok": True}
    if not body.get("channel"):
        raise Refused("channel_not_found")
    if method == "chat.update":
        if body.get("ts") not in known:
            raise Refused("message_not_found")
    elif method != "chat.postMessage":
        raise Refused("unknown_method")
    elif body.get("thread_ts") and body["thread_ts"] not in known:
        raise Refused("thread_not_found")
    elif too_fast(body["channel"]):
        raise Refused("ratelimited", 429, [("Retry-After", "1")])
    check_blocks(body)
    counter[0] += 1
    ts = body.get("ts") or f"1700000000.{counter[0]:06d}"
    known.add(ts)
    return {"ok": True, "channel": "C" + hashlib.md5(body["channel"].encode()).hexdigest()[:8], "ts": ts}


def pagerduty(raw):
    if len(raw) > 512 * 1000:
        raise Refused("event too large", 400)
    body, errors = json.loads(raw), []
    if not re.fullmatch(r"[0-9a-zA-Z]{32}", body.get("routing_key", "")):
        errors.append("routing_key is invalid")
    action, key = body.get("event_action"), body.get("dedup_key", "")
    if action not in ("trigger", "acknowledge", "resolve"):
        errors.append("event_action is invalid")
    if len(key) > 255 or action != "trigger" and not key:
        errors.append("dedup_key is invalid")
    if action == "trigger":
        payload = body.get("payload", {})
        if not 1 <= units(payload.get("summary", "")) <= 1024:
            errors.append("summary is invalid")
        if not payload.get("source"):
            errors.append("source is missing")
        if payload.get("severity") not in ("critical", "error", "warning", "info"):
            errors.append("severity is invalid")
        if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", payload.get("timestamp", "")):
            errors.append("timestamp is invalid")
        if not isinstance(payload.get("custom_details", {}), dict) or any("href" not in l for l in body.get("links", [])):
            errors.append("details or links are invalid")
    if errors:
        raise Refused("; ".join(errors), 400)
    if too_fast(body["routing_key"], 2, 120):
        raise Refused("too many events", 429)
    return {"status": "success", "message": "Event processed", "dedup_key": key}


def twilio(path, headers, raw):
    if headers.get("Authorization") != "Basic " + base64.b64encode(b"AC1:tok").decode() or "/Accounts/AC1/" not in path:
        raise Refused("Authenticate", 401)
    form = dict(urllib.parse.parse_qsl(raw.decode()))
    if not re.fullmatch(r"\+[1-9]\d{6,14}", form.get("To", "")):
        raise Refused("21211", 400)
    if not form.get("From") and not form.get("MessagingServiceSid"):
        raise Refused("21603", 400)
    if not 1 <= units(form.get("Body", "")) <= 1600:
        raise Refused("21617", 400)
    return {"sid": "SM1", "status": "queued"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        refusal, status, headers = None, 200, []
        with lock:
            try:
                if self.path.startswith("/slack/"):
                    answer = slack(self.path[7:], self.headers, raw, self.server.server_address[1])
                elif self.path.startswith("/services/"):
                    if too_fast(self.path):
                        raise Refused("rate_limited", 429, [("Retry-After", "1")])
                    check_blocks(json.loads(raw))
                    answer = "ok"
                elif self.path.startswith("/put/"):
                    if places.get(self.path[5:]) != len(raw):
                        raise Refused("wrong length", 400)
                    places[self.path[5:]], answer = "there", "OK"
                elif self.path == "/v2/enqueue":
                    answer, status = pagerduty(raw), 202
                elif self.path.startswith("/2010-04-01/"):
                    answer, status = twilio(self.path, self.headers, raw), 201
                elif self.path == "/hook":
                    expected = "sha256=" + hmac.new(b"hook-secret", raw, hashlib.sha256).hexdigest()
                    if not hmac.compare_digest(self.headers.get("X-Tocsin-Signature", ""), expected):
                        raise Refused("signature", 401)
                    json.loads(raw)
                    answer = "ok"
                else:
                    raise Refused("no such path", 404)
            except Refused as r:
                refusal, status, headers = r.error, r.status, r.headers
                answer = {"ok": False, "error": r.error.split(":")[0], "message": r.error, "code": 1}
                if self.path.startswith("/services/") and status == 200:
                    status = 400
            except (ValueError, KeyError, TypeError) as error:
                refusal, status, answer = f"malformed: {error!r}", 400, {"ok": False, "error": "invalid_json"}
            record.write(json.dumps({"path": self.path, "refusal": refusal, "bytes": len(raw)}) + "\n")
            record.flush()
        data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), __import__("os")._exit(0)), daemon=True).start()
server.serve_forever()
