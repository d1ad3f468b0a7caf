package import Alerts

/// Alerts by id, in little memory: 4 bytes in a table for each, and the states themselves in pages that never move and never stand half empty.
package struct AlertTable: Sendable {
  private static let pageSize = 1024
  private var slots = AlertSlots()
  private var pages: [[AlertState?]] = []
  private var free: [Int32] = []

  package init() {}

  package var count: Int { slots.count }
  package var isEmpty: Bool { slots.count == 0 }
  /// In their order.
  package var ids: [AlertID] { slots.ids }
  package var values: some Sequence<AlertState> { pages.lazy.joined().lazy.compactMap { $0 } }

  /// What tells a repeat from something new, without a copy of the whole.
  enum Glance {
    case absent, resolved
    case open(Severity)
  }

  func glance(_ id: AlertID) -> Glance { look(id) { $0.isResolved ? .resolved : .open($0.severity) } ?? .absent }

  /// Lends the state where it stands. To read one number of it by way of ``subscript(_:)`` copies the whole, which a replay would feel.
  func look<T>(_ id: AlertID, _ body: (borrowing AlertState) -> T) -> T? {
    guard let slot = slots[id] else { return nil }
    return pages[Int(slot) / AlertTable.pageSize].withUnsafeBufferPointer { page in
      guard let base = page.baseAddress else { return nil }
      // A slot that was given out holds a state, and that stands at the optional's beginning.
      let state = UnsafeRawPointer(base + Int(slot) % AlertTable.pageSize).assumingMemoryBound(to: AlertState.self)
      return body(state.pointee)
    }
  }

  /// Puts one in its place: a new one, or over the one that is there.
  mutating func put(_ state: AlertState) {
    if slots[state.id] != nil { self[state.id] = state } else { insert(state, state.id) }
  }

  package subscript(_ id: AlertID) -> AlertState? {
    _read {
      if let slot = slots[id] {
        yield pages[Int(slot) / AlertTable.pageSize][Int(slot) % AlertTable.pageSize]
      } else {
        yield nil
      }
    }
    _modify {
      if let slot = slots[id] {
        let (page, place) = (Int(slot) / AlertTable.pageSize, Int(slot) % AlertTable.pageSize)
        // Asked for by one of its numbers: comparing with nil would copy the whole.
        defer { if pages[page][place]?.id == nil { release(id, slot) } }
        yield &pages[page][place]
      } else {
        var value: AlertState?
        defer { if let value { insert(value, id) } }
        yield &value
      }
    }
  }

  private mutating func insert(_ value: AlertState, _ id: AlertID) {
    if free.isEmpty {
      let first = Int32(pages.count * AlertTable.pageSize)
      pages.append([AlertState?](repeating: nil, count: AlertTable.pageSize))
      free.append(contentsOf: (first..<first + Int32(AlertTable.pageSize)).reversed())
    }
    let slot = free.removeLast()
    slots[id] = slot
    pages[Int(slot) / AlertTable.pageSize][Int(slot) % AlertTable.pageSize] = value
  }

  private mutating func release(_ id: AlertID, _ slot: Int32) {
    slots[id] = nil
    free.append(slot)
  }
}

extension AlertTable: Equatable {
  package static func == (a: AlertTable, b: AlertTable) -> Bool {
    a.count == b.count && a.ids.allSatisfy { a[$0] == b[$0] }
  }
}
