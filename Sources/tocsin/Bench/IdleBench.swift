import Foundation

/// What `tocsin up` costs while nothing is due: its share of a core, and how often it wakes.
struct IdleBench {
  let folder: URL
  let seconds: Int
  /// After so long everything has started, and the first heartbeats have gone.
  private static let settling = Duration.seconds(5)
  private static let allowedShare = 0.005

  func run(_ table: inout BenchTable) async throws {
    let home = folder.appendingPathComponent("idle")
    try FileManager.default.createDirectory(
      at: home.appendingPathComponent("config"), withIntermediateDirectories: true)
    try Data(
      """
      log: sqlite:data/tocsin.sqlite
      bus: {gateway: "tcp://127.0.0.1:\(BenchPort.free())", feed: "tcp://127.0.0.1:\(BenchPort.free())"}
      console: {listen: "127.0.0.1:\(BenchPort.free())"}
      routes:
        - {dashboard_only: true}
      channels:
        outbox: {directory: data/outbox}

      """.utf8
    ).write(to: home.appendingPathComponent("config/tocsin.yaml"))
    let p = Process()
    p.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    p.arguments = ["up"]
    p.currentDirectoryURL = home
    let log = home.appendingPathComponent("log")
    _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    p.standardError = try FileHandle(forWritingTo: log)
    p.standardOutput = FileHandle.nullDevice
    try p.run()
    defer {
      p.terminate()
      p.waitUntilExit()
    }
    try await Task.sleep(for: IdleBench.settling)
    guard p.isRunning else {
      let why = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      throw BenchError("tocsin up ended at once: \(why.suffix(2000))")
    }
    let before = ProcessUse(of: p.processIdentifier)
    try await Task.sleep(for: .seconds(seconds))
    let after = ProcessUse(of: p.processIdentifier)
    let share = (after.cpuSeconds - before.cpuSeconds) / Double(seconds)
    table.add(
      "idle: share of a core", String(format: "%.2f %%", share * 100), limit: "0.50 % allowed",
      ratio: share / IdleBench.allowedShare)
    table.add(
      "idle: wake-ups a second", String(format: "%.1f", Double(after.wakeUps(since: before)) / Double(seconds)))
  }
}

/// What a process has used so far, from proc(5).
struct ProcessUse {
  var cpuSeconds = 0.0
  /// Voluntary context switches of each of its threads.
  var switches: [String: Int] = [:]
  /// Resident, in bytes.
  var memory = 0

  init(of pid: Int32) {
    let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    // The name in brackets may hold anything; what follows its end is counted from field 3.
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    if fields.count > 21 {
      let ticks = (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)
      cpuSeconds = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
      memory = (Int(fields[21]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
    for thread in threads {
      let status = (try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/status", encoding: .utf8)) ?? ""
      for line in status.split(separator: "\n") where line.hasPrefix("voluntary_ctxt_switches:") {
        switches[thread] = Int(line.dropFirst(24).trimmingCharacters(in: .whitespaces)) ?? 0
      }
    }
  }

  /// Since then. A thread that has ended meanwhile counts for nothing, and one that is new for all it did.
  func wakeUps(since before: ProcessUse) -> Int {
    switches.reduce(0) { $0 + $1.value - (before.switches[$1.key] ?? 0) }
  }
}
