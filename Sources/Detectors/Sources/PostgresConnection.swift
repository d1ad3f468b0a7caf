import Alerts
import CPostgres
import Foundation

/// One connection of libpq's, for one read at a time, on one thread at a time. Nothing in it waits longer than its watch allows.
///
/// libpq's asynchronous half is used throughout, because a blocking call could be neither timed nor broken off.
/// Source: PostgreSQL documentation, chapter 34, "libpq", sections 34.1.1 (PQconnectStartParams) and 34.4 (asynchronous commands).
final class PostgresConnection: KeptConnections.Keepable {
  private let connection: OpaquePointer
  private var watch: BlockingWork.Watch
  private var timeout: Interval

  init(_ settings: [(key: String, value: String)], _ watch: BlockingWork.Watch, timeout: Interval) throws {
    self.watch = watch
    self.timeout = timeout
    let words = settings.map(\.key).map { strdup($0) } + [nil]
    let values = settings.map(\.value).map { strdup($0) } + [nil]
    defer { for p in words + values { free(p) } }
    let started = words.withUnsafeBufferPointer { w in
      values.withUnsafeBufferPointer { v in
        w.withMemoryRebound(to: UnsafePointer<CChar>?.self) { w in
          v.withMemoryRebound(to: UnsafePointer<CChar>?.self) { v in
            PQconnectStartParams(w.baseAddress, v.baseAddress, 1)
          }
        }
      }
    }
    guard let started else { throw SourceError(.unreachable, "libpq is out of memory") }
    connection = started
    try connect()
  }

  deinit { PQfinish(connection) }

  /// Idle, and not in the middle of what was broken off.
  var isFresh: Bool { PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) == PQTRANS_IDLE }

  /// Begins a read of its own on a connection that was kept.
  func begin(_ watch: BlockingWork.Watch, timeout: Interval) {
    self.watch = watch
    self.timeout = timeout
  }

  private func connect() throws {
    var state = PGRES_POLLING_WRITING
    while state != PGRES_POLLING_OK {
      guard PQstatus(connection) != CONNECTION_BAD, state != PGRES_POLLING_FAILED else {
        let said = message
        // The server spoke, and would not have this user; anything else is a server that can't be reached.
        let refused = ["authentication failed", "no pg_hba.conf entry", "does not exist", "password"].contains {
          said.contains($0) && said.contains("FATAL")
        }
        throw SourceError(refused ? .refused : .unreachable, "PostgreSQL can't be connected to: \(said)")
      }
      try wait(for: state == PGRES_POLLING_READING ? POLLIN : POLLOUT, "PostgreSQL did not answer within")
      state = PQconnectPoll(connection)
    }
  }

  private func wait(for events: Int32, _ what: String) throws {
    while true {
      guard let rest = watch.rest() else {
        if PQstatus(connection) == CONNECTION_OK, let cancel = PQgetCancel(connection) {
          var text = [CChar](repeating: 0, count: 256)
          PQcancel(cancel, &text, Int32(text.count))
          PQfreeCancel(cancel)
        }
        throw SourceError(.timeout, "\(what) \(timeout)")
      }
      var fd = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
      if poll(&fd, 1, rest) > 0 { return }
    }
  }

  private var message: String {
    String(cString: PQerrorMessage(connection)).trimmed.split(separator: "\n").map { String($0).trimmed }
      .joined(separator: ": ")
  }

  /// Values are bound as text; what each is follows from where it stands in the statement.
  func run<T: RowTaking>(_ sql: String, _ values: [String], _ taking: inout T) throws {
    var pointers: [UnsafeMutablePointer<CChar>?] = values.map { strdup($0) }
    defer { for p in pointers { free(p) } }
    let sent = pointers.withUnsafeMutableBufferPointer { p in
      p.withMemoryRebound(to: UnsafePointer<CChar>?.self) { p in
        PQsendQueryParams(connection, sql, Int32(values.count), nil, p.baseAddress, nil, nil, 0)
      }
    }
    guard sent == 1, PQsetSingleRowMode(connection) == 1 else { throw SourceError(.unreachable, message) }
    var begun = false
    while let result = try nextResult() {
      defer { PQclear(result) }
      let status = PQresultStatus(result)
      guard status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK else { throw explain(result) }
      let width = PQnfields(result)
      if !begun {
        begun = true
        try taking.begin(columns: (0..<width).map { String(cString: PQfname(result, $0)) })
      }
      for row in 0..<PQntuples(result) {
        try taking.take(
          (0..<width).map { PQgetisnull(result, row, $0) == 1 ? nil : String(cString: PQgetvalue(result, row, $0)) })
      }
    }
  }

  private func nextResult() throws -> OpaquePointer? {
    while PQisBusy(connection) == 1 {
      try wait(for: POLLIN, "the query took longer than")
      guard PQconsumeInput(connection) == 1 else {
        throw SourceError(.unreachable, "the connection to PostgreSQL broke: \(message)")
      }
    }
    return PQgetResult(connection)
  }

  /// Source: PostgreSQL documentation, appendix A, "PostgreSQL Error Codes".
  private func explain(_ result: OpaquePointer) -> SourceError {
    func field(_ code: UnicodeScalar) -> String {
      PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) } ?? ""
    }
    let code = field("C")
    let hint = field("H").isEmpty ? "" : " (\(field("H")))"
    let said = field("M").isEmpty ? message : field("M") + hint
    switch code.prefix(2) {
    case _ where code == "57014": return SourceError(.timeout, "the query took longer than \(timeout)")
    case _ where code == "42501": return SourceError(.refused, "PostgreSQL: \(said)")
    case _ where code == "25006": return SourceError(.settings, "the query must only read: \(said)")
    case "08", "53", "57", "58": return SourceError(.unreachable, "PostgreSQL: \(said)")
    case "28": return SourceError(.refused, "PostgreSQL: \(said)")
    default: return SourceError(.query, "PostgreSQL refused the query: \(said) [\(code)]")
    }
  }
}
