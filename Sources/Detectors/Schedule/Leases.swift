package import Alerts
package import Bus

/// Asks the service about leases. Throws ``BusError`` where no answer came.
package protocol LeasePort: Sendable {
  func ask(_ json: JSON) async throws -> JSON
}

extension CommandClient: LeasePort {}

/// A worker's leases: which event types it may check, one slot of the schedule at a time, and the state that the worker before it left.
///
/// See ``LeaseBook`` in Service for the other side, and docs/decisions/0024-leases.md for why.
package struct Leases: Sendable {
  /// A holder that is silent for this long has lost it: three times ``keepEvery``, so that one lost message does not.
  static let length = Interval.seconds(30)
  static let keepEvery = Interval.seconds(10)
  /// As the bus allows; see LeaseBook.
  static let partBytes = 512 * 1024

  private let port: any LeasePort
  private let holder: String

  /// `holder` names this worker, and no other: `warehouse-1@db7`.
  package init(_ port: any LeasePort, holder: String) {
    self.port = port
    self.holder = holder
  }

  enum Answer: Equatable {
    case granted(version: Int64)
    /// Another worker has it.
    case held(by: String)
    /// The slot was checked: by whom, and when.
    case done(by: String?, at: Timestamp?)
  }

  private func ask(_ what: String, _ event: String, _ more: [JSON.Member] = []) async throws -> JSON {
    let reply = try await port.ask(
      .object(
        [
          .init("command", "lease"), .init("do", .string(what)), .init("name", .string(event)),
          .init("holder", .string(holder)),
        ] + more))
    guard reply["ok"]?.bool == true else {
      throw LeaseError(
        code: reply["error"]?["code"]?.string ?? "unavailable",
        message: reply["error"]?["message"]?.string ?? "the service gives no lease")
    }
    return reply
  }

  private var length: JSON.Member { .init("for_ms", .int(Leases.length.microseconds / 1000)) }

  func take(_ event: String, slot: String) async throws -> Answer {
    let reply = try await ask("take", event, [.init("slot", .string(slot)), length])
    if reply["granted"]?.bool == true { return .granted(version: reply["version"]?.int ?? 0) }
    let other = reply["holder"]?.string
    guard reply["done"]?.bool == true else { return .held(by: other ?? "another worker") }
    return .done(by: other, at: (reply["finished_at"]?.string).flatMap { Timestamp(rfc3339: $0) })
  }

  func keep(_ event: String) async throws { _ = try await ask("keep", event, [length]) }

  func release(_ event: String) async { _ = try? await ask("release", event) }

  /// The state that was left at `version`; nil where none was, or where somebody finished while it was read.
  func read(_ event: String, version: Int64) async throws -> String? {
    var text = ""
    var part = 0
    while true {
      let reply = try await ask("read", event, [.init("part", .int(part))])
      guard reply["version"]?.int == version else {
        throw LeaseError(code: "stale_version", message: "another worker finished meanwhile")
      }
      let parts = Int(reply["parts"]?.int ?? 0)
      if parts == 0 { return nil }
      text += reply["text"]?.string ?? ""
      part += 1
      if part >= parts { return text }
    }
  }

  /// The newest state, whoever holds the lease, and its version: 0 and nil where there is none.
  func latest(_ event: String) async throws -> (version: Int64, text: String?) {
    let reply = try await ask("read", event, [.init("part", .int(0))])
    let version = reply["version"]?.int ?? 0
    if reply["parts"]?.int ?? 0 == 1 { return (version, reply["text"]?.string) }
    return (version, try await read(event, version: version))
  }

  /// Hands over what the next worker needs. Throws ``LeaseError`` where another worker finished first. Returns the new version.
  func finish(_ event: String, version: Int64, slot: String, state: String) async throws -> Int64 {
    let parts = Leases.parts(state)
    for (i, part) in parts.enumerated() {
      _ = try await ask("put", event, [.init("part", .int(i)), .init("text", .string(part))])
    }
    let reply = try await ask(
      "finish", event,
      [.init("slot", .string(slot)), .init("version", .int(version)), .init("parts", .int(parts.count))])
    return reply["version"]?.int ?? version + 1
  }

  /// In pieces that a message takes, also where quotes double their size.
  static func parts(_ text: String) -> [String] {
    var out: [String] = []
    var rest = Array(text.unicodeScalars)[...]
    while !rest.isEmpty {
      var bytes = 0
      var count = 0
      for scalar in rest {
        bytes += 2 * String(scalar).utf8.count
        if bytes > partBytes { break }
        count += 1
      }
      var part = String.UnicodeScalarView()
      part.append(contentsOf: rest.prefix(count))
      out.append(String(part))
      rest = rest.dropFirst(count)
    }
    return out
  }
}

package struct LeaseError: Error, Sendable, CustomStringConvertible {
  var code: String
  var message: String
  package var description: String { message }
}
