"""A producer that never gives up: sends anomalies, again and again until each is told `stored`, and writes down what it was told.

    producer.py GATEWAY COUNT TOLD_FILE
"""
import json, sys, time
import zmq

gateway, count, told = sys.argv[1], int(sys.argv[2]), open(sys.argv[3], "a", buffering=1)
context = zmq.Context()
context.setsockopt(zmq.LINGER, 0)
batch = 5


def event(n):
    return json.dumps({"specversion": "1.0", "id": f"n{n}", "source": "test/producer", "type": "tocsin.anomaly.v1",
                       "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                       "data": {"event_type": "load", "metric": f"m{n}", "value": n, "severity": "low"}}).encode()


for sequence, first in enumerate(range(0, count, batch), 1):
    names = range(first, min(first + batch, count))
    message = [b"TOCSIN1", b"anomalies", b"test/producer", str(sequence).encode(), *map(event, names)]
    while True:
        dealer = context.socket(zmq.DEALER)
        dealer.setsockopt(zmq.RECONNECT_IVL, 20)
        dealer.connect(gateway)
        dealer.send_multipart(message)
        answer = dealer.recv_multipart() if dealer.poll(1000) else None
        dealer.close()
        if answer and answer[1] == b"stored" and int(answer[2]) == sequence:
            result = json.loads(answer[3])
            assert result["accepted"] + result["duplicates"] == len(names), result
            told.write("".join(f"n{n}\n" for n in names))
            break
        time.sleep(0.05)
print("done", flush=True)
