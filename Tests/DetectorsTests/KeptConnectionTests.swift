import Alerts
import Foundation
import GRDB
import Synchronization
import Testing

@testable import Detectors

@Suite struct KeptConnectionTests {
  final class Fake: KeptConnections.Keepable {
    let number: Int
    var isFresh = true
    init(_ number: Int) { self.number = number }
  }

  private let time = Box(0)
  private let opened = Box(0)
  private let kept: KeptConnections

  final class Box: Sendable {
    private let held: Mutex<Int64>
    init(_ n: Int64) { held = Mutex(n) }
    var value: Int64 {
      get { held.withLock { $0 } }
      set { held.withLock { $0 = newValue } }
    }
  }

  init() {
    let time = time
    kept = KeptConnections { time.value }
  }

  private func number(_ key: String = "db", failing: SourceError.Kind? = nil, times: Int = 1) throws -> Int {
    var left = times
    return try kept.using(key) {
      opened.value += 1
      return Fake(Int(opened.value))
    } _: { (c: Fake) in
      if let failing, left > 0 {
        left -= 1
        throw SourceError(failing, "no")
      }
      return c.number
    }
  }

  @Test func `one connection serves one read after the other, and a failure of a kept one is tried anew`() throws {
    #expect(try [number(), number(), number("other"), number()] == [1, 1, 2, 1])
    // The server has restarted: what was kept says nothing about it.
    #expect(try number(failing: .unreachable) == 3)
    #expect(try number() == 3)
    // A new one that fails as well does.
    #expect(throws: SourceError.self) { try number(failing: .unreachable, times: 2) }
    // What took too long is not done again in the same read, and its connection is not kept.
    #expect(try number() == 5)
    #expect(throws: SourceError.self) { try number(failing: .timeout) }
    #expect(try number() == 6)
  }

  @Test func `idle and old ones are let go of, and there is a bound`() throws {
    #expect(try [number(), number()] == [1, 1])
    time.value += KeptConnections.idleTime.microseconds / 1000
    #expect(try number() == 2)
    for _ in 0..<6 {
      time.value += KeptConnections.idleTime.microseconds / 1000 - 1
      _ = try number()
    }
    // However busy, no longer than half an hour.
    #expect(try number() > 2)
    for k in 0..<40 { _ = try number("db\(k)") }
    #expect(kept.count == KeptConnections.idleLimit)
  }

  @Test func `an SQLite file that is replaced is read anew`() async throws {
    let folder = try Folder()
    func file(_ name: String, _ value: Int) async throws {
      let queue = try DatabaseQueue(path: "\(folder.path)/\(name)")
      try await queue.write {
        try $0.execute(sql: "CREATE TABLE t (day TEXT, value REAL); INSERT INTO t VALUES ('2026-03-01', \(value))")
      }
      try queue.close()
    }
    try await file("w.sqlite", 1)
    let source = try connected("sqlite", ["path": .string("\(folder.path)/w.sqlite")])
    var s = daily
    s.table = "t"
    let r = request(s, .day)
    #expect(try await source.read(r).rows.map(\.values) == [[1]])
    #expect(try await source.read(r).rows.map(\.values) == [[1]])
    try await file("next.sqlite", 2)
    #expect(rename("\(folder.path)/next.sqlite", "\(folder.path)/w.sqlite") == 0)
    #expect(try await source.read(r).rows.map(\.values) == [[2]])
    try FileManager.default.removeItem(atPath: "\(folder.path)/w.sqlite")
    let error = await #expect(throws: SourceError.self) { try await source.read(r) }
    #expect(error?.kind == .unreachable)
  }

  private var daily: DataSource { source([.init(column: "value", alias: "value")], date: "day") }

  @Test(arguments: ["postgres", "odbc"]) func `PostgreSQL keeps one session, and survives its end`(_ kind: String)
    async throws
  {
    let server = try Servers.postgres.get()
    let options: [String: JSON] =
      kind == "postgres"
      ? [
        "host": .string(server.text("host")), "port": .int(server.port), "database": "postgres", "user": "tocsin",
        "sslmode": "prefer",
      ]
      : [
        "connection_string": .string(
          "Driver={PostgreSQL Unicode};Server=127.0.0.1;Port=\(server.port);Database=postgres;Kept=1"),
        "user": "tocsin", "password": .string(server.text("password")),
      ]
    let source = try connected(kind, options)
    func session() async throws -> Double {
      var s = daily
      s.query = "SELECT '2026-03-01' AS day, pg_backend_pid() AS value"
      return try #require(try await source.read(request(s, .day)).rows.first?.values[0])
    }
    let first = try await session()
    #expect(try await session() == first)
    let ended = try await Subprocess.run(
      [
        "psql", "-qX", "-h", server.text("host"), "-p", "\(server.port)", "-U", "tocsin", "postgres", "-c",
        "SELECT pg_terminate_backend(\(Int(first)))",
      ], environment: [:], timeout: .seconds(20))
    #expect(ended.status == 0)
    let second = try await session()
    #expect(second != first)
    // A query that is wrong, or takes too long, leaves nothing behind that the next one would meet.
    for query in ["SELECT nonsense", "SELECT 1 AS day, 2 AS value FROM (SELECT pg_sleep(9)) z"] {
      var s = daily
      s.query = query
      var r = request(s, .day)
      r.timeout = .milliseconds(500)
      let bounded = r
      await #expect(throws: SourceError.self) { try await source.read(bounded) }
      _ = try await session()
    }
  }
}
