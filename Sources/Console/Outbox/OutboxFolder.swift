import Alerts
import Foundation

/// The folder that messages are written into where no server is configured: one file a message.
struct OutboxFolder: Sendable {
  let directory: String
  /// A file larger than this is not shown.
  static let fileLimit = 8 << 20

  struct Entry {
    var name: String
    var at: Timestamp?
  }

  /// The files' names, newest first: they begin with the time.
  func names() -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return all.filter { OutboxFolder.isMessage($0) }.sorted(by: >)
  }

  /// A message's file: never another folder's, never a hidden one.
  static func isMessage(_ name: String) -> Bool {
    (name.hasSuffix(".eml") || name.hasSuffix(".json")) && !name.hasPrefix(".") && !name.contains("/")
      && !name.contains("\0")
  }

  func read(_ name: String) -> OutboxMessage? {
    guard OutboxFolder.isMessage(name) else { return nil }
    let path = "\(directory)/\(name)"
    guard let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int,
      size <= OutboxFolder.fileLimit, let data = FileManager.default.contents(atPath: path)
    else { return nil }
    return OutboxMessage(name: name, bytes: [UInt8](data))
  }
}

/// One message of the outbox.
struct OutboxMessage {
  enum Content {
    case mail(MIMEPart)
    case json(JSON)
    case unreadable(String)
  }
  var name: String
  var bytes: [UInt8]
  var content: Content

  init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
    if name.hasSuffix(".eml") {
      content = .mail(MIMEPart(bytes))
    } else {
      do { content = .json(try JSON(parsing: bytes)) } catch { content = .unreadable(error.description) }
    }
  }

  /// From the name: `20261120T060211.000000Z-…`.
  var at: Timestamp? {
    let d = Array(name.utf8.prefix(23))
    guard d.count >= 15, d[8] == UInt8(ascii: "T") else { return nil }
    func text(_ range: Range<Int>) -> String { String(decoding: d[range], as: UTF8.self) }
    return Timestamp(
      rfc3339: "\(text(0..<4))-\(text(4..<6))-\(text(6..<8))T\(text(9..<11)):\(text(11..<13)):\(text(13..<15))Z")
  }

  var channel: String {
    switch content {
    case .mail: "email"
    case .json(let json): json["channel"]?.string ?? "file"
    case .unreadable: "file"
    }
  }

  var title: String {
    switch content {
    case .mail(let mail): mail.header("Subject") ?? name
    case .json(let json): json["title"]?.string?.ifAny ?? json["subject"]?.string ?? name
    case .unreadable: name
    }
  }

  var to: String {
    switch content {
    case .mail(let mail): mail.header("To") ?? mail.header("Bcc") ?? ""
    case .json(let json): json["destination"]?.string ?? json["receiver"]?.string ?? ""
    case .unreadable: ""
    }
  }
}
