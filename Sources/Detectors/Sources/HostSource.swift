import Alerts
import Foundation

/// This machine, from /proc: `load1`, `load5`, `load15`, `cpu`, `memory_used`, `swap_used`, `disk_used` (fractions from 0 to 1), `processes`, `uptime` (seconds).
package actor HostSource: MetricSource {
  package static let metrics = [
    "load1", "load5", "load15", "cpu", "memory_used", "swap_used", "disk_used", "processes", "uptime",
  ]
  package nonisolated var keepsHistory: Bool { false }
  private let proc: String
  private let disk: String
  /// Busy and total clock ticks at the last reading.
  private var ticks: (busy: Double, total: Double)?

  package init(proc: String = "/proc", disk: String = "/") {
    self.proc = proc
    self.disk = disk
  }

  package func read(_ request: SourceRequest) async throws -> SourceReading {
    var values: [Double?] = []
    for metric in request.metrics { values.append(try await value(metric.column.lowercased())) }
    let time = request.to - Interval(microseconds: 1)
    return SourceReading(rows: [SourceReading.Row(time: time, dimensions: [], values: values)])
  }

  private func value(_ metric: String) async throws -> Double? {
    switch metric {
    case "load1": return try loads(0)
    case "load5": return try loads(1)
    case "load15": return try loads(2)
    case "memory_used": return try used(total: "MemTotal", free: "MemAvailable")
    case "swap_used": return try used(total: "SwapTotal", free: "SwapFree")
    case "disk_used": return try diskUsed()
    case "cpu": return try await cpu()
    case "uptime": return try words("uptime").first.flatMap { Double($0) }
    case "processes":
      return try words("loadavg").dropFirst(3).first?.split(separator: "/").last.flatMap { Double($0) }
    default:
      throw SourceError(
        .settings, "\"\(metric)\" is not a metric of a host: there are \(HostSource.metrics.joined(separator: ", "))")
    }
  }

  private func text(_ name: String) throws -> String {
    do {
      return try String(contentsOfFile: "\(proc)/\(name)", encoding: .utf8)
    } catch {
      throw SourceError(.unreachable, "\(proc)/\(name) can't be read: \(error.localizedDescription)")
    }
  }

  private func words(_ name: String) throws -> [Substring] {
    try text(name).split { $0 == " " || $0 == "\n" }
  }

  private func loads(_ i: Int) throws -> Double? {
    let all = try words("loadavg")
    return all.indices.contains(i) ? Double(all[i]) : nil
  }

  private func used(total: String, free: String) throws -> Double? {
    var numbers: [Substring: Double] = [:]
    for line in try text("meminfo").split(separator: "\n") {
      let parts = line.split { $0 == " " || $0 == ":" }
      if parts.count >= 2 { numbers[parts[0]] = Double(parts[1]) }
    }
    guard let all = numbers[total[...]], let rest = numbers[free[...]], all > 0 else { return nil }
    return 1 - rest / all
  }

  private func diskUsed() throws -> Double? {
    let facts: [FileAttributeKey: Any]
    do {
      facts = try FileManager.default.attributesOfFileSystem(forPath: disk)
    } catch {
      throw SourceError(.unreachable, "the file system of \(disk) can't be asked: \(error.localizedDescription)")
    }
    guard let size = (facts[.systemSize] as? NSNumber)?.doubleValue,
      let free = (facts[.systemFreeSize] as? NSNumber)?.doubleValue, size > 0
    else { return nil }
    return 1 - free / size
  }

  /// The busy fraction since the last reading; the first one takes a fifth of a second.
  private func cpu() async throws -> Double? {
    if ticks == nil {
      ticks = try readTicks()
      try await Task.sleep(for: .milliseconds(200))
    }
    guard let now = try readTicks(), let before = ticks else { return nil }
    ticks = now
    guard now.total > before.total else { return nil }
    return max(0, min(1, (now.busy - before.busy) / (now.total - before.total)))
  }

  private func readTicks() throws -> (busy: Double, total: Double)? {
    let numbers = try text("stat").split(separator: "\n").first?.split(separator: " ").dropFirst()
      .compactMap { Double($0) }
    guard let numbers, numbers.count >= 5 else { return nil }
    let total = numbers.prefix(8).reduce(0, +)
    return (total - numbers[3] - numbers[4], total)
  }
}
