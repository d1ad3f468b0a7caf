import Alerts
import Bus
import EventLog
import Service

/// Time that a simulation sets.
final class SimulatedClock: ServiceClock {
  var time: Timestamp
  /// Where a mutant's clock stands still.
  var frozen: Timestamp?
  init(_ time: Timestamp) { self.time = time }
  func now() -> Timestamp { frozen ?? time }
}

/// The log in memory, with a disk that fills up and a machine that goes down between any two writes.
final class SimulatedLog: EventLog {
  enum Trouble { case none, full, crashBefore, crashAfter }
  private(set) var disk = MemoryEventLog()
  var trouble = Trouble.none
  let mutation: Mutation?
  private var unsynced: Commit?

  init(_ mutation: Mutation?) { self.mutation = mutation }

  var head: Int64 { disk.head }
  var headHash: [UInt8] { disk.headHash }
  func hash(at position: Int64) throws -> [UInt8]? { try disk.hash(at: position) }

  func append(_ commit: Commit) throws(EventLogError) {
    if let unsynced {
      self.unsynced = nil
      try disk.append(unsynced)
    }
    var commit = commit
    if mutation == .causesLost {
      for i in commit.events.indices where commit.events[i].position % 50 == 0 { commit.events[i].cause = nil }
    }
    switch trouble {
    case .full: throw EventLogError(.unwritable, "the disk is full")
    case .crashBefore: throw EventLogError(.unreadable, "the machine went down before the write")
    case .crashAfter:
      try disk.append(commit)
      throw EventLogError(.unreadable, "the machine went down after the write")
    case .none:
      if mutation == .logForgets { unsynced = commit } else { try disk.append(commit) }
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

/// The bus, without a wire: what comes in is put there, what goes out is kept, and nothing goes out once the machine is down.
final class SimulatedGateway: GatewayPort {
  var incoming: [Incoming] = []
  var outgoing: [(peer: Peer, message: Outgoing)] = []
  private(set) var published: Int64 = 0
  /// So many more messages go out before the machine goes down; nil: it stays up.
  var untilCrash: Int?
  private(set) var isDown = false

  func wait(until microseconds: Int64?) throws(BusError) {}

  func receive(limit: Int) -> [Incoming] {
    defer { incoming.removeFirst(min(limit, incoming.count)) }
    return Array(incoming.prefix(limit))
  }

  func send(_ message: Outgoing, to peer: Peer) -> Bool {
    if goesDown() { return true }
    outgoing.append((peer, message))
    return true
  }

  func publish(topic: String, position: Int64, json: [UInt8]) {
    if goesDown() { return }
    published = position
  }

  private func goesDown() -> Bool {
    guard let left = untilCrash else { return isDown }
    if left == 0 { isDown = true } else { untilCrash = left - 1 }
    return isDown
  }
}
