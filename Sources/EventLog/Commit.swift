package import Alerts

/// What one group commit adds.
package struct Commit: Sendable {
  /// Facts are laid out as rows only where they are written, which may be another thread than the one that decided them.
  private enum Content: Sendable {
    case facts([RecordedEvent])
    case rows([StoredEvent])
  }
  private var content: Content
  /// 16 bytes for each anomaly that was taken in: its ``StableHash``, high word first, each little-endian.
  package var intake: [UInt8]
  package var recordedAt: Timestamp

  /// Positions follow the log's head without a gap.
  package init(facts: [RecordedEvent], intake: [UInt8] = [], recordedAt: Timestamp) {
    content = .facts(facts)
    self.intake = intake
    self.recordedAt = recordedAt
  }

  /// Of rows that were laid out before, in whatever form.
  package init(events: [StoredEvent], intake: [UInt8] = [], recordedAt: Timestamp) {
    content = .rows(events)
    self.intake = intake
    self.recordedAt = recordedAt
  }

  package var count: Int {
    switch content {
    case .facts(let facts): facts.count
    case .rows(let rows): rows.count
    }
  }

  package var lastPosition: Int64? {
    switch content {
    case .facts(let facts): facts.last?.position
    case .rows(let rows): rows.last?.position
    }
  }

  /// The rows. Of facts they are laid out anew each time.
  package var events: [StoredEvent] {
    get {
      switch content {
      case .facts(let facts): facts.map { StoredEvent($0) }
      case .rows(let rows): rows
      }
    }
    set { content = .rows(newValue) }
  }

  /// Each row in turn, laid out for writing and hashing.
  func eachRow(_ body: (borrowing RowBytes) throws -> Void) rethrows {
    var row = RowBytes()
    switch content {
    case .facts(let facts):
      for i in facts.indices {
        row.set(facts[i])
        try body(row)
      }
    case .rows(let rows):
      for i in rows.indices {
        row.set(rows[i])
        try body(row)
      }
    }
  }

  /// Checks that positions follow `head` without a gap, and that there is something to follow.
  func checkPositions(after head: Int64) throws(EventLogError) {
    guard count > 0 else { throw EventLogError(.conflict, "a commit needs at least one event") }
    func check(_ position: Int64, _ i: Int) throws(EventLogError) {
      guard position == head + 1 + Int64(i) else {
        throw EventLogError(.conflict, "event \(position) can't follow position \(head + Int64(i))")
      }
    }
    switch content {
    case .facts(let facts): for i in facts.indices { try check(facts[i].position, i) }
    case .rows(let rows): for i in rows.indices { try check(rows[i].position, i) }
    }
  }
}
