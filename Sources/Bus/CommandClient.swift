package import Alerts
import Synchronization

/// Sends commands to the service and waits for its replies. One thread of its own; any task may send.
package final class CommandClient: CommandPort {
  private let link: Link<CommandMachine>
  private let timeout: Interval
  private let ids = Mutex(RequestIDs())

  /// `timeout` is for each command, its repeats included.
  package init(_ settings: ConnectionSettings, timeout: Interval = .seconds(10)) throws(BusError) {
    self.timeout = timeout
    link = try Link(settings, name: "tocsin-commands", CommandMachine())
  }

  /// With an id of its own, unless it has one: sent again it changes nothing, whatever has crashed in between.
  package func send(_ command: Command) async throws -> Reply {
    let id = ids.withLock { $0.next() }
    var command = command
    if command.id == nil { command.id = id }
    return try await send(command.json, as: id)
  }

  /// A command as JSON. Throws ``BusError`` when no reply came in time, or the task was cancelled; the command may then have been carried
  /// out all the same.
  package func send(_ json: JSON) async throws -> Reply {
    try await send(json, as: ids.withLock { $0.next() })
  }

  private func send(_ json: JSON, as id: String) async throws -> Reply {
    guard json.bytes.count <= Limits.messageBytes - 1024 else {
      return Reply(
        .failure(CommandError(.invalid, "the command has \(json.bytes.count) bytes, more than a message may")))
    }
    return try Reply(json: try await ask(json, as: id))
  }

  /// The same, and the reply as it came. Throws ``BusError``.
  package func ask(_ json: JSON) async throws -> JSON { try await ask(json, as: ids.withLock { $0.next() }) }

  private func ask(_ json: JSON, as id: String) async throws -> JSON {
    let bytes = json.bytes
    guard bytes.count <= Limits.messageBytes - 1024 else {
      throw BusError(.refused, "the command has \(bytes.count) bytes, more than a message may")
    }
    let deadline = monotonicMicroseconds() + timeout.microseconds
    let link = link
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: RequestTable.Continuation) in
        let isOpen = link.perform { machine, _, _ in machine.requests.add(id, bytes, deadline: deadline, continuation) }
        if !isOpen { continuation.resume(returning: .failure(BusError(.closed, "the connection was closed"))) }
      }
    } onCancel: {
      link.perform { machine, _, _ in machine.requests.cancel(id) }
    }
    switch result {
    case .success(let json): return json
    case .failure(let error) where error.kind == .timeout:
      throw BusError(.timeout, "no reply within \(timeout): \(link.status.description)")
    case .failure(let error): throw error
    }
  }

  package func close() { link.close(waiting: true) }
}

final class CommandMachine: LinkMachine {
  var requests = RequestTable()
  func connected(_ wire: Wire, now: Int64) { requests.reconnected() }
  func received(_ frames: [[UInt8]], _ wire: Wire, now: Int64) { _ = requests.take(frames) }
  func due(_ wire: Wire, now: Int64) -> Int64? { requests.due(wire, now: now) { "" } }
  func closed(_ reason: BusError) { requests.closed(reason) }
}
