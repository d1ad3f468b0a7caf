"""An HTTP/2 server over TLS for tests: records every request as a JSON line, and answers as its path says. It speaks nothing else: whoever does not choose h2
in the handshake is sent away.

usage: h2_server.py RECORD_FILE CERT KEY
prints its port when it listens. Paths are those of http_server.py, as far as they are here:
  /ok/…  /status/500/…  /after/7/…  /afterdate/S/…  /wait/1.5/REST…  /first/KIND/ARG/REST…
  /reset/…    reads the whole request, then resets its stream without an answer
  /refuse/…   refuses the stream: the server promises that it has done nothing (RFC 9113, section 8.7)
  /goaway/…   answers 200, and closes the connection to what comes after
"""
import base64, email.utils, json, os, socket, ssl, sys, threading, time
import h2.config, h2.connection, h2.errors, h2.events, h2.exceptions

record, lock, seen = open(sys.argv[1], "a"), threading.Lock(), {}
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
context.set_alpn_protocols(["h2"])


class Connection:
    def __init__(self, sock, peer):
        self.sock, self.peer, self.streams = sock, peer, {}
        self.h2 = h2.connection.H2Connection(config=h2.config.H2Configuration(client_side=False))
        # Answers come from threads of their own, so that a slow one holds up no other stream.
        self.lock = threading.Lock()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.sock.sendall(data)

    def run(self):
        with self.lock:
            self.h2.initiate_connection()
            self.flush()
        while True:
            data = self.sock.recv(65536)
            if not data:
                return
            with self.lock:
                events = self.h2.receive_data(data)
                for event in events:
                    self.take(event)
                self.flush()

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.streams[event.stream_id] = ({k.decode(): v.decode() for k, v in event.headers}, bytearray())
        elif isinstance(event, h2.events.DataReceived):
            self.streams[event.stream_id][1].extend(event.data)
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            headers, body = self.streams.pop(event.stream_id)
            threading.Thread(target=self.serve, args=(event.stream_id, headers, bytes(body)), daemon=True).start()

    def serve(self, stream, headers, body):
        path = headers[":path"]
        parts = path.strip("/").split("/")
        if parts[0] == "wait":
            time.sleep(float(parts[1]))
            parts = parts[2:]
        with lock:
            if parts[0] == "first":
                known = (path, body)
                seen[known] = seen.get(known, 0) + 1
                parts = parts[1:3] if seen[known] == 1 else parts[3:]
            record.write(json.dumps({
                "kind": parts[0], "method": headers[":method"], "path": path, "peer": self.peer, "stream": stream,
                "version": "2", "headers": headers,
                "body": base64.b64encode(body).decode(), "text": body.decode("utf-8", "replace")}) + "\n")
            record.flush()
        kind, arg = parts[0], parts[1] if len(parts) > 1 else ""
        try:
            with self.lock:
                if kind == "ok":
                    self.answer(stream, 200, b"ok")
                elif kind == "status":
                    self.answer(stream, int(arg), f"this is {arg}".encode())
                elif kind == "after":
                    self.answer(stream, 429, b"slow down", [("retry-after", arg)])
                elif kind == "afterdate":
                    date = email.utils.formatdate(time.time() + int(arg), usegmt=True)
                    self.answer(stream, 429, b"slow down", [("retry-after", date)])
                elif kind == "reset":
                    self.h2.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
                elif kind == "refuse":
                    self.h2.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)
                elif kind == "goaway":
                    self.answer(stream, 200, b"ok")
                    self.h2.close_connection(last_stream_id=stream)
                else:
                    self.answer(stream, 404, b"no such path")
                self.flush()
        except (OSError, h2.exceptions.ProtocolError):
            pass

    def answer(self, stream, status, body, headers=()):
        self.h2.send_headers(stream, [(":status", str(status)), ("content-length", str(len(body))), *headers])
        self.h2.send_data(stream, body, end_stream=True)


def serve(raw, peer):
    try:
        sock = context.wrap_socket(raw, server_side=True)
        if sock.selected_alpn_protocol() == "h2":
            Connection(sock, peer).run()
    except (OSError, ssl.SSLError):
        pass
    finally:
        raw.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=256)
print(listener.getsockname()[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    accepted, address = listener.accept()
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threading.Thread(target=serve, args=(accepted, address[1]), daemon=True).start()
