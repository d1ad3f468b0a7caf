import Alerts
import Bus
import EventLog
import Foundation
import GRDB
import GRDBSQLite
import Lifecycle
import Logging
import Testing

@testable import Projections
@testable import Service

/// What hurts people in tools of this kind: what was received is nowhere to be seen, and lists that get slow with what they list.
@Suite struct WhatUsersAskOfServiceTests {
  @Test("alerts were received and can't be seen, and the auditor was off because it was slow")
  func whatWasReceivedIsStoredAndSomebodyWatchesOverWhatIsSeen() throws {
    // Given tables that stand still, and an audit as it is without any configuration
    let b = try Bench(audit: AuditSettings(), reached: { 1 })
    for i in 0..<20 { b.publish((0..<100).map { b.event("m\(i * 100 + $0)", severity: "low") }) }
    try b.step()
    // A large commit is answered in the round after it.
    try b.step()
    // Then whoever sent them is answered, and only once all of it is in the log
    #expect(b.stored.count == 20)
    #expect(b.stored.allSatisfy { $0.json["accepted"]?.int == 100 })
    #expect(b.gateway.sent.allSatisfy { $0.head == b.log.head } && b.types.count { $0 == "detected" } == 2000)
    // And that nobody can see them is found without anybody asking, told, and withholds the heartbeat to somebody outside
    try b.passes(.minutes(6))
    #expect(b.audit == ["detected tables_behind"])
    #expect(!b.status.snapshot.audit.isWell)
    // And a look does not go through all there is: with nothing due, the next is a whole interval away, whatever is open.
    #expect(b.service.waitingTime().map { $0 > 0 && $0 <= Auditor.interval.microseconds } == true)
  }

  /// What a page costs: steps of SQLite's virtual machine, which are the same on every computer.
  private func steps(_ query: AlertQuery, in path: String) throws -> Int {
    let (sql, arguments) = AlertSQL.select(query)
    return try DatabaseQueue(path: path).read { db in
      let statement = try db.makeStatement(sql: sql + " LIMIT \(query.limit + 1)")
      #expect(try Row.fetchAll(statement, arguments: arguments).count == query.limit + 1)
      return Int(sqlite3_stmt_status(statement.sqliteStatement, SQLITE_STMTSTATUS_VM_STEP, 0))
    }
  }

  @Test("lists get slow with what they list", arguments: AlertQuery.Order.allCases)
  func aPageCostsTheSameHoweverMuchIsOpen(_ order: AlertQuery.Order) throws {
    let w = try World()
    let store = try ProjectionStore(
      path: w.folder.appendingPathComponent("tables.sqlite").path,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    let log = try EventLogReader(path: w.path)
    let reader = ProjectionReader(path: store.path)
    var query = AlertQuery()
    query.order = order
    query.states = [.open]
    query.limit = 50
    var next = 0
    var costs: [Int] = []
    for open in [1000, 8000] {
      while next < open {
        let severities: [Severity] = [.low, .medium, .high]
        try w.publish((next..<next + 500).map { w.anomaly("\($0)", "k\($0)", severities[$0 % 3]) })
        next += 500
        w.clock.time = w.clock.time + .seconds(1)
      }
      try store.catchUp(from: log)
      let page = try reader.alerts(query)
      #expect(page.alerts.count == 50 && page.next != nil)
      // From the middle as well: a cursor is a place in an index, and not so many rows that are counted off.
      query.after = page.next
      #expect(try reader.alerts(query).alerts.count == 50)
      costs.append(try steps(query, in: store.path))
      query.after = nil
    }
    #expect(costs[1] < costs[0] * 2, "a page of \(order) costs \(costs) steps")
  }
}
