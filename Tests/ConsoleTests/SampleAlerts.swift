import Alerts

/// A few alerts in every state: A-1 critical and open, A-2 acknowledged, A-3 resolved, A-4 low and hostile, A-5 of another tenant.
enum SampleAlerts {
  static let hostile = "<script>alert(1)</script>\"'&"

  static func anomaly(
    _ id: String, at: Timestamp, type: String = "listing_views", metric: String = "total_views", severity: Severity,
    _ change: (inout Anomaly) -> Void = { _ in }
  ) -> Anomaly {
    var a = Anomaly(id: id, source: "detector/warehouse-1", time: at, eventType: type, metric: metric)
    a.severity = severity
    a.detector = "percentage_change"
    change(&a)
    return a
  }

  static func write(into log: SampleLog, now: Timestamp) {
    func open(
      _ number: Int64, _ anomaly: Anomaly, at: Timestamp, policy: String? = nil, generation: Int = 1
    ) -> Int64 {
      let route = RouteTaken(
        configuration: 1, index: 0, match: "severity=\"\(anomaly.severity?.name ?? "")\"", policy: policy,
        dashboardOnly: policy == nil)
      return log.append(
        .detected(
          Detected(
            generation: generation, previous: nil, dedupKey: anomaly.dedupKey,
            severity: anomaly.severity ?? .medium, route: route, anomaly: anomaly)),
        to: Subject(.alert, number), at: at, by: anomaly.source)
    }
    func told(
      _ number: Int64, _ receiver: String, _ channel: String, _ destination: String, at: Timestamp, cause: Int64
    )
      -> String
    {
      let key = "A-\(number)/firing/1/\(receiver)/\(channel)"
      log.append(
        .notificationRequested(
          NotificationRequested(
            key: key, purpose: .firing, receiver: receiver, channel: channel, destination: destination, step: 0,
            round: 0)),
        to: Subject(.alert, number), at: at, cause: cause)
      return key
    }
    let settings: JSON = [
      "time_zone": "UTC",
      "policies": [
        [
          "name": "critical",
          "steps": [
            ["after_us": 0, "receivers": ["data-team"]], ["after_us": 1_800_000_000, "receivers": ["oncall"]],
          ], "repeats": 2,
        ]
      ],
    ]
    log.append(
      .configured(Configured(digest: "00", settings: settings)), to: Subject(.configuration, 1), at: now - .days(2))

    let critical = anomaly("2025-11-20/listing_views/mobile", at: now - .minutes(12), severity: .critical) { a in
      a.dimensions = [.init("device", "mobile")]
      a.value = 245
      a.expected = 1850
      a.lower = 1500
      a.upper = 2200
      a.deviation = -0.868
      a.score = 0.93
      a.window = .init(start: now - .days(1), end: now)
      a.summary = "total_views fell 87% below the 7-day mean"
      a.labels = [.init("team", "bi")]
      var values: [JSON] = []
      var times: [JSON] = []
      var lower: [JSON] = []
      var upper: [JSON] = []
      for i in 0..<28 {
        times.append(.string((now - .days(Int64(27 - i))).rfc3339))
        values.append(i == 27 ? 245 : .int(1750 + (i * 37) % 260 + (i % 7 > 4 ? -180 : 60)))
        lower.append(1500)
        upper.append(2200)
      }
      a.more = [
        .init("explanation", ["spend": 0.45]),
        .init("root_causes", [["entity": "campaign/45", "score": 0.8, "why": "parent anomalous 10 min earlier"]]),
        .init("links", ["runbook": "https://wiki.example.org/views", "evil": "javascript:alert(1)"]),
        .init(
          "series", ["times": .array(times), "values": .array(values), "lower": .array(lower), "upper": .array(upper)]),
      ]
    }
    let first = open(1, critical, at: now - .minutes(12), policy: "critical")
    let mail = told(
      1, "data-team", "email", "data-team@example.com,ben@example.com", at: now - .minutes(12), cause: first)
    let slack = told(1, "data-team", "slack", "#data-alerts", at: now - .minutes(12), cause: first)
    log.append(
      .notificationDelivered(
        NotificationDelivered(key: mail, attempt: 1, status: 250, latency: .milliseconds(83), provider: nil)),
      to: Subject(.alert, 1), at: now - .minutes(12), by: "notifier/1")
    log.append(
      .notificationAttempted(
        NotificationAttempted(
          key: slack, attempt: 1, status: 500, message: "internal_error", outcomeUnknown: false,
          nextAt: now - .minutes(11))), to: Subject(.alert, 1), at: now - .minutes(12), by: "notifier/1")
    log.append(
      .notificationFailed(NotificationFailed(key: slack, attempt: 2, status: 404, message: "channel_not_found")),
      to: Subject(.alert, 1), at: now - .minutes(11), by: "notifier/1")
    log.append(
      .deduplicated(
        Deduplicated(
          count: 3, firstTime: now - .minutes(9), lastTime: now - .minutes(2), worst: .critical, last: critical)),
      to: Subject(.alert, 1), at: now - .minutes(2), by: critical.source)
    log.append(
      .commented(Commented(text: "looks like the tracking change")), to: Subject(.alert, 1), at: now - .minutes(1),
      by: "ana")

    let high = anomaly("2", at: now - .hours(3), type: "checkout", metric: "payments_failed", severity: .high) { a in
      a.dimensions = [.init("provider", "visa")]
      a.value = 41
      a.expected = 12
      a.deviation = 2.42
    }
    let second = open(2, high, at: now - .hours(3), policy: "critical")
    log.append(
      .acknowledged(Acknowledged(note: "on it", until: now + .hours(1))), to: Subject(.alert, 2), at: now - .hours(2),
      by: "ben", cause: second)

    let medium = anomaly("3", at: now - .days(1), type: "enquiries", metric: "enquiries", severity: .medium)
    _ = open(3, medium, at: now - .days(1))
    log.append(.resolved(Resolved(how: .stale, seen: false)), to: Subject(.alert, 3), at: now - .hours(20))

    let low = anomaly("4", at: now - .minutes(40), type: hostile, metric: hostile, severity: .low) { a in
      a.dimensions = [.init(hostile, hostile)]
      a.labels = [.init("x\"\u{301} onmouseover=alert(1)", "\"\u{301} onmouseover=alert(2) x=\"")]
      a.summary = hostile
      a.more = [.init(hostile, .string(hostile))]
    }
    _ = open(4, low, at: now - .minutes(40))

    let other = anomaly("5", at: now - .minutes(5), severity: .medium) { a in
      a.tenant = "acme"
      a.summary = "another tenant's secret"
    }
    _ = open(5, other, at: now - .minutes(5))

    log.append(
      .silenceAdded(
        SilenceAdded(
          matchers: [Matcher(name: "event_type", value: "enquiries")], startsAt: now - .hours(1),
          endsAt: now + .hours(2),
          comment: "migration")), to: Subject(.silence, 1), at: now - .hours(1), by: "ana")
  }
}
