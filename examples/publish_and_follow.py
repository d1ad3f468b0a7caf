#!/usr/bin/env python3
"""Publishes one anomaly, waits until it is durable, and follows the feed until it says what became of it.

    python3 publish_and_follow.py [GATEWAY [FEED]]        needs pyzmq (Debian: python3-zmq)
"""
import json
import sys
import time
import uuid

import zmq

gateway = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:7801"
feed = sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:7802"
context = zmq.Context()
context.setsockopt(zmq.LINGER, 0)

events = context.socket(zmq.SUB)  # before publishing, so that nothing is missed
events.subscribe(b"default/")  # every event type of one tenant
events.connect(feed)
time.sleep(0.5)

anomaly = {
    "specversion": "1.0", "id": str(uuid.uuid4()), "source": "example/python", "type": "tocsin.anomaly.v1",
    "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    "data": {"event_type": "example", "metric": "answers", "severity": "high", "value": 41, "expected": 42},
}
message = [b"TOCSIN1", b"anomalies", b"example/python", b"1", json.dumps(anomaly).encode()]
for attempt in range(5):  # a producer sends again until it is told `stored`
    dealer = context.socket(zmq.DEALER)
    dealer.connect(gateway)
    dealer.send_multipart(message)
    if dealer.poll(2000):
        _, kind, *rest = dealer.recv_multipart()
        print(kind.decode(), *(frame.decode() for frame in rest), flush=True)
        break
    dealer.close()
else:
    sys.exit(f"no answer from {gateway}; is the service running?")

while events.poll(10_000):
    topic, position, event = events.recv_multipart()
    print(topic.decode(), position.decode(), json.loads(event)["type"], flush=True)
    if topic == b"default/example":
        sys.exit(0 if kind == b"stored" else 1)
sys.exit("nothing on the feed within ten seconds")
