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

  package func send(_ command: Command) async throws -> Reply {
    try await send(command.json)
  }

  /// A command as JSON. Throws ``BusError`` when no reply came in time, or the task was cancelled; the command may then have been carried
  /// out all the same.
  package func send(_ json: JSON) async throws -> Reply {
    guard json.bytes.count <= Limits.messageBytes - 1024 else {
      return Reply(
        .failure(CommandError(.invalid, "the command has \(json.bytes.count) bytes, more than a message may")))
    }
    return try Reply(json: try await ask(json))
  }

  /// The same, and the reply as it came. Throws ``BusError``.
  package func ask(_ json: JSON) async throws -> JSON {
    let bytes = json.bytes
    guard bytes.count <= Limits.messageBytes - 1024 else {
      throw BusError(.refused, "the command has \(bytes.count) bytes, more than a message may")
    }
    let id = ids.withLock { $0.next() }
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
