package import Alerts

/// The log without a disk: for tests and simulations. Keeps every rule of the real one.
package final class MemoryEventLog: EventLog {
  package private(set) var commits: [Commit] = []
  package private(set) var hashes: [[UInt8]] = []
  package private(set) var head: Int64 = 0
  private var versions: [Subject: Int] = [:]
  private var events: [StoredEvent] = []
  /// Set by a test: the next appends fail with it.
  package var failure: EventLogError?

  package init() {}

  package func append(_ commit: Commit) throws(EventLogError) {
    if let failure { throw failure }
    var versions = versions
    var next = head
    for e in commit.events {
      next += 1
      guard e.position == next else {
        throw EventLogError(.conflict, "event \(e.position) can't follow position \(next - 1)")
      }
      guard e.version == (versions[e.subject] ?? 0) + 1 else {
        throw EventLogError(
          .conflict, "\(e.subject) is at version \(versions[e.subject] ?? 0); version \(e.version) can't follow")
      }
      versions[e.subject] = e.version
    }
    self.versions = versions
    head = next
    events += commit.events
    hashes.append(CommitHash.next(after: hashes.last ?? CommitHash.start, events: commit.events, intake: commit.intake))
    commits.append(commit)
  }

  package func replay(after position: Int64, _ body: (StoredEvent) throws -> Bool) throws {
    for e in events.dropFirst(Int(max(0, position))) { if try !body(e) { return } }
  }

  package func event(at position: Int64) throws -> StoredEvent? {
    position > 0 && position <= Int64(events.count) ? events[Int(position - 1)] : nil
  }

  package func life(of subject: Subject) throws -> [StoredEvent] { events.filter { $0.subject == subject } }

  package func intake(_ body: (UnsafeRawBufferPointer) -> Bool) throws {
    for commit in commits.reversed() where !commit.intake.isEmpty {
      if !commit.intake.withUnsafeBytes(body) { return }
    }
  }

  package var all: [StoredEvent] { events }
}
