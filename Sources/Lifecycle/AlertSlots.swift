import Alerts

/// Where each alert stands, by its number. Numbers are given in a row, so that a thousand neighbours make a page of 4 bytes each, and finding one takes no
/// hashing. A page goes when its last alert does.
struct AlertSlots: Sendable {
  private static let pageSize: Int64 = 1024
  /// Beyond it (a log that somebody has written numbers of his own into) a hash table does.
  private static let limit: Int64 = 1 << 31
  private static let none: Int32 = -1

  private struct Page: Sendable {
    var slots = [Int32](repeating: AlertSlots.none, count: Int(AlertSlots.pageSize))
    var count = 0
  }

  private var pages: [Page?] = []
  private var beyond: [AlertID: Int32] = [:]
  private(set) var count = 0

  subscript(_ id: AlertID) -> Int32? {
    get {
      guard id.number >= 0, id.number < AlertSlots.limit else { return beyond[id] }
      let page = Int(id.number / AlertSlots.pageSize)
      guard page < pages.count, let slot = pages[page]?.slots[Int(id.number % AlertSlots.pageSize)],
        slot != AlertSlots.none
      else { return nil }
      return slot
    }
    set {
      let before = self[id]
      if before == newValue { return }
      count += (newValue == nil ? 0 : 1) - (before == nil ? 0 : 1)
      guard id.number >= 0, id.number < AlertSlots.limit else {
        beyond[id] = newValue
        return
      }
      let page = Int(id.number / AlertSlots.pageSize)
      while pages.count <= page { pages.append(nil) }
      if pages[page] == nil { pages[page] = Page() }
      pages[page]?.slots[Int(id.number % AlertSlots.pageSize)] = newValue ?? AlertSlots.none
      pages[page]?.count += (newValue == nil ? 0 : 1) - (before == nil ? 0 : 1)
      if pages[page]?.count == 0 { pages[page] = nil }
    }
  }

  var ids: [AlertID] {
    var ids: [AlertID] = []
    ids.reserveCapacity(count)
    for (n, page) in pages.enumerated() {
      guard let page else { continue }
      for (k, slot) in page.slots.enumerated() where slot != AlertSlots.none {
        ids.append(AlertID(Int64(n) * AlertSlots.pageSize + Int64(k)))
      }
    }
    return beyond.isEmpty ? ids : (ids + beyond.keys).sorted()
  }
}
