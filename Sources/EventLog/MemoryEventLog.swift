package import Alerts

/// The log without a disk: for tests and simulations. Keeps every rule of the real one.
package final class MemoryEventLog: EventLog {
  package private(set) var commits: [Commit] = []
  package private(set) var hashes: [[UInt8]] = []
  package private(set) var head: Int64 = 0
  private var events: [StoredEvent] = []
  /// Of each subject, its events' places.
  private var lives: [Subject: [Int]] = [:]
  /// Set by a test: the next appends fail with it.
  package var failure: EventLogError?

  package init() {}

  package var headHash: [UInt8] { hashes.last ?? CommitHash.start }

  package func append(_ commit: Commit) throws(EventLogError) {
    if let failure { throw failure }
    try commit.checkPositions(after: head)
    var added: [Subject: Int] = [:]
    let rows = commit.events
    // As a disk has it: rows, and no facts.
    let stored = Commit(events: rows, intake: commit.intake, recordedAt: commit.recordedAt)
    for e in rows {
      let version = (lives[e.subject]?.count ?? 0) + (added[e.subject] ?? 0)
      guard e.version == version + 1 else {
        throw EventLogError(.conflict, "\(e.subject) is at version \(version); version \(e.version) can't follow")
      }
      added[e.subject, default: 0] += 1
    }
    hashes.append(CommitHash.next(after: headHash, stored))
    for e in rows {
      lives[e.subject, default: []].append(events.count)
      events.append(e)
    }
    head += Int64(rows.count)
    commits.append(stored)
  }

  package func replay(after position: Int64, _ body: (StoredEvent) throws -> Bool) throws {
    for e in events.dropFirst(Int(clamping: max(0, position))) { if try !body(e) { return } }
  }

  package func event(at position: Int64) throws -> StoredEvent? {
    position > 0 && position <= Int64(events.count) ? events[Int(position - 1)] : nil
  }

  package func life(of subject: Subject) throws -> [StoredEvent] { (lives[subject] ?? []).map { events[$0] } }

  package func intake(_ body: (UnsafeRawBufferPointer) -> Bool) throws {
    for commit in commits.reversed() where !commit.intake.isEmpty {
      if !commit.intake.withUnsafeBytes(body) { return }
    }
  }

  package func hash(at position: Int64) throws -> [UInt8]? {
    if position == 0 { return CommitHash.start }
    guard let i = commits.firstIndex(where: { $0.lastPosition == position }) else { return nil }
    return hashes[i]
  }

  package var all: [StoredEvent] { events }
}
