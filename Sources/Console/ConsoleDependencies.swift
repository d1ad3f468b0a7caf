package import Alerts
package import Bus
package import EventLog
package import Projections

/// What the console needs of the rest: it reads tables and the log, and it writes over the bus alone.
package struct ConsoleDependencies: Sendable {
  package var settings: ConsoleSettings
  package var reader: ProjectionReader
  package var log: any EventReading
  package var commands: any CommandPort
  package var anomalies: any AnomalyPort
  /// A new subscription to events as they are committed. Only a hint that there is something new to read: it may leave events out.
  package var live: @Sendable () -> AsyncStream<RecordedEvent>
  /// Why commands and anomalies can't be taken yet; nil when they can.
  package var unready: @Sendable () async -> String?
  /// The last word of every worker that has spoken.
  package var workers: @Sendable () async -> [WorkerReport]
  /// Renders the digest of a period that ends on a local date (the first day after it).
  package var digest: @Sendable (_ request: DigestRequest) async throws -> DigestView
  /// Who is on call now and next, for each schedule.
  package var schedules: @Sendable () async -> JSON
  /// More lines for `/metrics`, in the Prometheus text format.
  package var moreMetrics: @Sendable () async -> String
  /// What the auditor sees; nil where there is none.
  package var audit: @Sendable () async -> AuditView?
  package var now: @Sendable () -> Timestamp
  /// The zone that pages show times in.
  package var zone: LocalZone
  package var version: String

  package init(
    settings: ConsoleSettings, reader: ProjectionReader, log: any EventReading, commands: any CommandPort,
    anomalies: any AnomalyPort, live: @escaping @Sendable () -> AsyncStream<RecordedEvent>,
    unready: @escaping @Sendable () async -> String? = { nil },
    workers: @escaping @Sendable () async -> [WorkerReport] = { [] },
    digest: @escaping @Sendable (_ request: DigestRequest) async throws -> DigestView,
    schedules: @escaping @Sendable () async -> JSON = { [] },
    moreMetrics: @escaping @Sendable () async -> String = { "" },
    audit: @escaping @Sendable () async -> AuditView? = { nil }, now: @escaping @Sendable () -> Timestamp,
    zone: LocalZone = .utc, version: String
  ) {
    self.settings = settings
    self.reader = reader
    self.log = log
    self.commands = commands
    self.anomalies = anomalies
    self.live = live
    self.unready = unready
    self.workers = workers
    self.digest = digest
    self.schedules = schedules
    self.moreMetrics = moreMetrics
    self.audit = audit
    self.now = now
    self.zone = zone
    self.version = version
  }
}

/// What the auditor saw when it last looked.
package struct AuditView: Sendable, Equatable {
  package struct Item: Sendable, Equatable {
    /// `deadlines_late`, `heartbeat_silent`, …
    package var name: String
    package var about: String?
    package var since: Timestamp
    package var text: String
    package init(name: String, about: String?, since: Timestamp, text: String) {
      self.name = name
      self.about = about
      self.since = since
      self.text = text
    }
  }
  /// Tocsin keeps its own promises.
  package var isWell: Bool
  package var findings: Int
  package var lateness: Interval
  package var expected: Int
  package var silent: Int
  /// Why the last call to the outbound heartbeat's address failed.
  package var outboundError: String?
  package var items: [Item]
  package init(
    isWell: Bool, findings: Int, lateness: Interval, expected: Int, silent: Int, outboundError: String?, items: [Item]
  ) {
    self.isWell = isWell
    self.findings = findings
    self.lateness = lateness
    self.expected = expected
    self.silent = silent
    self.outboundError = outboundError
    self.items = items
  }

  var json: JSON {
    [
      "well": .bool(isWell), "findings": .int(findings), "lateness": .string(lateness.description),
      "heartbeats_expected": .int(expected), "heartbeats_silent": .int(silent), "outbound_error": .text(outboundError),
      "items": .array(
        items.map { item in
          .compact([
            "finding": .string(item.name), "about": .text(item.about), "since": .string(item.since.rfc3339),
            "text": .string(item.text),
          ])
        }),
    ]
  }
}

/// What a worker said last.
package struct WorkerReport: Sendable, Equatable {
  /// `detector/warehouse-1`, `notifier/1`.
  package var name: String
  package var at: Timestamp
  package var json: JSON
  package init(name: String, at: Timestamp, json: JSON) {
    self.name = name
    self.at = at
    self.json = json
  }
}

package struct DigestRequest: Sendable, Equatable {
  package var period: DigestSettings.Period
  /// The first local date after the period, `2026-11-23`; nil for the newest period that is over.
  package var ending: String?
  /// Nil: all.
  package var tenants: [String]?
  package init(period: DigestSettings.Period, ending: String? = nil, tenants: [String]? = nil) {
    self.period = period
    self.ending = ending
    self.tenants = tenants
  }
}

/// A digest in every form.
package struct DigestView: Sendable, Equatable {
  package var subject: String
  /// The date that the period ends on, as in ``DigestRequest/ending``.
  package var ending: String
  package var text: String
  package var html: String
  package var markdown: String
  package var json: JSON
  package init(subject: String, ending: String, text: String, html: String, markdown: String, json: JSON) {
    self.subject = subject
    self.ending = ending
    self.text = text
    self.html = html
    self.markdown = markdown
    self.json = json
  }
}

/// The question makes no sense: told to whoever asked.
package struct DigestError: Error, Sendable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}
