import Alerts
import EventLog

/// The log in memory, with a disk that fills up and a machine that goes down between any two writes.
final class SimulatedLog: EventLog {
  enum Trouble { case none, full, crashBefore, crashAfter }
  let disk = MemoryEventLog()
  var trouble = Trouble.none
  /// Counts what is written, and takes the machine down where a test wants it.
  let writes: Writes
  private let mutation: Mutation?
  private var unsynced: Commit?
  private var appended = 0

  init(_ writes: Writes, _ mutation: Mutation?) {
    self.writes = writes
    self.mutation = mutation
  }

  var head: Int64 { disk.head }
  var headHash: [UInt8] { disk.headHash }
  func hash(at position: Int64) throws -> [UInt8]? { try disk.hash(at: position) }

  func append(_ commit: Commit) throws(EventLogError) {
    if let unsynced {
      self.unsynced = nil
      try disk.append(unsynced)
    }
    if trouble == .full { throw EventLogError(.unwritable, "the disk is full") }
    if trouble == .crashBefore || writes.isLast() {
      throw EventLogError(.unreadable, "the machine went down before the write")
    }
    var commit = commit
    if mutation == .causesLost {
      var rows = commit.events
      for i in rows.indices where rows[i].position % 50 == 0 { rows[i].cause = nil }
      commit.events = rows
    }
    appended += 1
    if mutation == .logForgets, appended % 40 == 0 { unsynced = commit } else { try disk.append(commit) }
    if trouble == .crashAfter || writes.isLast() {
      throw EventLogError(.unreadable, "the machine went down after the write")
    }
  }

  /// What was not on the disk is gone.
  func crash() {
    unsynced = nil
    trouble = .none
  }

  func replay(after position: Int64, _ body: (StoredEvent) throws -> Bool) throws {
    try disk.replay(after: position) { e in
      if mutation == .replayPassesOver, e.type == .resolved, e.position % 3 == 0 { return true }
      return try body(e)
    }
  }
  func event(at position: Int64) throws -> StoredEvent? { try disk.event(at: position) }
  func life(of subject: Subject) throws -> [StoredEvent] { try disk.life(of: subject) }
  func intake(_ body: (UnsafeRawBufferPointer) -> Bool) throws {
    if mutation != .repeatsForgotten { try disk.intake(body) }
  }
}

/// Everything that leaves the service's memory, counted: a commit counts twice, before and after it is on disk; an answer, a job and a word on the
/// feed once each.
final class Writes {
  private(set) var count = 0
  /// The machine goes down at this one.
  var last: Int?

  func isLast() -> Bool {
    count += 1
    return count == last
  }
}

/// The log as the projections read it.
///
/// `@unchecked Sendable`: a world and everything in it is used from one thread.
final class SimulatedReader: EventReading, @unchecked Sendable {
  private let log: MemoryEventLog
  private let drifts: Bool

  init(_ log: MemoryEventLog, drifts: Bool) {
    self.log = log
    self.drifts = drifts
  }

  func head() throws -> Int64 { log.head }

  func events(after position: Int64, limit: Int) throws -> [RecordedEvent] {
    var events: [RecordedEvent] = []
    try log.replay(after: position) { stored in
      var e = try stored.read()
      if drifts, e.position % 5 == 0 { e.occurredAt = e.occurredAt + .seconds(1) }
      events.append(e)
      return events.count < limit
    }
    return events
  }
}
