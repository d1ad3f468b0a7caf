import Alerts

/// Alerts and jobs to tell of, all at fixed instants.
enum Samples {
  static let openedAt = Timestamp(seconds: 1_795_000_000)
  static let now = openedAt + .minutes(15)

  static func anomaly() -> Anomaly {
    var a = Anomaly(
      id: "2026-11-18/listing_views/mobile", source: "detector/warehouse-1", time: openedAt,
      eventType: "listing_views", metric: "total_views")
    a.dimensions = [.init("country", "DE"), .init("device", "mobile")]
    a.severity = .critical
    a.detector = "percentage_change"
    a.value = 245
    a.expected = 1850
    a.lower = 1500
    a.upper = 2200
    a.deviation = -0.868
    a.window = .init(start: Timestamp(seconds: 1_794_873_600), end: Timestamp(seconds: 1_794_960_000))
    a.summary = "total_views fell 87% below the 7-day mean"
    a.labels = [.init("team", "bi")]
    a.more = [
      .init("links", ["runbook": "https://wiki.example.org/runbook?a=1&b=2"]),
      .init("explanation", ["spend": 0.45, "clicks": 0.1]),
      .init("root_causes", [["entity": "campaign/45", "score": 0.8, "why": "parent anomalous 10 min earlier"]]),
    ]
    return a
  }

  static func alert(
    _ number: Int64 = 1042, severity: Severity = .critical, state: AlertSummary.State = .open, step: Int? = 1,
    anomaly: Anomaly = Samples.anomaly()
  ) -> AlertSummary {
    var alert = AlertSummary(
      id: AlertID(number), version: 7, generation: 1, dedupKey: anomaly.dedupKey, severity: severity, state: state,
      condition: .firing, openedAt: openedAt, lastSeenAt: openedAt + .minutes(10), count: 3,
      route: RouteTaken(configuration: 1, index: 0, match: "severity=critical", policy: "critical"), step: step,
      steps: 3, anomaly: anomaly)
    if state != .open {
      alert.acknowledgedBy = "ana"
      alert.seen = true
    }
    if state == .resolved {
      alert.resolvedHow = .responder
      alert.resolvedBy = "ben"
      alert.resolvedAt = openedAt + .minutes(42)
    }
    return alert
  }

  static func job(
    _ channel: String, to destination: String, purpose: Purpose = .firing, alert: AlertSummary? = Samples.alert(),
    key: String? = nil, receiver: String = "data-team", thread: JSON? = nil, content: JSON? = nil,
    console: String? = "https://tocsin.example.org/", requestedAt: Timestamp = Samples.now,
    leaseUntil: Timestamp? = nil, occasion: Occasion? = Occasion(.unacknowledged, after: .minutes(15))
  ) -> Job {
    Job(
      key: key ?? "\(alert?.id.description ?? "D-1")/\(purpose.rawValue)/1/\(receiver)/\(channel)/\(destination)",
      subject: alert?.id.subject ?? Subject(.digest, 1), purpose: purpose, receiver: receiver, channel: channel,
      destination: destination, attempt: 1, requestedAt: requestedAt,
      leaseUntil: leaseUntil ?? requestedAt + .hours(1), alert: alert, thread: thread, content: content,
      consoleURL: console, occasion: occasion)
  }

  /// A group's message of `count` alerts, of which the service sends the worst ten.
  static func summary(_ channel: String, to destination: String, count: Int = 12) -> Job {
    var job = job(channel, to: destination, purpose: .summary, alert: nil, key: "G-3/summary/1/\(channel)")
    job.subject = Subject(.group, 3)
    job.members = (1...10).map { alert(Int64($0), severity: $0 <= 3 ? .high : .medium) }
    job.memberCount = count
    var tally = Tally()
    tally.bySeverity = [.high: 3, .medium: count - 3]
    tally.eventType = "listing_views"
    job.tally = tally
    return job
  }
}
