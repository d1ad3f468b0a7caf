import Alerts

/// Requests on their way: each is sent again under the same id after a silence or on another connection, until its reply comes or its time
/// is over. The service answers a repeat like the first.
struct RequestTable {
  typealias Continuation = CheckedContinuation<Result<JSON, BusError>, Never>
  /// Requests of one client that may wait at once.
  static let limit = 10_000
  private static let firstTry: Int64 = 1_000_000

  private struct Pending {
    var json: [UInt8]
    var deadline: Int64
    var nextTry: Int64
    var pause: Int64
    var continuation: Continuation
  }
  private var pending: [String: Pending] = [:]

  mutating func add(_ id: String, _ json: [UInt8], deadline: Int64, _ continuation: Continuation) {
    guard pending.count < RequestTable.limit else {
      continuation.resume(
        returning: .failure(BusError(.refused, "\(RequestTable.limit) requests already wait for the service")))
      return
    }
    pending[id] = Pending(
      json: json, deadline: deadline, nextTry: 0, pause: RequestTable.firstTry, continuation: continuation)
  }

  mutating func reconnected() {
    for id in pending.keys { pending[id]?.nextTry = 0 }
  }

  /// True if the frames were a reply, whether or not somebody still waits for it.
  mutating func take(_ frames: [[UInt8]]) -> Bool {
    guard frames.count == 4, frames[1].elementsEqual("reply".utf8) else { return false }
    guard let waiting = pending.removeValue(forKey: String(decoding: frames[2], as: UTF8.self)) else { return true }
    do {
      waiting.continuation.resume(returning: .success(try JSON(parsing: frames[3])))
    } catch {
      waiting.continuation.resume(returning: .failure(BusError(.socket, "the service's reply is \(error)")))
    }
    return true
  }

  mutating func due(_ wire: Wire, now: Int64, _ status: () -> String) -> Int64? {
    for (id, waiting) in pending {
      if now >= waiting.deadline {
        pending[id] = nil
        waiting.continuation.resume(returning: .failure(BusError(.timeout, status())))
      } else if wire.isConnected, now >= waiting.nextTry {
        _ = wire.send([Array("TOCSIN1".utf8), Array("command".utf8), Array(id.utf8), waiting.json])
        pending[id]?.nextTry = now + waiting.pause
        pending[id]?.pause = waiting.pause * 2
      }
    }
    return pending.values.map { wire.isConnected ? min($0.deadline, $0.nextTry) : $0.deadline }.min()
  }

  mutating func cancel(_ id: String) {
    pending.removeValue(forKey: id)?.continuation.resume(
      returning: .failure(BusError(.closed, "nobody waits for the reply any more")))
  }

  mutating func closed(_ reason: BusError) {
    for waiting in pending.values { waiting.continuation.resume(returning: .failure(reason)) }
    pending = [:]
  }
}

/// Ids that no other client and no other run gives: eight random bytes, and a number.
struct RequestIDs: Sendable {
  private let prefix: String
  private var number = 0
  init() { prefix = String(UInt64.random(in: .min ... .max), radix: 36) }
  mutating func next() -> String {
    number += 1
    return "\(prefix)-\(number)"
  }
}
