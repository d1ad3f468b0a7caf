import Alerts

extension Gateway {
  /// What was read, if its sender may send it; refused and counted if not.
  func allowed(_ body: MessageDecoder.Body, _ peer: Peer) -> Incoming? {
    let may = peer.permissions
    func forbid(_ what: String, _ needed: String) -> Incoming? {
      counters.forbidden += 1
      let message = "this key may not \(what): it needs the permission \(needed)"
      send(.error(code: ErrorCode.forbidden.rawValue, message: message), to: peer)
      return nil
    }
    switch body {
    case .anomalies(let producer, let sequence, let events):
      guard may.contains(.publish) else { return forbid("send anomalies", "publish") }
      return .anomalies(peer, producer: producer, sequence: sequence, events: events)
    case .command(let requestID, let json):
      guard may.contains(.respond) || asks(json, may) else {
        counters.forbidden += 1
        let error = CommandError(.forbidden, "this key may not send commands: it needs the permission respond")
        send(.reply(requestID: requestID, json: Reply(.failure(error)).json), to: peer)
        return nil
      }
      return .command(peer, requestID: requestID, json: json)
    case .ready(let worker, let credit, let channels):
      guard may.contains(.notify) else { return forbid("take jobs", "notify") }
      return .ready(peer, worker: worker, credit: credit, channels: channels)
    case .receipt(let worker, let json):
      guard may.contains(.notify) else { return forbid("send receipts", "notify") }
      return .receipt(peer, worker: worker, json: json)
    case .heartbeat(let name, let json):
      guard !may.isEmpty else { return forbid("do anything", "publish, respond, notify or read") }
      return .heartbeat(peer, name: name, json: json)
    }
  }

  /// A notifier asks before it sends, a detector before it checks; nothing else that is called a command is open to them.
  private func asks(_ json: [UInt8], _ may: Permissions) -> Bool {
    guard may.contains(.notify) || may.contains(.publish) else { return false }
    switch (try? JSON(parsing: json))?["command"]?.string {
    case "wanted": return may.contains(.notify)
    case "lease": return may.contains(.publish)
    default: return false
    }
  }
}
