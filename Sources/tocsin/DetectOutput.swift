import Alerts
import Bus
import Detectors
import Foundation
import Synchronization

/// What a run came to, for people or programs.
enum ReportLine {
  static func print(_ r: RunReport, json: Bool) {
    if json { return Swift.print(r.json.text) }
    switch r.outcome {
    case .nothingDue: Swift.print("\(r.event): \(nothingDue(r))")
    case .claimed(let why), .waiting(let why): Swift.print("\(r.event): \(why)")
    case .failed(let why): Swift.print("\(r.event): FAILED: \(why)")
    case .checked:
      var text = "\(r.event): \(r.series) series, \(r.points) points in \(r.duration.microseconds / 1000) ms"
      text += r.firing == 0 ? ", nothing unusual" : ", \(r.firing) anomalies"
      if r.resolved > 0 { text += ", \(r.resolved) back to normal" }
      Swift.print(text)
      for finding in r.findings { Swift.print("  \(finding)") }
      if r.firing > r.findings.count { Swift.print("  … and \(r.firing - r.findings.count) more") }
    }
    if r.bad.count > 0 {
      Swift.print("  \(r.bad.count) rows can't be read: \(r.bad.examples.joined(separator: "; "))")
    }
  }
}

extension ReportLine {
  /// What was done, by whom and when, and what to do for another look.
  static func nothingDue(_ r: RunReport) -> String {
    var text = "nothing is due"
    var facts: [String] = []
    if let newest = r.newest { facts.append("checked through \(newest.rfc3339)") }
    if let by = r.doneBy {
      facts.append("by \(by)\(r.doneAt.map { " at \(Timestamp(seconds: $0.microseconds / 1_000_000).rfc3339)" } ?? "")")
    }
    if !facts.isEmpty { text += ": " + facts.joined(separator: ", ") }
    if let next = r.next { text += "; due again at \(next.rfc3339)" }
    return text + (facts.isEmpty ? "" : ". --again looks at the newest window once more")
  }
}

/// A backfill's progress: a bar on a terminal, and nothing in a pipe.
final class ProgressMeter: Sendable {
  private let isTerminal = isatty(2) == 1
  /// Thousandths of the whole that were shown last.
  private let shown = Mutex(-1)

  func show(_ p: BackfillProgress) {
    guard isTerminal else { return }
    let thousandths = Int(p.share * 1000)
    let isNew = shown.withLock { last in
      guard thousandths != last else { return false }
      last = thousandths
      return true
    }
    guard isNew else { return }
    // Readings that are not summed up by windows are one piece.
    let windows = p.of > 0 ? ": \(p.windows) of \(p.of) windows" : ""
    let text = "\(Int(p.share * 100))% \(p.event)\(windows)"
    let done = Int((p.share * 30).rounded())
    let bar = String(repeating: "#", count: done) + String(repeating: ".", count: 30 - done)
    FileHandle.standardError.write(Data("\r\u{1B}[2K[\(bar)] \(text)".utf8))
  }

  func end() {
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[2K".utf8)) }
  }
}

/// Prints anomalies instead of sending them: for `--dry-run`.
struct PrintingPort: AnomalyPort {
  let json: Bool
  func publish(_ anomalies: [Anomaly]) async throws {
    guard json else { return }
    for a in anomalies { print(String(decoding: a.cloudEvent, as: UTF8.self)) }
  }
  func heartbeat(_ json: JSON) async {}
}

/// `detect --evaluate`, as a table.
enum QualityTable {
  static func print(_ rows: [Evaluation.Quality], json: Bool) {
    if json {
      for row in rows { Swift.print(row.json.text) }
      return
    }
    let width = max(10, rows.map(\.name.count).max() ?? 0)
    func pad(_ text: String, _ n: Int) -> String { String(repeating: " ", count: max(0, n - text.count)) + text }
    func percent(_ d: Double?) -> String { d.map { "\(Int(($0 * 100).rounded()))%" } ?? "-" }
    func name(_ text: String) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
    Swift.print(name("check") + "  alarms  false  a day  precision  found  recall   delay  missed")
    for r in rows {
      let perDay = r.falsePerDay.map { "\(($0 * 100).rounded() / 100)" } ?? "-"
      let delay = r.delay.map { Interval(microseconds: Int64($0 * 1e6)).rounded } ?? "-"
      Swift.print(
        name(r.name) + pad("\(r.alarms)", 8) + pad("\(r.falseAlarms)", 7) + pad(perDay, 7)
          + pad(percent(r.precision), 11)
          + pad("\(r.found)/\(r.incidents)", 7) + pad(percent(r.recall), 8) + pad(delay, 8) + "  "
          + r.missed.joined(separator: " "))
    }
    let unlabelled = rows.contains { $0.unlabelled > 0 }
    if unlabelled { Swift.print("Precision is of the alarms that somebody labelled; the others are not judged.") }
  }
}
