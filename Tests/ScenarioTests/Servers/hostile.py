"""Peers that mean harm, or are broken.

    hostile.py silent HOST:PORT COUNT [zmtp|curve|sub]   COUNT connections that say nothing (zmtp: but their names); prints "ready", then waits
    hostile.py noise HOST:PORT SEED               connections that send random bytes, and halves of what is right
    hostile.py million GATEWAY COUNT              one message of COUNT anomalies; prints the answer
    hostile.py nested GATEWAY                     JSON nested a hundred thousand deep, in every place where JSON is read; prints the answers
    hostile.py liar GATEWAY                       a producer that lies about its sequence; prints the answers
    hostile.py flood GATEWAY SECONDS BYTES        as many anomalies of so many bytes as fit into the time; prints how many were sent
    hostile.py names GATEWAY COUNT                heartbeats and requests for jobs under COUNT names
"""
import json, random, resource, socket, sys, time

what, where = sys.argv[1], sys.argv[2]


def event(n, size=0, **data):
    return json.dumps({"specversion": "1.0", "id": f"h{n}", "source": "test/hostile", "type": "tocsin.anomaly.v1",
                       "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                       "data": {"event_type": "hostile", "metric": f"m{n}", "severity": "low", **data,
                                **({"padding": ["x" * 16000] * (size // 16000)} if size else {})}}).encode()


GREETING = b"\xff" + b"\0" * 8 + b"\x7f\x03\x00NULL" + b"\0" * 16 + b"\0" + b"\0" * 31


def ready(kind):
    body = b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
    return b"\x04" + bytes([len(body)]) + body


if what == "silent":
    count, kind = int(sys.argv[3]), (sys.argv[4:] or ["raw"])[0]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    host, port = where.split(":")
    peers = []
    for i in range(count):
        s = socket.create_connection((host, int(port)))
        if kind == "zmtp":
            s.sendall(GREETING + ready(b"DEALER"))
        if kind == "sub":
            s.sendall(GREETING + ready(b"SUB") + b"\x00\x01\x01")
        peers.append(s)
    print("ready", flush=True)
    time.sleep(600)
elif what == "noise":
    host, port = where.split(":")
    draw = random.Random(int(sys.argv[3]))
    right = GREETING + ready(b"DEALER") + b"\x01\x07TOCSIN1\x01\x09anomalies\x01\x01p\x01\x011\x00\x02{}"
    for i in range(400):
        s = socket.create_connection((host, int(port)))
        s.settimeout(0.05)
        kind = i % 4
        if kind == 0:
            data = draw.randbytes(draw.randrange(1, 5000))
        elif kind == 1:
            data = right[:draw.randrange(len(right))]
        elif kind == 2:
            data = bytearray(right)
            for _ in range(draw.randrange(1, 8)):
                data[draw.randrange(len(data))] = draw.randrange(256)
        else:
            data = GREETING + ready(b"DEALER") + b"\x02" + (1 << draw.randrange(20, 63)).to_bytes(8, "big") + b"x" * 1000
        try:
            s.sendall(bytes(data))
            s.recv(100)
        except OSError:
            pass
        s.close()
    print("done", flush=True)
else:
    import zmq
    context = zmq.Context()
    context.setsockopt(zmq.LINGER, 0)
    dealer = context.socket(zmq.DEALER)
    dealer.setsockopt(zmq.SNDHWM, 1000)
    dealer.connect(where)

    def ask(*frames, seconds=60):
        dealer.send_multipart(list(frames))
        answer = [f.decode(errors="replace") for f in dealer.recv_multipart()] if dealer.poll(seconds * 1000) else None
        print(json.dumps(answer), flush=True)

    if what == "million":
        count = int(sys.argv[3])
        ask(b"TOCSIN1", b"anomalies", b"hostile", b"1", *([event(0)] * count), seconds=120)
        ask(b"TOCSIN1", b"anomalies", b"hostile", b"2", event(0))
    elif what == "nested":
        deep = b"[" * 100_000 + b"]" * 100_000
        objects = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
        for text in (deep, objects, b'{"data":' + deep + b"}", b"[" * 900_000):
            ask(b"TOCSIN1", b"anomalies", b"hostile", b"1", text)
            ask(b"TOCSIN1", b"command", b"r", text)
            ask(b"TOCSIN1", b"heartbeat", b"w", text)
            ask(b"TOCSIN1", b"receipt", b"w", text)
            ask(b"TOCSIN1", b"ready", b"w", b"1", text)
    elif what == "liar":
        for n, sequence in enumerate((b"5", b"5", b"1", b"0", b"18446744073709551615", b"18446744073709551616", b"-1", b"5")):
            ask(b"TOCSIN1", b"anomalies", b"test/producer", sequence, event(f"liar{n}"))
    elif what == "flood":
        end, size, n = time.time() + float(sys.argv[3]), int(sys.argv[4]), 0
        body = event("X", size)
        while time.time() < end:
            message = [body.replace(b'"hX"', b'"h%d"' % (n + i)).replace(b'"mX"', b'"m%d"' % (n + i)) for i in range(3)]
            try:
                dealer.send_multipart([b"TOCSIN1", b"anomalies", b"hostile", b"%d" % n, *message], flags=zmq.NOBLOCK)
                n += 3
            except zmq.Again:
                time.sleep(0.001)
            while dealer.poll(0):
                dealer.recv_multipart()
        print(n, flush=True)
    elif what == "names":
        for n in range(int(sys.argv[3])):
            words = b'{"expect_heartbeat":"1h","x":"' + b"x" * 2000 + b'"}'
            dealer.send_multipart([b"TOCSIN1", b"heartbeat", b"hostile/%d" % n, words])
            dealer.send_multipart([b"TOCSIN1", b"ready", b"hostile/%d" % n, b"10", b'["none"]'])
        ask(b"TOCSIN1", b"command", b"r", b'{"command":"acknowledge","alert":"A-1","by":"x"}')
