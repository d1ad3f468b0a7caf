import Alerts

/// What the API's bodies and answers hold. Members beyond these may come at any time.
enum OpenAPISchemas {
  private static let text: JSON = ["type": "string"]
  private static let time: JSON = ["type": "string", "format": "date-time"]
  private static let number: JSON = ["type": "number"]
  private static let whole: JSON = ["type": "integer"]
  private static let flag: JSON = ["type": "boolean"]
  private static let severity: JSON = ["type": "string", "enum": ["critical", "high", "medium", "low"]]
  private static let texts: JSON = ["type": "array", "items": ["type": "string"]]
  private static let labels: JSON = ["type": "object", "additionalProperties": ["type": "string"]]

  private static func object(_ required: [String], _ properties: KeyValuePairs<String, JSON>) -> JSON {
    .compact([
      "type": "object", "required": required.isEmpty ? .null : .array(required.map { .string($0) }),
      "properties": .object(properties.map { JSON.Member($0.key, $0.value) }),
    ])
  }

  static let all: [JSON.Member] = [
    .init(
      "Alert",
      object(
        ["id", "version", "severity", "state", "condition", "opened_at", "count", "anomaly"],
        [
          "id": text, "version": whole, "generation": whole, "dedup_key": text, "severity": severity,
          "state": ["type": "string", "enum": ["open", "acknowledged", "resolved"]],
          "condition": ["type": "string", "enum": ["firing", "cleared"]],
          "resolved_how": ["type": "string", "enum": ["responder", "cleared", "stale"]], "seen": flag,
          "acknowledged_by": text, "acknowledged_at": time, "acknowledged_until": time, "resolved_by": text,
          "assignee": text, "snoozed_until": time, "silenced_by": texts, "inhibited_by": text, "flapping": flag,
          "opened_at": time, "last_seen_at": time, "resolved_at": time, "count": whole, "route": ["type": "object"],
          "step": whole, "steps": whole, "round": whole, "next_escalation_at": time, "exhausted": flag,
          "anomaly": OpenAPI.ref("Anomaly"),
        ])),
    .init(
      "Anomaly",
      object(
        ["specversion", "id", "source", "type", "data"],
        [
          "specversion": ["const": "1.0"], "id": text, "source": text, "type": ["const": .string(Anomaly.type)],
          "time": time,
          "data": object(
            ["event_type", "metric"],
            [
              "tenant": text, "event_type": text, "metric": text, "dimensions": labels,
              "status": ["type": "string", "enum": ["firing", "resolved"]], "severity": severity, "detector": text,
              "window": object(["start", "end"], ["start": time, "end": time]), "value": number, "expected": number,
              "lower": number, "upper": number, "deviation": number, "score": number, "summary": text,
              "labels": labels, "dedup_key": text,
            ]),
        ])),
    .init(
      "Command",
      object(
        [],
        [
          "by": ["type": "string", "description": "who; needed where no users are configured"], "note": text,
          "version": ["type": "integer", "description": "the alert's version that you saw; a stale one is refused"],
          "for": text, "to": text, "as": ["type": "string", "enum": ["true_positive", "false_positive"]],
        ])),
    .init("Reply", object(["ok"], ["ok": flag])),
    .init(
      "Accepted",
      object(
        ["accepted", "rejected"],
        [
          "accepted": whole,
          "rejected": ["type": "array", "items": object(["index", "error"], ["index": whole, "error": text])],
        ])),
    .init(
      "TimelineEntry",
      object(
        ["position", "type", "occurred_at", "actor", "sentence"],
        [
          "position": whole, "version": whole, "type": text, "occurred_at": time, "recorded_at": time, "actor": text,
          "cause": whole, "sentence": text,
        ])),
    .init(
      "Notification",
      object(
        ["key", "subject", "purpose", "receiver", "channel", "state"],
        [
          "key": text, "subject": text, "purpose": text, "receiver": text, "channel": text, "destination": text,
          "state": ["type": "string", "enum": ["pending", "delivered", "failed", "cancelled"]], "attempts": whole,
          "requested_at": time, "finished_at": time, "message": text,
        ])),
    .init(
      "Event",
      object(
        ["specversion", "id", "source", "type", "subject", "time", "data"],
        [
          "specversion": ["const": "1.0"], "id": text, "source": text, "type": text, "subject": text, "time": time,
          "data": ["type": "object"],
        ])),
    .init(
      "Matcher",
      object(["name", "value"], ["name": text, "value": text, "isRegex": flag, "isEqual": flag])),
    .init(
      "NewSilence",
      object(
        ["matchers"],
        [
          "matchers": ["type": "array", "minItems": 1, "items": OpenAPI.ref("Matcher")], "starts_at": time,
          "ends_at": time, "for": text, "by": text, "note": text, "confirm": flag, "id": text,
        ])),
    .init(
      "Silence",
      object(
        ["id", "state", "matchers", "starts_at", "ends_at"],
        [
          "id": text, "state": ["type": "string", "enum": ["pending", "active", "expired"]],
          "matchers": ["type": "array", "items": OpenAPI.ref("Matcher")], "starts_at": time, "ends_at": time,
          "comment": text, "created_by": text,
        ])),
    .init(
      "Problem",
      object(
        ["title", "status", "detail"],
        ["type": text, "title": text, "status": whole, "detail": text, "mend": text, "code": text])),
  ]
}
