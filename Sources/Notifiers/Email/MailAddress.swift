import Alerts

/// `tocsin@company.com`, or with a name for people: `Tocsin <tocsin@company.com>`.
struct MailAddress: Equatable {
  var name: String?
  var address: String

  /// The longest address (RFC 5321, section 4.5.3.1: 64 before the @, 255 after).
  static let lengthLimit = 320

  /// Nil for what no mail server could take, and for anything that could smuggle a command or a header field in.
  init?(_ text: String) {
    let text = text.trimming()
    if text.hasSuffix(">"), let open = text.lastIndex(of: "<") {
      let name = text[..<open].trimming().trimmingQuotes()
      self.name = name.isEmpty ? nil : name
      address = String(text[text.index(after: open)...].dropLast()).trimming()
    } else {
      address = text
    }
    let parts = address.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, address.utf8.count <= MailAddress.lengthLimit,
      !address.unicodeScalars.contains(where: {
        $0.value <= 0x20 || $0.value == 0x7F || "<>(),;:\\\"[]".unicodeScalars.contains($0)
      }),
      name?.contains(where: \.isNewline) != true
    else { return nil }
  }

  var domain: String { address.split(separator: "@").last.map(String.init) ?? "localhost" }

  /// For a From, To or Cc field.
  var field: String {
    guard let name else { return address }
    let isPlain = name.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    return isPlain
      ? "\"\(name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\" <\(address)>"
      : "\(MailHeader.encodedText(name)) <\(address)>"
  }
}

extension String {
  fileprivate func trimmingQuotes() -> String {
    count >= 2 && hasPrefix("\"") && hasSuffix("\"") ? String(dropFirst().dropLast()) : self
  }
}
