import ArgumentParser
import Foundation

/// `tocsin bench`: each figure beside the limit of the hardware that it is measured against, in one run.
struct BenchVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures this machine: each figure beside its limit, in one run.",
    discussion: "Only a release build says anything. Everything happens in a temporary folder and on loopback.",
    subcommands: [Run.self, Producer.self, ServiceAlone.self], defaultSubcommand: Run.self)

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Runs the benchmarks (the default).")
    @Option(help: "How many anomalies each throughput run stores.") var anomalies = 500_000
    @Option(help: "How many producer processes.") var producers = 4
    @Option(help: "How many messages the latency run sends.") var messages = 1000
    @Option(help: "How many series the detection run holds at once.") var series = 100_000
    @Option(help: "How many messages the notifier's run sends.") var notifications = 20_000
    @Option(help: "How many open alerts the memory run holds.") var alerts = 1_000_000
    @Option(
      help: "How many open alerts the log of the replay and rebuild runs has; there are ten times as many events.")
    var replayAlerts = 100_000
    @Option(help: "How many anomalies the run about repeats remembers; the service's bound is 50 million.")
    var ids = 10_000_000
    @Option(help: "How many seconds the idle run looks.") var seconds = 20
    @Option(help: "Run only these: \(Part.allCases.map(\.rawValue).joined(separator: ", ")).") var only: [Part] = []
    @Option(help: "Measure another program as well, with the same alerts in the same run.") var peer: Peer?

    enum Part: String, CaseIterable, ExpressibleByArgument {
      case throughput, latency, notifier, memory, timers, intake, replay, rebuild, idle, detection
    }
    enum Peer: String, CaseIterable, ExpressibleByArgument { case alertmanager }

    func run() async throws {
      ProcessLimits.prepare()
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-bench-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      #if DEBUG
        print("This is a debug build: its figures say nothing. Use scripts/bench.\n")
      #endif
      var table = BenchTable()
      func wants(_ part: Part) -> Bool { only.isEmpty ? peer == nil : only.contains(part) }
      // Memory first: what runs before it in this process leaves pieces behind that it would find and not count.
      if wants(.memory) { try MemoryBench(alerts: alerts).run(&table) }
      if wants(.throughput) {
        try await ThroughputBench(folder: folder, anomalies: anomalies, producers: producers).run(&table)
      }
      if wants(.latency) { try await LatencyBench(folder: folder, messages: messages).run(&table) }
      if wants(.notifier) { try await NotifierBench(folder: folder, messages: notifications).run(&table) }
      if wants(.idle) { try await IdleBench(folder: folder, seconds: seconds).run(&table) }
      if peer == .alertmanager {
        // Alertmanager takes more than ten kilobytes for each.
        try await PeerBench(folder: folder, alerts: Swift.min(anomalies, 200_000), messages: messages).run(&table)
      }
      if wants(.timers) { TimerBench(timers: 1_000_000).run(&table) }
      if wants(.intake) { try IntakeBench(folder: folder, ids: ids).run(&table) }
      if wants(.replay) { try await ReplayBench(folder: folder, open: replayAlerts).run(&table) }
      if wants(.rebuild) { try RebuildBench(folder: folder, open: replayAlerts).run(&table) }
      if wants(.detection) { DetectionBench(series: series).run(&table) }
      table.printAll()
    }
  }
}

/// Rows of `what | figure | limit | ratio`, in 80 columns.
struct BenchTable {
  struct Row {
    var what: String
    var figure: String
    var limit: String
    var ratio: String
  }
  private(set) var rows: [Row] = []

  mutating func add(_ what: String, _ figure: String, limit: String = "", ratio: Double? = nil) {
    rows.append(Row(what: what, figure: figure, limit: limit, ratio: ratio.map { String(format: "%.2f", $0) } ?? ""))
    if isatty(STDERR_FILENO) == 1 { FileHandle.standardError.write(Data("  done: \(what)\n".utf8)) }
  }

  func printAll() {
    // One space at least, also behind what is longer than its column.
    func pad(_ s: String, _ n: Int) -> String { s + String(repeating: " ", count: max(1, n - s.count)) }
    print(pad("", 36) + pad("measured", 15) + pad("limit beside it", 23) + "ratio")
    print(String(repeating: "-", count: 79))
    for r in rows { print(pad(r.what, 36) + pad(r.figure, 15) + pad(r.limit, 23) + r.ratio) }
  }
}
