import Alerts
import Bus
import Detectors
import Foundation

/// What a run came to, for people or programs.
enum ReportLine {
  static func print(_ r: RunReport, json: Bool) {
    if json { return Swift.print(r.json.text) }
    switch r.outcome {
    case .nothingDue: Swift.print("\(r.event): nothing is due")
    case .claimed(let why): Swift.print("\(r.event): \(why)")
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

/// A backfill's progress, on a terminal alone.
final class ProgressMeter: Sendable {
  private let isTerminal = isatty(2) == 1

  func show(_ name: String, _ share: Double) {
    guard isTerminal else { return }
    let done = Int((share * 30).rounded())
    let bar = String(repeating: "#", count: done) + String(repeating: ".", count: 30 - done)
    FileHandle.standardError.write(Data("\r\u{1B}[2K[\(bar)] \(Int(share * 100))% \(name)".utf8))
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
