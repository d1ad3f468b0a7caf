import Alerts
import ArgumentParser
import Bus
import Detectors
import Foundation
import Logging
import ServiceLifecycle
import TocsinConfiguration

/// `tocsin detect`: one detector worker.
struct DetectVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect", abstract: "Watches metrics, and publishes what is not as expected.",
    discussion: """
      Runs every check of config/metrics when it is due, until it is stopped. Any number of workers may run; those of one machine share
      their memory in the data directory.
      """)

  @OptionGroup var folder: ConfigVerb.Folder
  @Flag(help: "Run what is due, once, and end.") var once = false
  @Flag(help: "With --once: where nothing is due, judge the newest windows once more; nothing is told twice.")
  var again =
    false
  @ArgumentParser.Option(parsing: .upToNextOption, help: "Only these event types.") var only: [String] = []
  @ArgumentParser.Option(help: "Backfill: check every window from here on, such as 2026-10-01.") var from: String?
  @ArgumentParser.Option(help: "Backfill: up to here (now).") var to: String?
  @ArgumentParser.Option(help: "This worker's name for ever: its anomalies come from detector/NAME.") var name = "1"
  @Flag(help: "Print what was found instead of publishing it, and remember nothing.") var dryRun = false
  @Flag(help: "Print JSON lines.") var json = false
  @ArgumentParser.Option(
    help: "Score this CSV of timestamp,value with the adaptive detector, and print it with anomaly_score.")
  var score: String?

  @Flag(help: "Run all checks over the past (--from, or a year) and print how good they would have been.")
  var evaluate = false
  @ArgumentParser.Option(
    help:
      "With --evaluate: what really happened: JSON lines such as `tocsin sample` writes, or `alerts`, as people labelled them."
  )
  var labels: String?

  func validate() throws {
    if labels != nil, !evaluate { throw ValidationError("--labels needs --evaluate") }
    for (option, text) in [("--from", from), ("--to", to)] {
      if let text, Timestamp(rfc3339: text) == nil {
        throw ValidationError(
          "\(option) must be a date or time such as 2026-10-01 or 2026-10-01T06:00:00Z, not \"\(text)\"")
      }
    }
    if again, !once { throw ValidationError("--again needs --once") }
    if to != nil, from == nil, !evaluate { throw ValidationError("--to needs --from") }
    guard !name.isEmpty, name.utf8.count <= 100, !name.contains("/") else {
      throw ValidationError("--name must be a short name without /")
    }
  }

  /// The plan of a configuration, limited to `only`. Every fault is printed; any ends with code 78.
  static func plan(_ settings: DetectionSettings, only: [String]) throws -> DetectionPlan {
    var plan = DetectionPlan(settings)
    guard plan.faults.isEmpty else {
      for fault in plan.faults { FileHandle.standardError.write(Data("\(fault)\n".utf8)) }
      throw ExitCode(78)
    }
    guard !only.isEmpty else { return plan }
    for name in only where !plan.events.contains(where: { $0.name == name }) {
      let all = plan.events.map(\.name).joined(separator: ", ")
      FileHandle.standardError.write(Data("there is no event type \"\(name)\": there are \(all)\n".utf8))
      throw ExitCode(64)
    }
    plan.events.removeAll { !only.contains($0.name) }
    return plan
  }

  /// A worker of loaded settings. `port` is where its anomalies go; `directory` where it remembers what it has done, nil for nowhere.
  static func worker(
    _ plan: DetectionPlan, name: String, port: any AnomalyPort, directory: String?, leases: Leases? = nil,
    isAlone: Bool = false
  ) throws -> DetectorWorker {
    if let directory {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }
    let state = try DetectorState(path: directory.map { "\($0)/detectors.sqlite" })
    return DetectorWorker(
      name: name, plan: plan, port: port, state: state, leases: leases, isAlone: isAlone, log: Logger(label: "detect"),
      clock: wallClock)
  }

  /// How long a worker waits for a lease before it asks again at its next turn.
  static let leaseTimeout = Interval.seconds(5)

  /// Leases for a worker. Its name and its machine's: after a crash it has at once what it held before.
  static func leases(_ commands: CommandClient, name: String) -> Leases {
    Leases(commands, holder: "\(name)@\(ProcessInfo.processInfo.hostName.prefix(100))")
  }

  func run() async throws {
    if let score { return try DetectVerb.printScores(score) }
    let configuration = try folder.load()
    let plan = try DetectVerb.plan(configuration.detection, only: only)
    if evaluate { return try await printQuality(plan) }
    guard !dryRun else {
      let worker = try DetectVerb.worker(plan, name: name, port: PrintingPort(json: json), directory: nil)
      return try await DetectVerb.work(worker, self)
    }
    Log.start()
    try await Exit.explained {
      let publisher = try Publisher(
        try ConnectionSettings(configuration.bus), producer: "detector/\(name)", outbox: Running.spool(configuration))
      let connection = try ConnectionSettings(configuration.bus)
      let commands = try CommandClient(connection, timeout: DetectVerb.leaseTimeout)
      defer { commands.close() }
      let leases = DetectVerb.leases(commands, name: name)
      if once || from != nil {
        // Run by hand: without a service, this machine's own memory says what is due.
        let worker = try DetectVerb.worker(
          plan, name: name, port: publisher, directory: configuration.dataDirectory, leases: leases, isAlone: true)
        try await DetectVerb.work(worker, self)
        // What was found is on disk; it reaches the service now, or with the next run.
        let waiting = publisher.waiting.anomalies
        if waiting > 0 { _ = try? await publisher.flush(timeout: .seconds(10)) }
        if publisher.waiting.anomalies > 0 {
          FileHandle.standardError.write(
            Data(
              "\(publisher.waiting.anomalies) anomalies wait on disk for the service; the next run sends them\n".utf8))
        }
      } else {
        try await Exit.runGroup(
          watched(plan, configuration, publisher, leases), logger: Logger(label: "tocsin"))
      }
      publisher.close()
    }
  }

  /// The worker until it is stopped, and the watch over its configuration.
  private func watched(
    _ plan: DetectionPlan, _ configuration: Configuration, _ publisher: Publisher, _ leases: Leases
  ) -> [any ServiceLifecycle.Service] {
    let edits = AsyncStream<Configuration>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let (name, only, json) = (name, only, json)
    return [
      Part("detector") {
        try await Part.untilStopped({ edits.continuation.finish() }) {
          try await WatchedChecks.run(plan, edits: edits.stream, only: only) { plan in
            let worker = try DetectVerb.worker(
              plan, name: name, port: publisher, directory: configuration.dataDirectory, leases: leases)
            return { await worker.run { report in ReportLine.print(report, json: json) } }
          }
        }
      },
      ConfigurationWatcher(directory: configuration.directory) { edits.continuation.yield($0) },
    ]
  }

  private func printQuality(_ plan: DetectionPlan) async throws {
    let end = to.flatMap { Timestamp(rfc3339: $0) } ?? wallClock()
    let start = from.flatMap { Timestamp(rfc3339: $0) } ?? end - .days(366)
    guard start < end else { throw ValidationError("--from must be before --to") }
    do {
      let truth =
        try labels == "alerts"
        ? LabelledAlerts.read(folder.load())
        : Evaluation.Labels(incidents: labels.map { try Evaluation.labels(path: $0) } ?? [])
      let (quality, reports) = try await Evaluation.run(plan, start..<end, labels: truth)
      QualityTable.print(quality, json: json)
      for report in reports {
        if case .failed(let why) = report.outcome {
          FileHandle.standardError.write(Data("\(report.event) was not evaluated: \(why)\n".utf8))
          throw ExitCode.failure
        }
      }
    } catch let error as SourceError {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      throw ExitCode.failure
    }
  }

  private static func printScores(_ path: String) throws {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(try ScoreFile.score(path: path).csv))
    } catch {
      FileHandle.standardError.write(Data("\(path) can't be scored: \(error)\n".utf8))
      throw ExitCode.failure
    }
  }

  /// Runs the worker as the options say.
  static func work(_ worker: DetectorWorker, _ options: DetectVerb) async throws {
    var reports: [RunReport]
    if let from = options.from.flatMap({ Timestamp(rfc3339: $0) }) {
      let end = options.to.flatMap { Timestamp(rfc3339: $0) } ?? wallClock()
      guard from < end else {
        FileHandle.standardError.write(Data("--from must be before --to\n".utf8))
        throw ExitCode(64)
      }
      let meter = ProgressMeter()
      reports = await worker.backfill(from..<end) { meter.show($0) }
      meter.end()
    } else if options.once {
      reports = options.again ? await worker.runAgain() : await worker.runOnce()
    } else {
      let json = options.json
      await worker.run { report in ReportLine.print(report, json: json) }
      return
    }
    for report in reports { ReportLine.print(report, json: options.json) }
    let failed = reports.contains { if case .failed = $0.outcome { true } else { false } }
    if failed { throw ExitCode.failure }
  }
}
