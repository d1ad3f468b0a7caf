import Alerts
import Crypto

/// A mail, ready to be sent: header, a text part, an HTML part, and pictures that the HTML shows.
struct Mail {
  struct Picture {
    /// Shown in the HTML by `cid:` and this.
    var contentID: String
    var name: String
    var png: [UInt8]
  }
  var from: MailAddress
  var to: [MailAddress]
  /// At most ``subjectLimit`` characters of it are sent.
  var subject: String
  var messageID: String
  /// The message that this one's thread hangs from.
  var threadRoot: String?
  var date: Timestamp
  /// Further fields, such as `List-Id`.
  var fields: [(name: String, value: String)] = []
  var text: String
  var html: String
  var pictures: [Picture] = []

  /// A mail program's list shows less; longer ones are cut and end in an ellipsis.
  static let subjectLimit = 200

  /// The bytes as a server takes them: CRLF at each line's end, no line over 78 but for what can't be folded.
  var bytes: [UInt8] {
    var header = MailHeader()
    header.add("Date", MailHeader.date(date))
    header.add("From", from.field)
    header.add("To", to.map(\.field).joined(separator: ", "))
    header.addText("Subject", Mail.cut(subject))
    header.add("Message-ID", messageID)
    if let threadRoot {
      header.add("In-Reply-To", threadRoot)
      header.add("References", threadRoot)
    }
    // RFC 3834: nobody's holiday notice answers a mail that says this.
    header.add("Auto-Submitted", "auto-generated")
    for field in fields { header.addText(field.name, field.value) }
    header.add("MIME-Version", "1.0")

    // "=_" can't stand in quoted-printable, nor "_" in base64, so that no content can contain a boundary.
    let mark = Mail.digest(messageID)
    let outer = "=_tocsin-\(mark)"
    let inner = "=_tocsin-\(mark)-html"
    header.add("Content-Type", "multipart/alternative; boundary=\"\(outer)\"")
    var out = Array(header.text.utf8)
    func line(_ text: String) { out += Array("\(text)\r\n".utf8) }
    func part(_ type: String, _ content: String) {
      line("Content-Type: \(type); charset=utf-8")
      line("Content-Transfer-Encoding: quoted-printable")
      line("")
      out += QuotedPrintable.encode(content)
      line("")
    }
    line("")
    line("--\(outer)")
    part("text/plain", text)
    line("--\(outer)")
    if pictures.isEmpty {
      part("text/html", html)
    } else {
      line("Content-Type: multipart/related; boundary=\"\(inner)\"")
      line("")
      line("--\(inner)")
      part("text/html", html)
      for picture in pictures {
        line("--\(inner)")
        line("Content-Type: image/png; name=\"\(picture.name)\"")
        line("Content-Transfer-Encoding: base64")
        line("Content-ID: <\(picture.contentID)>")
        line("Content-Disposition: inline; filename=\"\(picture.name)\"")
        line("")
        out += Base64.lines(picture.png)
      }
      line("--\(inner)--")
    }
    line("--\(outer)--")
    return out
  }

  static func cut(_ subject: String) -> String {
    subject.count <= subjectLimit ? subject : "\(subject.prefix(subjectLimit - 1))…"
  }

  /// 32 hexadecimal digits that stand for a text.
  static func digest(_ text: String) -> String {
    let hex = Array("0123456789abcdef".utf8)
    var out: [UInt8] = []
    for byte in SHA256.hash(data: Array(text.utf8)).prefix(16) {
      out.append(hex[Int(byte >> 4)])
      out.append(hex[Int(byte & 15)])
    }
    return String(decoding: out, as: UTF8.self)
  }
}
