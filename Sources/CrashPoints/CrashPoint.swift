import Glibc
import Synchronization

/// A place in the program where a test may have its process killed, to see that nothing is lost there.
///
/// `TOCSIN_CRASH_AT=append:3` in the environment of a process kills it (SIGKILL: no handler, no clean-up, as a power cut would) when it passes `append` for
/// the third time. It is read once, at the first point that is passed, and says on standard error that it is armed. Without it a point is one load and one
/// comparison. It is a testing aid, and does nothing that `kill -9` does not do.
package enum CrashPoint: String, CaseIterable, Sendable {
  // The service.

  /// Anomalies have come over the bus, and nobody has looked at them.
  case receive
  /// Facts are decided, and nothing is written.
  case decide
  /// They are synced to disk, and nobody knows.
  case append
  /// Whoever asked was answered; the feed has not heard.
  case answer
  /// The feed has heard; no job has gone out.
  case publish
  /// A message is leased to a worker, and has not gone out.
  case lease
  /// It has gone out.
  case job
  /// A worker has said what became of it, and nothing is written.
  case receipt
  /// The tables have taken in what was written.
  case projection

  // Archiving, by the service itself or by `log archive`.

  /// An archive is written, synced and compared with the log, and has a passing name.
  case copied
  /// It has its name; the log does not know of it.
  case named
  /// The log has noted it; all of its rows are in both.
  case noted
  /// Some of the log's own rows have gone.
  case moved

  // The notifier.

  /// A message has come from the service.
  case take
  /// The provider has answered; the service does not know.
  case send
  /// The service has been told, or is about to be.
  case report

  // Producers: `publish`, and the detector.

  /// The detector has found something, and nothing is on disk.
  case found
  /// Anomalies are in the outbox.
  case spool
  /// They were handed to the connection.
  case sent
  /// The service has said that it has them; the outbox does not know.
  case stored
  /// The detector remembers how far it has looked.
  case watermark

  /// Kills the process here, if it was started so.
  @inline(__always)
  package static func pass(_ point: CrashPoint) {
    guard let plan else { return }
    plan.pass(point)
  }

  private static let plan: CrashPlan? = CrashPlan(getenv("TOCSIN_CRASH_AT").map { String(cString: $0) })
}

/// Which point kills, and at which passing.
package final class CrashPlan: Sendable {
  package let point: CrashPoint
  package let passing: Int
  private let kill: @Sendable () -> Void
  private let passed = Mutex(0)

  /// Nil without a text, and, said on standard error, for one that names no point.
  package init?(_ text: String?, kill: @escaping @Sendable () -> Void = { _ = raise(SIGKILL) }) {
    guard let text else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let point = parts.first.flatMap({ CrashPoint(rawValue: String($0)) }),
      let passing = parts.count == 2 ? Int(parts[1]) : 1, passing > 0
    else {
      let names = CrashPoint.allCases.map(\.rawValue).joined(separator: ", ")
      CrashPlan.say(
        "TOCSIN_CRASH_AT=\(text) does nothing: it names a point and a passing, such as append:3; the points are \(names)"
      )
      return nil
    }
    self.point = point
    self.passing = passing
    self.kill = kill
    CrashPlan.say("TOCSIN_CRASH_AT is set: this process kills itself at passing \(passing) of \(point.rawValue)")
  }

  package func pass(_ point: CrashPoint) {
    guard point == self.point else { return }
    let count = passed.withLock { passed in
      passed += 1
      return passed
    }
    if count == passing { kill() }
  }

  private static func say(_ text: String) {
    let bytes = Array("tocsin: \(text)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }
}
