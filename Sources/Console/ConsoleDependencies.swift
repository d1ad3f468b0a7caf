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
  /// Renders the digest of a period.
  package var digest: @Sendable (_ request: DigestRequest) async throws -> DigestView
  /// The configuration's maintenance windows, each with its next time.
  package var windows: @Sendable () async -> [WindowReport]
  /// Looks at a metric now; see ``CheckRoute``. Throws ``CheckRefusal``.
  package var check: @Sendable (_ query: [(name: String, value: String)], _ tenants: [String]?) async throws -> JSON
  /// Who is on call when.
  package var onCall: OnCallSource
  /// What a signed link in a message stands for.
  package var link: @Sendable (_ token: String) -> LinkReading
  /// How answers from Slack and PagerDuty are judged, by the configuration in force.
  package var answers: @Sendable () -> Answers
  /// What of the configuration will need somebody's attention: steps that would reach nobody. For the pages.
  package var warnings: @Sendable () -> [String]
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
    windows: @escaping @Sendable () async -> [WindowReport] = { [] },
    check: @escaping @Sendable (_ query: [(name: String, value: String)], _ tenants: [String]?) async throws -> JSON = {
      _, _ in throw CheckRefusal(.unavailable, "this service has no sources to look at")
    },
    onCall: OnCallSource = OnCallSource(), link: @escaping @Sendable (_ token: String) -> LinkReading = { _ in .off },
    answers: (@Sendable () -> Answers)? = nil, warnings: @escaping @Sendable () -> [String] = { [] },
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
    self.windows = windows
    self.check = check
    self.onCall = onCall
    self.link = link
    self.answers = answers ?? { settings.answers }
    self.warnings = warnings
    self.moreMetrics = moreMetrics
    self.audit = audit
    self.now = now
    self.zone = zone
    self.version = version
  }
}

/// A maintenance window of the configuration.
package struct WindowReport: Sendable, Equatable {
  package struct Occurrence: Sendable, Equatable {
    package var start: Timestamp
    package var end: Timestamp
    package init(start: Timestamp, end: Timestamp) {
      self.start = start
      self.end = end
    }
  }
  package var name: String
  /// When it comes back, for people.
  package var rhythm: String
  package var matchers: [Matcher]
  /// The present one or the one to come.
  package var next: Occurrence?
  package init(name: String, rhythm: String, matchers: [Matcher], next: Occurrence?) {
    self.name = name
    self.rhythm = rhythm
    self.matchers = matchers
    self.next = next
  }
}

/// What a signed link in a message stands for.
package enum LinkReading: Sendable, Equatable {
  /// No secret is configured: there are no links.
  case off
  /// Not ours, or changed on the way.
  case invalid
  case expired
  /// Acknowledges an alert, as it was at a version, in the name of whoever was told.
  case acknowledge(AlertID, version: Int, by: String, sentTo: String)
}

/// Who is on call when, as the console asks for it. Answers by the configuration in force.
package struct OnCallSource: Sendable {
  package struct Schedule: Sendable, Equatable {
    package var name: String
    package var zone: LocalZone
    /// Receivers that tell whoever is on call.
    package var receivers: [String]
    package init(name: String, zone: LocalZone, receivers: [String]) {
      self.name = name
      self.zone = zone
      self.receivers = receivers
    }
  }
  /// Nobody is on call where ``person`` is nil.
  package struct Shift: Sendable, Equatable {
    package var person: String?
    package var from: Timestamp
    package var until: Timestamp
    package var isOverride: Bool
    package init(person: String?, from: Timestamp, until: Timestamp, isOverride: Bool = false) {
      self.person = person
      self.from = from
      self.until = until
      self.isOverride = isOverride
    }
  }
  package var schedules: @Sendable () -> [Schedule]
  /// Without holes, cut at both ends.
  package var shifts: @Sendable (_ schedule: String, _ from: Timestamp, _ to: Timestamp) -> [Shift]
  /// As programs want it: who is on call at a time, and who is next.
  package var standing: @Sendable (_ at: Timestamp) -> JSON
  /// An iCalendar file; nil for a schedule that there is not.
  package var calendar: @Sendable (_ schedule: String) -> String?

  package init(
    schedules: @escaping @Sendable () -> [Schedule] = { [] },
    shifts: @escaping @Sendable (String, Timestamp, Timestamp) -> [Shift] = { _, _, _ in [] },
    standing: @escaping @Sendable (Timestamp) -> JSON = { _ in [] },
    calendar: @escaping @Sendable (String) -> String? = { _ in nil }
  ) {
    self.schedules = schedules
    self.shifts = shifts
    self.standing = standing
    self.calendar = calendar
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
  /// The period's last local date, `2026-11-22`, or one soon after: the newest period that ends on it or earlier. Nil: the newest that is over.
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
  /// The period's last date, as in ``DigestRequest/ending``.
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
