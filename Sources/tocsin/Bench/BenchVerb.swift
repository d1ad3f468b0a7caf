import ArgumentParser
import Foundation

/// `tocsin bench`: each figure beside the limit of the hardware that it is measured against, in one run.
struct BenchVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures this machine: each figure beside its limit, in one run.",
    discussion: "Only a release build says anything. Everything happens in a temporary folder and on loopback.",
    subcommands: [Run.self, Producer.self], defaultSubcommand: Run.self)

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Runs the benchmarks (the default).")
    @Option(help: "How many anomalies each throughput run stores.") var anomalies = 200_000
    @Option(help: "How many producer processes.") var producers = 2
    @Option(help: "How many messages the latency run sends.") var messages = 1000
    @Option(help: "How many open alerts the memory run holds.") var alerts = 500_000
    @Option(
      help: "How many open alerts the log of the replay and rebuild runs has; there are ten times as many events.")
    var replayAlerts = 100_000
    @Option(help: "Run only these: throughput, latency, memory, replay, timers, rebuild.") var only: [String] = []

    func run() async throws {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-bench-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      #if DEBUG
        print("This is a debug build: its figures say nothing. Use scripts/bench.\n")
      #endif
      var table = BenchTable()
      func wants(_ name: String) -> Bool { only.isEmpty || only.contains(name) }
      if wants("throughput") {
        try await ThroughputBench(folder: folder, anomalies: anomalies, producers: producers).run(&table)
      }
      if wants("latency") { try await LatencyBench(folder: folder, messages: messages).run(&table) }
      if wants("memory") { try MemoryBench(alerts: alerts).run(&table) }
      if wants("replay") { try await ReplayBench(folder: folder, open: replayAlerts).run(&table) }
      if wants("timers") { TimerBench(timers: 1_000_000).run(&table) }
      if wants("rebuild") { try RebuildBench(folder: folder, open: replayAlerts).run(&table) }
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
    func pad(_ s: String, _ n: Int) -> String { s.count >= n ? s : s + String(repeating: " ", count: n - s.count) }
    print(pad("", 33) + pad("measured", 16) + pad("limit beside it", 25) + "ratio")
    print(String(repeating: "-", count: 79))
    for r in rows { print(pad(r.what, 33) + pad(r.figure, 16) + pad(r.limit, 25) + r.ratio) }
  }
}
