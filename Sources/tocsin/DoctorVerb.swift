import Alerts
import ArgumentParser
import Bus
import Detectors
import EventLog
import Foundation
import Lifecycle
import Projections
import TocsinConfiguration

/// `tocsin doctor`: everything that keeps people from hearing what they should hear, in one look.
struct DoctorVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Says what is wrong, and what to do about it; exits 1 if anything is.",
    discussion: """
      Looks at the configuration, the service and its workers, the log, the tables and the deliveries. What is worth a look and no fault is \
      marked "note".
      """)
  @ArgumentParser.Option(help: "How long to wait for the service, such as 3s.") var timeout = "3s"
  @Flag(help: "As JSON lines.") var json = false
  @OptionGroup var folder: ConfigVerb.Folder

  func run() async throws {
    guard let wait = Interval(timeout), wait > .zero else {
      throw ValidationError("--timeout must be a length of time such as 3s, not \"\(timeout)\"")
    }
    var examination = Examination(now: wallClock())
    let environment = ProcessInfo.processInfo.environment
    let directory = folder.directory ?? environment["TOCSIN_CONFIG"] ?? "config"
    do throws(ConfigurationFaults) {
      let configuration = try Configuration.load(directory: directory, environment: environment)
      examination.look(at: configuration)
      await examination.askService(configuration, timeout: wait)
      examination.look(atFilesOf: configuration)
    } catch {
      for fault in error.faults { examination.say(.bad, "configuration", "\(fault)") }
    }
    for finding in examination.findings {
      print(json ? finding.json.text : finding.line)
    }
    if examination.findings.contains(where: { $0.level == .bad }) { throw ExitCode(1) }
  }
}

/// What a look at a Tocsin found.
struct Examination {
  enum Level: String { case ok, note, bad }
  struct Finding {
    var level: Level
    var part: String
    var text: String
    var line: String {
      "\(Column.left(level.rawValue, 5)) \(Column.left(part, 14)) \(text.replacingOccurrences(of: "\n", with: "\n\(String(repeating: " ", count: 21))"))"
    }
    var json: JSON { ["level": .string(level.rawValue), "part": .string(part), "text": .string(text)] }
  }

  /// A worker says something every ten seconds.
  static let late = Interval.seconds(60)
  /// A delivery under way for longer than this is worth a look.
  static let slow = Interval.minutes(10)
  /// Of each kind so many are named.
  private static let named = 5

  let now: Timestamp
  private(set) var findings: [Finding] = []

  init(now: Timestamp) { self.now = now }

  mutating func say(_ level: Level, _ part: String, _ text: String) {
    findings.append(Finding(level: level, part: part, text: text))
  }

  mutating func look(at configuration: Configuration) {
    say(.ok, "configuration", "no faults: \(configuration.summary)")
    for gap in configuration.gaps(now: now) { say(.bad, "on call", "\(gap)") }
    for fault in configuration.advice { say(.note, "configuration", "\(fault)") }
  }

  // MARK: - The service

  mutating func askService(_ configuration: Configuration, timeout: Interval) async {
    let gateway = configuration.bus.gateway
    let body: JSON
    do {
      let client = try CommandClient(try ConnectionSettings(configuration.bus), timeout: timeout)
      defer { client.close() }
      body = try await client.send(Command(.status, by: "doctor")).result.get()
    } catch {
      return say(
        .bad, "service", "does not answer at \(gateway): \(error)\nstart it with tocsin up, or look into its log")
    }
    if body["ready"]?.bool == true {
      let open = body["open_alerts"]?.int ?? 0
      say(
        .ok, "service",
        "answers at \(gateway); \(open) open alert\(open == 1 ? "" : "s"), log at \(body["position"]?.int ?? 0)")
    } else {
      say(.bad, "service", "takes nothing: \(body["trouble"]?.string ?? "it does not say why")")
    }
    look(atWorkers: body["workers"]?.array ?? [], configuration)
  }

  private mutating func look(atWorkers workers: [JSON], _ configuration: Configuration) {
    var kinds: Set<String> = []
    for worker in workers {
      guard let name = worker["name"]?.string, let at = worker["heard_at"]?.timestamp else { continue }
      // Detectors say what they are; a notifier is known by its name alone.
      kinds.insert(name.hasPrefix("detector/") ? "detector" : "notifier")
      let silent = now - at
      if silent > Examination.late {
        say(.bad, "worker", "\(name) was last heard \(silent.rounded) ago\nstart it again, or look into its log")
      } else {
        say(.ok, "worker", "\(name) was heard \(silent.rounded) ago")
      }
    }
    if !configuration.detection.events.isEmpty, !kinds.contains("detector") {
      say(
        .bad, "worker",
        "\(configuration.detection.events.count) event types are configured, and no detector has been heard of\nstart one: tocsin detect"
      )
    }
    if !configuration.lifecycle.receivers.isEmpty, !kinds.contains("notifier") {
      say(.bad, "worker", "no notifier has been heard of, so nobody is told\nstart one: tocsin notify")
    }
  }

  // MARK: - Files

  mutating func look(atFilesOf configuration: Configuration) {
    do {
      let head = try EventLogReader(path: configuration.logPath).head()
      say(.ok, "log", "\(configuration.logPath) holds \(head) events (tocsin log verify checks each)")
      let tables = ProjectionReader(path: configuration.projectionsPath)
      let standing = try tables.standing(head: head)
      if standing.lag > 1000 {
        say(
          .bad, "tables", "are \(standing.lag) events behind the log\nis the service running? tocsin projections status"
        )
      } else {
        say(.ok, "tables", "\(standing.lag) events behind the log")
      }
      for problem in standing.problems.prefix(Examination.named) {
        say(.bad, "tables", "event \(problem.position) could not be taken in: \(problem.message)")
      }
      try look(atDeliveries: tables)
      try look(atAlerts: tables)
    } catch { say(.bad, "files", "\(error)") }
  }

  private mutating func look(atDeliveries tables: ProjectionReader) throws {
    let failed = try tables.notifications(state: .failed, limit: 200).filter {
      ($0.finishedAt ?? $0.requestedAt) > now - .days(1)
    }
    for (place, rows) in Dictionary(grouping: failed, by: { "\($0.receiver) by \($0.channel)" }).sorted(by: {
      $0.key < $1.key
    }) {
      let last = rows.max { $0.position < $1.position }?.message ?? "no reason was given"
      say(.bad, "deliveries", "\(rows.count) to \(place) failed within a day, the last: \(last)")
    }
    let waiting = try tables.notifications(state: .pending, limit: 200).filter {
      $0.attempts > 0 || now - $0.requestedAt > Examination.slow
    }
    for (place, rows) in Dictionary(grouping: waiting, by: { "\($0.receiver) by \($0.channel)" }).sorted(by: {
      $0.key < $1.key
    }) {
      let oldest = rows.map(\.requestedAt).min() ?? now
      let last = rows.max { $0.position < $1.position }?.message.map { ": \($0)" } ?? ""
      say(.note, "deliveries", "\(rows.count) to \(place) under way, the oldest for \((now - oldest).rounded)\(last)")
    }
    if failed.isEmpty, waiting.isEmpty { say(.ok, "deliveries", "none failed within a day, none is late") }
  }

  private mutating func look(atAlerts tables: ProjectionReader) throws {
    let figures = try tables.statistics(since: now - .days(1))
    if figures.exhausted > 0 {
      say(
        .bad, "alerts",
        "\(figures.exhausted) have no step of their policy left, and nobody has acknowledged\ntocsin alerts list")
    }
    for silence in try tables.silences(at: now) where silence.endsAt - silence.startsAt > .days(30) {
      say(
        .note, "silences",
        "\(silence.id) by \(silence.createdBy) lasts until \(silence.endsAt): \(silence.matchers.map(\.description).joined(separator: " "))"
      )
    }
  }
}
