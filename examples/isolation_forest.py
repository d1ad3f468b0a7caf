#!/usr/bin/env python3
"""A detector of your own, in Python: an isolation forest over several numbers at once, which joins Tocsin over the bus. Or any model of PyOD's.

    python3 isolation_forest.py --file orders.csv [--gateway tcp://127.0.0.1:7801] [--model pyod.models.knn.KNN]

needs pyzmq and scikit-learn (Debian: python3-zmq python3-sklearn). The file has a time and any number of columns of numbers; each row
that is unlike the rows before it becomes an anomaly, and the next usual row clears it. Run it again as often as you like: what was told before is recognised.

Any model with a score will do in place of the forest: give it a class like `Forest` below. `PyOD` wraps each of that library's detectors (pip install pyod).
"""
import argparse
import csv
import importlib
import json
import time

import numpy
import zmq


class Forest:
    """scikit-learn's isolation forest: 0.5 for a usual row, towards 1 for a lonely one."""

    name = "isolation_forest"

    def __init__(self, past):
        from sklearn.ensemble import IsolationForest

        self.model = IsolationForest(n_estimators=100, random_state=1).fit(past)

    def score(self, row):
        return float(-self.model.score_samples([row])[0])


class PyOD:
    """Any detector of PyOD's, by the name of its class: 0.5 where it draws its own line, towards 1 beyond."""

    def __init__(self, path, past):
        module, _, kind = path.rpartition(".")
        self.name = f"pyod_{kind.lower()}"
        self.model = getattr(importlib.import_module(module), kind)(contamination=0.01).fit(numpy.array(past))
        self.least = float(self.model.decision_scores_.min())
        self.line = max(1e-12, float(self.model.threshold_) - self.least)

    def score(self, row):
        distance = max(0.0, float(self.model.decision_function(numpy.array([row]))[0]) - self.least)
        return distance / (distance + self.line)


class Tocsin:
    """A producer: sends a message, and sends it again until the service says that it is stored."""

    def __init__(self, gateway, name):
        self.gateway, self.name, self.sequence = gateway, name, 0
        self.context = zmq.Context()
        self.context.setsockopt(zmq.LINGER, 500)
        self.connect()

    def connect(self):
        self.dealer = self.context.socket(zmq.DEALER)
        self.dealer.connect(self.gateway)

    def publish(self, anomalies):
        self.sequence += 1
        frames = [json.dumps(a).encode() for a in anomalies]
        message = [b"TOCSIN1", b"anomalies", self.name.encode(), str(self.sequence).encode(), *frames]
        while True:
            self.dealer.send_multipart(message)
            while self.dealer.poll(2000):
                _, kind, *rest = self.dealer.recv_multipart()
                if kind == b"stored" and rest[0] == str(self.sequence).encode():
                    return json.loads(rest[1])
                if kind == b"error":
                    raise SystemExit(b" ".join(rest).decode())
            self.dealer.close()
            self.connect()

    def heartbeat(self, facts):
        """Says that it lives, and what it has done: `tocsin doctor` and the status page show it."""
        self.dealer.send_multipart([b"TOCSIN1", b"heartbeat", self.name.encode(), json.dumps(facts).encode()])

    def close(self):
        self.dealer.close()
        self.context.term()


def rows(path):
    """Times and vectors, oldest first; rows with a gap in them are left out."""
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            at, *values = row.values()
            try:
                yield at, [float(v) for v in values], list(row)[1:]
            except ValueError:
                continue


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--file", required=True)
    options.add_argument("--gateway", default="tcp://127.0.0.1:7801")
    options.add_argument("--name", default="detector/isolation-forest", help="this producer's name, for ever")
    options.add_argument("--event-type", default="orders")
    options.add_argument("--model", help="a class of PyOD's instead, such as pyod.models.knn.KNN")
    options.add_argument("--past", type=int, default=200, help="rows to learn from before the first judgement")
    options.add_argument("--every", type=int, default=50, help="learn anew after so many rows")
    options.add_argument("--threshold", type=float, default=0.65, help="scores above it are anomalies; 0.5 is usual")
    options = options.parse_args()

    tocsin = Tocsin(options.gateway, options.name)
    past, model, firing, told = [], None, False, {"firing": 0, "resolved": 0, "duplicates": 0}
    for at, values, columns in rows(options.file):
        if len(past) >= options.past and (model is None or len(past) % options.every == 0):
            model = PyOD(options.model, past[-5000:]) if options.model else Forest(past[-5000:])
        if model is not None:
            score = model.score(values)
            is_anomaly = score > options.threshold
            if is_anomaly or firing:
                answer = tocsin.publish([anomaly(options, model.name, at, values, columns, score, is_anomaly, past)])
                told["firing" if is_anomaly else "resolved"] += 1
                told["duplicates"] += answer["duplicates"]
            firing = is_anomaly
            if is_anomaly:
                continue  # what is strange is not what usual looks like
        past.append(values)
    tocsin.heartbeat({"rows": len(past), **told})
    tocsin.close()
    print(json.dumps(told))


def anomaly(options, detector, at, values, columns, score, is_anomaly, past):
    means = [sum(column) / len(past) for column in zip(*past)]
    odd = max(range(len(values)), key=lambda i: abs(values[i] - means[i]) / (abs(means[i]) or 1))
    row = ", ".join(f"{c} {v:g}" for c, v in zip(columns, values))
    return {
        "specversion": "1.0", "type": "tocsin.anomaly.v1", "source": options.name,
        # The same row has the same id for ever: a second run changes nothing.
        "id": f"{options.event_type}/{at}/{'firing' if is_anomaly else 'resolved'}",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "data": {
            "event_type": options.event_type, "metric": "pattern", "detector": detector,
            "status": "firing" if is_anomaly else "resolved",
            "severity": "critical" if score > 0.75 else "high", "score": round(score, 4), "value": values[odd],
            "expected": round(means[odd], 4), "window": {"start": at, "end": at},
            "summary": f"{row} is unlike the rows before; {columns[odd]} most of all" if is_anomaly else f"{row} is usual again",
            "explanation": {c: round(v - m, 4) for c, v, m in zip(columns, values, means)},
        },
    }


if __name__ == "__main__":
    main()
