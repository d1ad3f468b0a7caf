import Alerts

/// Reads one message to the gateway, frame by frame as they come off the socket. Knows frames and nothing of sockets, so that it
/// can be given anything.
///
/// Anomalies and JSON are copied and not looked into: that is for whoever decides about them.
package struct MessageDecoder {
  package enum Body: Sendable, Equatable {
    case anomalies(producer: String, sequence: UInt64, events: Frames)
    case command(requestID: String, json: [UInt8])
    case ready(worker: String, credit: Int, channels: [String])
    case receipt(worker: String, json: [UInt8])
    case heartbeat(name: String, json: [UInt8])
  }

  package struct Fault: Error, Equatable {
    package var code: ErrorCode
    package var message: String
  }

  private enum Kind: String {
    case anomalies, command, ready, receipt, heartbeat
  }

  private var count = 0
  private var size = 0
  private var kind = Kind.anomalies
  private var fault: Fault?
  private var name = ""
  private var number: UInt64 = 0
  private var events = Frames()
  /// Of the message before: the next one is often as large.
  private var former = (count: 0, bytes: 0)
  /// The last name that was read: senders repeat themselves, and making a String is most of what a frame costs.
  private var knownName = ""
  private var knownBytes: [UInt8] = []

  package init() {}

  /// Before the first frame after the identity.
  package mutating func begin() {
    count = 0
    size = 0
    fault = nil
    events = Frames()
  }

  package mutating func take(_ frame: UnsafeRawBufferPointer) {
    defer { count += 1 }
    guard fault == nil else { return }
    size += frame.count
    if size > Limits.messageBytes {
      return fail(.too_large, "a message has at most \(Limits.messageBytes) bytes; send fewer anomalies in each")
    }
    switch count {
    case 0:
      if !matches(frame, Limits.version) { failVersion(frame) }
    case 1:
      if matches(frame, "anomalies") {
        kind = .anomalies
      } else if let kind = Kind(rawValue: String(decoding: frame.prefix(32), as: UTF8.self)) {
        self.kind = kind
      } else {
        fail(.malformed, "unknown kind \(quoted(frame)); known are anomalies, command, ready, receipt and heartbeat")
      }
    case 2: takeName(frame)
    case 3 where kind == .anomalies, 3 where kind == .ready:
      guard let number = decimal(frame) else {
        let what = kind == .anomalies ? "sequence" : "credit"
        return fail(.malformed, "the \(what) must be a decimal number, not \(quoted(frame))")
      }
      self.number = number
    default:
      let limit = kind == .anomalies ? Limits.eventsPerMessage : 1
      if events.count == limit {
        if kind == .anomalies {
          return fail(.too_large, "a message has at most \(limit) anomalies; send the others in another one")
        }
        return fail(.malformed, "\(kind.rawValue) has frames after its last")
      }
      if events.isEmpty, frame.count < former.bytes { events.reserve(count: former.count, bytes: former.bytes) }
      events.append(frame)
    }
  }

  /// After the last frame.
  package mutating func end() -> Result<Body, Fault> {
    if let fault { return .failure(fault) }
    former = (events.count, size)
    guard !events.isEmpty else {
      let form =
        switch kind {
        case .anomalies: "anomalies <producer> <sequence> <event>…"
        case .command: "command <request id> <json>"
        case .ready: "ready <worker> <credit> <channels json>"
        case .receipt: "receipt <worker> <json>"
        case .heartbeat: "heartbeat <name> <json>"
        }
      if count < 2 { return .failure(Fault(code: .malformed, message: "frames are missing after the first")) }
      return .failure(Fault(code: .malformed, message: "frames are missing: \(Limits.version) \(form)"))
    }
    switch kind {
    case .anomalies: return .success(.anomalies(producer: name, sequence: number, events: events))
    case .command: return .success(.command(requestID: name, json: events[0]))
    case .receipt: return .success(.receipt(worker: name, json: events[0]))
    case .heartbeat: return .success(.heartbeat(name: name, json: events[0]))
    case .ready:
      guard number <= UInt64(Limits.credit) else {
        return .failure(Fault(code: .malformed, message: "a worker asks for at most \(Limits.credit) jobs at once"))
      }
      guard let items = try? JSON(parsing: events[0]).array, items.count <= Limits.channels else {
        return .failure(
          Fault(code: .malformed, message: "channels must be a JSON array of at most \(Limits.channels) names"))
      }
      let channels = items.compactMap(\.string)
      guard channels.count == items.count else {
        return .failure(Fault(code: .malformed, message: "channels must be a JSON array of texts"))
      }
      return .success(.ready(worker: name, credit: Int(number), channels: channels))
    }
  }

  // MARK: - Fields

  private mutating func fail(_ code: ErrorCode, _ message: String) {
    fault = Fault(code: code, message: message)
    events = Frames()
  }

  private mutating func failVersion(_ frame: UnsafeRawBufferPointer) {
    if frame.isEmpty {
      fail(
        .malformed, "the first frame is empty; connect with a DEALER, as a REQ puts an empty frame before each message")
    } else if frame.count <= 16, matches(UnsafeRawBufferPointer(rebasing: frame.prefix(6)), "TOCSIN") {
      fail(.version, "protocol \(quoted(frame)) is not spoken here, \(Limits.version) is")
    } else {
      fail(.malformed, "the first frame must be \(Limits.version), not \(quoted(frame))")
    }
  }

  private mutating func takeName(_ frame: UnsafeRawBufferPointer) {
    let isKnown = knownBytes.withUnsafeBytes { known in
      known.count == frame.count && zip(known, frame).allSatisfy { $0 == $1 }
    }
    if isKnown, !knownBytes.isEmpty {
      name = knownName
      return
    }
    let what =
      switch kind {
      case .anomalies: "producer's name"
      case .command: "request id"
      case .ready, .receipt: "worker's name"
      case .heartbeat: "name"
      }
    guard !frame.isEmpty, frame.count <= Limits.nameBytes else {
      return fail(.malformed, "the \(what) must have 1 to \(Limits.nameBytes) bytes, not \(frame.count)")
    }
    guard let text = String(validating: frame, as: UTF8.self), !frame.contains(where: { $0 < 0x20 || $0 == 0x7F })
    else {
      return fail(.malformed, "the \(what) must be UTF-8 text without control characters")
    }
    name = text
    knownName = text
    knownBytes = [UInt8](frame)
  }
}

private func matches(_ frame: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
  guard frame.count == word.utf8CodeUnitCount else { return false }
  for i in 0..<frame.count where frame[i] != word.utf8Start[i] { return false }
  return true
}

/// A decimal number that fits 64 bits. Nil for anything else, a sign and white space included.
private func decimal(_ frame: UnsafeRawBufferPointer) -> UInt64? {
  guard !frame.isEmpty, frame.count <= 20 else { return nil }
  var value: UInt64 = 0
  for byte in frame {
    let digit = byte &- 48
    guard digit < 10 else { return nil }
    let (product, o1) = value.multipliedReportingOverflow(by: 10)
    let (sum, o2) = product.addingReportingOverflow(UInt64(digit))
    guard !o1, !o2 else { return nil }
    value = sum
  }
  return value
}

/// The beginning of a frame, for an error's message: printable, and short whatever it is.
private func quoted(_ frame: UnsafeRawBufferPointer) -> String {
  let shown = String(decoding: frame.prefix(24), as: UTF8.self).unicodeScalars
    .map { $0.value < 0x20 || $0.value == 0x7F || $0 == "\u{FFFD}" ? "?" : String($0) }.joined()
  return "\"\(shown)\(frame.count > 24 ? "…" : "")\""
}
