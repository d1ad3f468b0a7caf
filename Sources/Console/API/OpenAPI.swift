import Alerts

/// The API's description, OpenAPI 3.1.
enum OpenAPI {
  struct Operation {
    var method: String
    /// With `{id}` for what varies.
    var path: String
    var summary: String
    var query: [(name: String, text: String)] = []
    /// The body's schema, where there is one.
    var body: JSON?
    /// The answer's schema.
    var answer: JSON
    var status = "200"
    var types = ["application/json"]
  }

  static func document(version: String) -> JSON {
    var paths: [JSON.Member] = []
    for operation in operations {
      let member = JSON.Member(operation.method, describe(operation))
      if let i = paths.firstIndex(where: { $0.name == operation.path }) {
        paths[i] = .init(operation.path, .object((paths[i].value.members ?? []) + [member]))
      } else {
        paths.append(.init(operation.path, .object([member])))
      }
    }
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "Tocsin", "version": .string(version),
        "description":
          "Alerts with a life: read them, act on them, send anomalies, follow the event log. Errors are application/problem+json (RFC 9457).",
        "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
      ],
      "servers": [["url": "/"]], "security": [[:], ["token": []]], "paths": .object(paths),
      "components": [
        "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]], "schemas": .object(OpenAPISchemas.all),
      ],
    ]
  }

  private static func describe(_ o: Operation) -> JSON {
    var parameters: [JSON] = []
    for piece in o.path.split(separator: "/") where piece.hasPrefix("{") {
      parameters.append([
        "name": .string(String(piece.dropFirst().dropLast())), "in": "path", "required": true,
        "schema": ["type": "string"],
      ])
    }
    for (name, text) in o.query {
      parameters.append([
        "name": .string(name), "in": "query", "required": false, "description": .string(text),
        "schema": ["type": "string"],
      ])
    }
    let content = JSON.object(o.types.map { JSON.Member($0, ["schema": o.answer]) })
    return .compact([
      "summary": .string(o.summary), "parameters": parameters.isEmpty ? .null : .array(parameters),
      "requestBody": o.body.map { ["required": true, "content": ["application/json": ["schema": $0]]] } ?? .null,
      "responses": .object([
        .init(o.status, ["description": "Done", "content": content]),
        .init(
          "default",
          [
            "description": "Not done, and why",
            "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
          ]),
      ]),
    ])
  }

  static func ref(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }
  private static func list(_ member: String, of name: String) -> JSON {
    [
      "type": "object",
      "properties": .object([.init(member, ["type": "array", "items": ref(name)]), .init("next", [:])]),
    ]
  }
  private static let object: JSON = ["type": "object"]

  static let operations: [Operation] =
    [
      Operation(
        method: "get", path: "/api/v1/alerts", summary: "Alerts, the worst first",
        query: [
          ("q", "words to search for"), ("state", "unresolved (default), open, acknowledged, resolved or all"),
          ("severity", "critical, high, medium or low; may be repeated"), ("event_type", "may be repeated"),
          ("metric", "may be repeated"), ("detector", "may be repeated"), ("assignee", "a responder's name"),
          ("matcher", "such as device=mobile; may be repeated, all must hold"), ("order", "severity, newest or oldest"),
          ("limit", "1 to 500"), ("after", "next of the page before"),
        ], answer: list("alerts", of: "Alert")),
      Operation(method: "get", path: "/api/v1/alerts/{id}", summary: "One alert", answer: ref("Alert")),
      Operation(
        method: "get", path: "/api/v1/alerts/{id}/timeline", summary: "What happened to it",
        query: [("after", "a position"), ("limit", "1 to 1000")], answer: list("timeline", of: "TimelineEntry")),
      Operation(
        method: "get", path: "/api/v1/alerts/{id}/notifications", summary: "Who was told of it",
        answer: list("notifications", of: "Notification")),
    ]
    + APIRoutes.actions.map { action in
      Operation(
        method: "post", path: "/api/v1/alerts/{id}/\(action)", summary: summaries[action] ?? action,
        body: ref("Command"),
        answer: ref("Reply"))
    } + [
      Operation(
        method: "post", path: "/api/v1/anomalies",
        summary: "Send anomalies: a CloudEvent, a list of them, or one a line. Durable when answered.",
        body: ["oneOf": [ref("Anomaly"), ["type": "array", "items": ref("Anomaly")]]], answer: ref("Accepted"),
        status: "202"),
      Operation(
        method: "get", path: "/api/v1/events", summary: "The event log by position; as server-sent events if asked for",
        query: [("after", "a position"), ("limit", "1 to 1000"), ("alert", "an id such as A-1042")],
        answer: list("events", of: "Event")),
      Operation(
        method: "get", path: "/api/v1/events/live",
        summary: "The event log as server-sent events; Last-Event-ID goes on after a position",
        query: [("after", "a position"), ("alert", "an id such as A-1042")], answer: ["type": "string"],
        types: ["text/event-stream"]),
      Operation(
        method: "get", path: "/api/v1/anomalies/check",
        summary: "Look at a metric now, without publishing anything; also at /v1/anomalies/check",
        query: [
          ("metric", "its name; needed"), ("event_type", "where several have such a metric"),
          ("current_start", "RFC 3339, or milliseconds since 1970; without it the newest whole window"),
          ("current_end", "as current_start"), ("baseline_days", "days to compare with, 30 by default"),
          ("threshold", "standard deviations that are too many, 3 by default"),
          ("customer_id", "any dimension by its name, to look at one series"),
        ], answer: object),
      Operation(
        method: "get", path: "/api/v1/statistics", summary: "Figures",
        query: [("since", "RFC 3339; a day ago by default"), ("days", "1 to 366: figures for each of the last days")],
        answer: object),
      Operation(
        method: "get", path: "/api/v1/notifications", summary: "Messages, the newest first",
        query: [
          ("state", "pending, delivered, failed or cancelled"), ("receiver", "its name"), ("limit", "1 to 1000"),
          ("before", "next of the page before"),
        ], answer: list("notifications", of: "Notification")),
      Operation(
        method: "get", path: "/api/v1/digests/{period}", summary: "The digest of a day, a week or a month",
        query: [
          ("ending", "the last date of the period, or one soon after"), ("format", "json, text, markdown or html"),
        ],
        answer: object,
        types: ["application/json", "text/plain", "text/markdown", "text/html"]),
      Operation(
        method: "get", path: "/api/v1/silences", summary: "Silences",
        query: [("expired", "true: the ended ones too"), ("limit", "1 to 1000")],
        answer: list("silences", of: "Silence")),
      Operation(
        method: "post", path: "/api/v1/silences", summary: "Silence alerts", body: ref("NewSilence"),
        answer: ref("Reply"),
        status: "201"),
      Operation(method: "get", path: "/api/v1/silences/{id}", summary: "One silence", answer: ref("Silence")),
      Operation(
        method: "delete", path: "/api/v1/silences/{id}", summary: "End a silence now",
        query: [("by", "who ends it, where no users are configured")], answer: ref("Reply")),
      Operation(method: "get", path: "/api/v1/schedules", summary: "Who is on call, now and next", answer: object),
      Operation(method: "get", path: "/api/v1/status", summary: "Whether everything works", answer: object),
      Operation(method: "get", path: "/api/v1/openapi.json", summary: "This document", answer: object),
    ]

  private static let summaries = [
    "acknowledge": "Somebody is on it: the policy stops", "unacknowledge": "Take an acknowledgement back",
    "resolve": "It is over",
    "snooze": "Quiet for a time: \"for\": \"2h\", or until its value changes: \"until_change\": true",
    "unsnooze": "No longer quiet",
    "assign": "Hand it to somebody: \"to\": \"ben\"", "comment": "Say something: \"note\"",
    "label": "Was it real? \"as\": true_positive or false_positive", "escalate": "On to the policy's next step, now",
  ]
}
