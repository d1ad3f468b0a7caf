import Alerts
import EventLog
import Foundation

/// What recognising repeats costs when the service remembers many anomalies: a log that holds their hashes, the segments beside it, and questions to them.
///
/// The log is filled by its own commits, of which each has one event and many hashes, as a flood of repeats makes them.
struct IntakeBench {
  let folder: URL
  /// How many anomalies were taken in.
  let ids: Int
  private static let perCommit = 8192
  private static let questions = 1_000_000

  func run(_ table: inout BenchTable) throws {
    let path = folder.appendingPathComponent("intake.sqlite").path
    let log = try SQLiteEventLog(path: path)
    try fill(log)
    let count = Format.number(Double(ids))

    let memory = MemoryBench.resident()
    var start = ContinuousClock.now
    var shelf = IntakeShelf(logPath: path)
    try shelf.load(log, report: { _ in }, rest: { _ in })
    table.add("\(count) ids: made from the log", seconds(since: start))
    start = ContinuousClock.now
    shelf = IntakeShelf(logPath: path)
    var rest = 0
    try shelf.load(log, report: { _ in }, rest: { _ in rest += 1 })
    table.add("taken up at a start", seconds(since: start))
    let files = try FileManager.default.contentsOfDirectory(atPath: shelf.folder)
    let disk = try files.reduce(0) { sum, name in
      sum + (try FileManager.default.attributesOfItem(atPath: shelf.folder + "/" + name)[.size] as? Int ?? 0)
    }
    table.add(
      "segments in memory", megabytes(shelf.memory), limit: "resident: \(megabytes(MemoryBench.resident() - memory))")
    table.add("segments on disk, \(shelf.segments.count) files", megabytes(disk))
    let logSize = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    table.add("the log that remembers them", megabytes(logSize))

    // Asked of the segments alone: what the table in memory knows never comes this far.
    let inSegments = max(1, ids - rest)
    start = ContinuousClock.now
    var wrong = 0
    for i in 0..<IntakeBench.questions where shelf.contains(hash(ids + i)) { wrong += 1 }
    let new = (ContinuousClock.now - start) / .nanoseconds(1) / Double(IntakeBench.questions)
    let repeats = IntakeBench.questions / 10
    start = ContinuousClock.now
    for i in 0..<repeats where !shelf.contains(hash(Int(UInt64(i) &* 0x9e37_79b9_7f4a_7c15 % UInt64(inSegments)))) {
      wrong += 1
    }
    let known = (ContinuousClock.now - start) / .nanoseconds(1) / Double(repeats)
    guard wrong == 0 else { throw BenchError("\(wrong) of the anomalies were taken for others") }
    table.add("an id that is new", String(format: "%.0f ns", new))
    table.add("an id that is known, anywhere", String(format: "%.1f µs", known / 1000))
  }

  private func hash(_ i: Int) -> StableHash { StableHash(source: "detector/bench", id: "\(i)") }

  private func fill(_ log: SQLiteEventLog) throws {
    var next = 0
    var position: Int64 = 0
    while next < ids {
      let end = min(next + IntakeBench.perCommit, ids)
      var bytes: [UInt8] = []
      bytes.reserveCapacity((end - next) * 16)
      for i in next..<end {
        let hash = hash(i)
        withUnsafeBytes(of: (hash.high.littleEndian, hash.low.littleEndian)) { bytes.append(contentsOf: $0) }
      }
      position += 1
      let now = Timestamp(seconds: 1_800_000_000 + position)
      let event = StoredEvent(
        position: position, subject: Subject(.alert, 1), version: Int(position), type: .commented, occurredAt: now,
        recordedAt: now, actor: "bench", cause: position > 1 ? 1 : nil, data: Array(#"{"note":"bench"}"#.utf8))
      try log.append(Commit(events: [event], intake: bytes, recordedAt: now))
      next = end
    }
  }

  private func seconds(since start: ContinuousClock.Instant) -> String {
    String(format: "%.2f s", (ContinuousClock.now - start) / .seconds(1))
  }

  private func megabytes(_ bytes: Int) -> String { "\(Format.number((Double(bytes) / 1e6).rounded())) MB" }
}
