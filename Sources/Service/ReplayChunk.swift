import Alerts
import Lifecycle

/// Some of the log's events on their way through a replay, all of them facts or all of them rows, in pieces of memory that are used again and again.
///
/// Unchecked: one thread at a time has it, the one that fills it or the one that empties it.
final class ReplayChunk: @unchecked Sendable {
  /// Some two milliseconds of work: the threads wake each other seldom, and what waits between them is a few megabytes.
  private static let size = 2048
  private static let bytes = 2 << 20
  /// A row without its texts, which stand side by side in ``texts``, the actor first.
  private struct Head {
    var position: Int64
    var subject: Subject
    var version: Int
    var type: EventType
    var occurredAt: Timestamp
    var recordedAt: Timestamp
    var cause: Int64?
    var start: Int
    var data: Int
    var end: Int
  }
  private var heads: [Head] = []
  private var texts: [UInt8] = []
  /// Each is made where it stands, and taken out from there, never copied.
  private let facts = UnsafeMutablePointer<Fact>.allocate(capacity: ReplayChunk.size)
  private var factCount = 0

  init() { heads.reserveCapacity(ReplayChunk.size) }

  deinit {
    facts.deinitialize(count: factCount)
    facts.deallocate()
  }

  var count: Int { heads.count + factCount }
  var isFull: Bool { count == ReplayChunk.size || texts.count >= ReplayChunk.bytes }

  /// There must be room, and no rows.
  func append(_ fact: consuming Fact) {
    precondition(!isFull && heads.isEmpty, "a chunk is handed on when it is full, and holds one kind")
    (facts + factCount).initialize(to: fact)
    factCount += 1
  }

  /// There must be room, and no facts.
  func append(_ v: EventView) {
    precondition(!isFull && factCount == 0, "a chunk is handed on when it is full, and holds one kind")
    let start = texts.count
    texts.append(contentsOf: v.actor)
    let data = texts.count
    texts.append(contentsOf: v.data)
    heads.append(
      Head(
        position: v.position, subject: v.subject, version: v.version, type: v.type, occurredAt: v.occurredAt,
        recordedAt: v.recordedAt, cause: v.cause, start: start, data: data, end: texts.count))
  }

  /// Takes out what it holds.
  func takeAll(facts take: (borrowing Fact) -> Void, rows: (EventView) throws -> Void) rethrows {
    for i in 0..<factCount { take((facts + i).move()) }
    factCount = 0
    try texts.withUnsafeBufferPointer { texts in
      for h in heads {
        try rows(
          EventView(
            position: h.position, subject: h.subject, version: h.version, type: h.type, occurredAt: h.occurredAt,
            recordedAt: h.recordedAt, actor: UnsafeBufferPointer(rebasing: texts[h.start..<h.data]), cause: h.cause,
            data: UnsafeBufferPointer(rebasing: texts[h.data..<h.end])))
      }
    }
  }

  /// Lets go of what is left, to be filled again.
  func clear() {
    facts.deinitialize(count: factCount)
    factCount = 0
    heads.removeAll(keepingCapacity: true)
    texts.removeAll(keepingCapacity: true)
  }
}
