package import Alerts

/// Everything that a digest tells, before it is put into words.
///
/// All of it follows from what the log had taken by the period's end, so that a digest that is made again later says the same.
package struct DigestFigures: Sendable, Equatable {
  /// A number now, and the same for the period before.
  package struct Change: Sendable, Equatable {
    package var now = 0
    package var before = 0
    package init(now: Int = 0, before: Int = 0) {
      self.now = now
      self.before = before
    }
  }
  package struct Named: Sendable, Equatable {
    package var name: String
    package var count: Change
    package init(name: String, count: Change) {
      self.name = name
      self.count = count
    }
  }
  /// An alert as a line of the digest, as it stood at the period's end.
  package struct Line: Sendable, Equatable {
    package var id: AlertID
    package var severity: Severity
    package var eventType: String
    package var metric: String
    /// `device=mobile`, or empty.
    package var dimensions: String
    package var headline: String
    package var deviation: Double?
    package var openedAt: Timestamp
    /// `open`, `acknowledged`, `resolved`, `cleared, never seen`, `resolved (stale)`.
    package var state: String
  }
  /// Alerts that opened in a part of the period.
  package struct Bucket: Sendable, Equatable {
    package var label: String
    package var opened: [Severity: Int]
  }
  package struct Durations: Sendable, Equatable {
    package var count = 0
    package var median: Interval?
    /// The 90th percentile: nine in ten were quicker.
    package var p90: Interval?
    package init(count: Int = 0, median: Interval? = nil, p90: Interval? = nil) {
      self.count = count
      self.median = median
      self.p90 = p90
    }
  }
  package struct Failures: Sendable, Equatable {
    package var receiver: String
    package var channel: String
    package var count: Int
    /// The provider's words of the newest.
    package var message: String?
    package init(receiver: String, channel: String, count: Int, message: String?) {
      self.receiver = receiver
      self.channel = channel
      self.count = count
      self.message = message
    }
  }
  /// How one check did.
  package struct Check: Sendable, Equatable {
    package var eventType: String
    package var metric: String
    package var detector: String?
    package var alerts = 0
    package var anomalies = 0
    package var labelled = 0
    package var falsePositives = 0
    /// Alerts that ended before anybody had acknowledged them.
    package var unseen = 0
    package var flaps = 0
    /// How many different dimensions its alerts had.
    package var places = 0
    /// What may help.
    package var remedy: String?
  }

  package var period: DigestPeriod
  /// Nil: all tenants.
  package var tenant: String?

  // What happened.
  package var opened = Change()
  package var anomalies = Change()
  /// Worst first; every severity is there.
  package var bySeverity: [Named] = []
  /// Most first, at most ``DigestFold/listLimit``.
  package var byEventType: [Named] = []
  package var byMetric: [Named] = []
  package var top: [Line] = []
  package var buckets: [Bucket] = []

  // How we did.
  package var acknowledged = Change()
  package var resolved = Change()
  package var timeToAcknowledge = Durations()
  package var timeToAcknowledgeBefore = Durations()
  package var timeToResolve = Durations()
  package var timeToResolveBefore = Durations()
  /// Opened in the period, told to somebody, and not acknowledged by its end; whether or not they have ended since.
  package var neverAcknowledged = Change()
  /// Ended in the period by themselves before anybody had acknowledged them.
  package var clearedNeverSeen = Change()
  /// Escalations to each step from the second on, by its number for people.
  package var escalations: [Named] = []
  package var exhausted = Change()
  package var delivered = Change()
  package var failed = Change()
  package var failures: [Failures] = []

  // How the detectors did.
  package var labelled = 0
  package var falsePositives = 0
  package var noisiest: [Check] = []

  // What is still open at the end.
  package var stillOpen: [Line] = []
  package var stillOpenCount = 0

  /// At most so many of those that people label should be false.
  package static let falsePositiveGoal = 0.10
  /// The share of labelled alerts that were false; nil where none was labelled.
  package var falsePositiveRate: Double? {
    labelled == 0 ? nil : Double(falsePositives) / Double(labelled)
  }

  package init(period: DigestPeriod, tenant: String?) {
    self.period = period
    self.tenant = tenant
  }
}

// MARK: - JSON

extension DigestFigures {
  package var json: JSON {
    [
      "period": [
        "kind": .string(period.kind.rawValue), "start": .string(period.start.rfc3339),
        "end": .string(period.end.rfc3339), "first_day": .string(period.firstDate),
        "last_day": .string(period.endingDate), "ending": .string(period.endingDate),
        "time_zone": .string(period.zone.name), "title": .string(period.title),
      ],
      "tenant": .text(tenant),
      "happened": [
        "opened": opened.json, "anomalies": anomalies.json, "by_severity": named(bySeverity),
        "by_event_type": named(byEventType), "by_metric": named(byMetric), "top": .array(top.map(\.json)),
        "chart": .array(
          buckets.map { b in
            .object(
              [JSON.Member("label", .string(b.label))]
                + Severity.allCases.reversed().map { JSON.Member($0.name, .int(b.opened[$0] ?? 0)) })
          }),
      ],
      "response": [
        "acknowledged": acknowledged.json, "resolved": resolved.json, "time_to_acknowledge": timeToAcknowledge.json,
        "time_to_acknowledge_before": timeToAcknowledgeBefore.json, "time_to_resolve": timeToResolve.json,
        "time_to_resolve_before": timeToResolveBefore.json, "never_acknowledged": neverAcknowledged.json,
        "cleared_never_seen": clearedNeverSeen.json, "escalations": named(escalations), "exhausted": exhausted.json,
        "delivered": delivered.json, "failed_deliveries": failed.json,
        "failures": .array(
          failures.map {
            .compact([
              "receiver": .string($0.receiver), "channel": .string($0.channel), "count": .int($0.count),
              "message": .text($0.message),
            ])
          }),
      ],
      "detectors": [
        "labelled": .int(labelled), "false_positives": .int(falsePositives),
        "false_positive_rate": .number(falsePositiveRate),
        "false_positive_goal": .number(DigestFigures.falsePositiveGoal), "noisiest": .array(noisiest.map(\.json)),
      ],
      "still_open": ["count": .int(stillOpenCount), "alerts": .array(stillOpen.map(\.json))],
    ]
  }

  private func named(_ all: [Named]) -> JSON {
    .array(
      all.map { ["name": .string($0.name), "count": .int($0.count.now), "before": .int($0.count.before)] })
  }
}

extension DigestFigures.Change {
  var json: JSON { ["count": .int(now), "before": .int(before)] }
}

extension DigestFigures.Durations {
  var json: JSON {
    [
      "count": .int(count), "median_seconds": .number(median?.seconds), "p90_seconds": .number(p90?.seconds),
    ]
  }
}

extension DigestFigures.Line {
  var json: JSON {
    .compact([
      "id": .string(id.description), "severity": .string(severity.name), "event_type": .string(eventType),
      "metric": .string(metric), "dimensions": .text(dimensions.isEmpty ? nil : dimensions),
      "headline": .string(headline), "deviation": .number(deviation), "opened_at": .string(openedAt.rfc3339),
      "state": .string(state),
    ])
  }
}

extension DigestFigures.Check {
  var json: JSON {
    .compact([
      "event_type": .string(eventType), "metric": .string(metric), "detector": .text(detector),
      "alerts": .int(alerts), "anomalies": .int(anomalies), "labelled": .int(labelled),
      "false_positives": .int(falsePositives), "ended_unseen": .int(unseen), "flaps": .int(flaps),
      "places": .int(places), "remedy": .text(remedy),
    ])
  }
}
