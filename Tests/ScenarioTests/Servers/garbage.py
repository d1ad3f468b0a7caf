"""Sends a gateway everything that a broken client might, with good anomalies between. Prints each answer as a line of JSON.

    garbage.py GATEWAY
"""
import json, os, sys, time
import zmq

context = zmq.Context()
context.setsockopt(zmq.LINGER, 0)
dealer = context.socket(zmq.DEALER)
dealer.connect(sys.argv[1])


def good(n):
    return json.dumps({"specversion": "1.0", "id": f"good-{n}", "source": "test/garbage", "type": "tocsin.anomaly.v1",
                       "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                       "data": {"event_type": "good", "metric": f"m{n}", "value": n, "severity": "low"}}).encode()


def ask(name, *frames, silent=False):
    dealer.send_multipart(list(frames))
    if silent:
        return
    answer = [f.decode("utf-8", "replace") for f in dealer.recv_multipart()] if dealer.poll(20_000) else None
    print(json.dumps({"case": name, "answer": answer}), flush=True)


head = [b"TOCSIN1", b"anomalies", b"test/garbage"]
ask("noise", os.urandom(64))
ask("empty frames", b"", b"", b"")
ask("another protocol", b"TOCSIN9", b"anomalies", b"p", b"1", good(0))
ask("unknown kind", b"TOCSIN1", b"dance", b"p", b"1")
ask("too few frames", b"TOCSIN1", b"anomalies")
ask("no number", *head, b"minus one", good(0))
ask("beside garbage", *head, b"1", good(1), os.urandom(200), b"", b"{", b"[" * 100_000,
    b'{"event_type":"x"}', good(9).replace(b'"value": 9', b'"value": NaN'), good(9).replace(b'"low"', b'"loud"'),
    good(9).replace(b'"good"', b'"' + b"x" * 20_000 + b'"'), good(2))
ask("too large", *head, b"2", b"x" * (2 << 20))
ask("broken command", b"TOCSIN1", b"command", b"r1", b"{not json")
ask("unknown command", b"TOCSIN1", b"command", b"r2", b'{"command":"explode","alert":"A-1"}')
ask("nobody's alert", b"TOCSIN1", b"command", b"r3", b'{"command":"acknowledge","alert":"A-999","by":"ana"}')
ask("broken receipt", b"TOCSIN1", b"receipt", b"w", b"\xff\xfe")
ask("too much for one frame", *head, b"3", b"x" * (6 << 20), silent=True)  # libzmq cuts the connection
time.sleep(0.5)
dealer.close()
dealer = context.socket(zmq.DEALER)
dealer.connect(sys.argv[1])
ask("afterwards", *head, b"4", good(3))
