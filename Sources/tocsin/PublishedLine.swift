import Alerts
import Crypto
import Foundation

/// Makes an anomaly's CloudEvent of one line.
enum PublishedLine {
  struct Refusal: Error, Equatable {
    var message: String
  }

  /// A CloudEvent is sent as it stands; one that lacks its envelope, or parts of it, gets them.
  ///
  /// Data with a window gets an id made from its content, so that the same line sent again is a duplicate; without a window, two equal lines
  /// may be two observations, and each gets an id of its own.
  static func event(_ line: [UInt8], source: String, now: Timestamp) -> Result<[UInt8], Refusal> {
    do throws(Refusal) { return .success(try complete(line, source: source, now: now)) } catch {
      return .failure(error)
    }
  }

  private static func complete(_ line: [UInt8], source: String, now: Timestamp) throws(Refusal) -> [UInt8] {
    guard line.count <= Anomaly.sizeLimit else {
      throw Refusal(message: "\(line.count) bytes are over the limit of \(Anomaly.sizeLimit) for one anomaly")
    }
    let json: JSON
    do { json = try JSON(parsing: line) } catch {
      throw Refusal(message: "\(error); one JSON object a line is expected")
    }
    guard let members = json.members else { throw Refusal(message: "a JSON object is expected, not \(kind(json))") }
    let isData = json["data"] == nil && json["specversion"] == nil
    if !isData, ["specversion", "id", "source", "type", "time"].allSatisfy({ json[$0] != nil }) { return line }
    let data = isData ? json : json["data"] ?? .null
    guard data["event_type"] != nil, data["metric"] != nil else {
      throw Refusal(message: "event_type and metric are missing, which every anomaly has")
    }
    let id: String
    if let given = json["id"]?.string {
      id = given
    } else if data["window"]?.members != nil {
      id = SHA256.hash(data: Data(line)).prefix(16).map { hex($0) }.joined()
    } else {
      id = UUID().uuidString.lowercased()
    }
    let known: Set<String> = ["specversion", "id", "source", "type", "time", "data"]
    let event: [JSON.Member] = [
      .init("specversion", json["specversion"] ?? "1.0"), .init("id", .string(id)),
      .init("source", json["source"] ?? .string(source)), .init("type", json["type"] ?? .string(Anomaly.type)),
      .init("time", json["time"] ?? .string(now.rfc3339)), .init("data", data),
    ]
    let extensions = isData ? [] : members.filter { !known.contains($0.name) }
    return JSON.object(event + extensions).bytes
  }

  private static func hex(_ byte: UInt8) -> String {
    let text = String(byte, radix: 16)
    return text.count == 1 ? "0" + text : text
  }

  private static func kind(_ json: JSON) -> String {
    switch json {
    case .array: "an array"
    case .string: "a text"
    case .null: "null"
    case .bool: "true or false"
    default: "a number"
    }
  }
}
