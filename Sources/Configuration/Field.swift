import Alerts
import Foundation

/// One value that is being read as something. Each reading gives the value, or nil and a fault that says what it should have been.
struct Field {
  let tree: Tree
  /// Where its key stands; its own place where it is an item of a list.
  let keyPlace: Place
  let path: String
  let reading: Reading

  var place: Place { tree.place }

  func fault(_ message: String, mend: String? = nil) {
    if tree.isBroken { return }
    reading.faults.append(Fault(tree.isNull ? keyPlace : place, key: path, message, mend: mend))
  }

  /// What stands in the file, shortened: never a secret's own value.
  private var written: String {
    guard case .scalar(let s) = tree.value else { return tree.kind }
    return "\"\(s.written.prefix(60))\""
  }

  private func wrong<T>(_ wanted: String, mend: String? = nil) -> T? {
    fault("must be \(wanted), not \(written)", mend: mend)
    return nil
  }

  private var scalar: Tree.Scalar? { if case .scalar(let s) = tree.value { s } else { nil } }
  var isScalar: Bool { scalar != nil }
  var isList: Bool { if case .list = tree.value { true } else { false } }
  var isMap: Bool { if case .map = tree.value { true } else { false } }

  /// What stands there, for values that are a word or something else; nil for what is no single value.
  var word: String? { scalar?.text }
  /// `false`, `off`, `no` or `none`, where otherwise a mapping stands.
  var isSwitchedOff: Bool { ["false", "off", "no", "none"].contains(scalar?.text.lowercased()) }

  func text(_ wanted: String = "a text") -> String? {
    guard let s = scalar else { return wrong(wanted) }
    guard !s.text.trimming().isEmpty else {
      fault("must be \(wanted), and is empty")
      return nil
    }
    return s.text
  }

  func says(_ word: String) -> Bool { scalar?.text.lowercased() == word }

  func bool() -> Bool? {
    switch scalar?.text.lowercased() {
    case "true", "yes", "on": true
    case "false", "no", "off": false
    default: wrong("true or false")
    }
  }

  func int(_ range: ClosedRange<Int>) -> Int? {
    guard let s = scalar, let i = Int(s.text), range.contains(i) else {
      return wrong("a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return i
  }

  func interval(atLeast least: Interval = .zero) -> Interval? {
    guard let s = scalar, let i = Interval(s.text) else {
      let bare = scalar.flatMap { Double($0.text) } != nil
      return wrong(
        "a length of time such as 90s, 15m, 4h or 7d", mend: bare ? "add the unit: \(scalar?.written ?? "")m" : nil)
    }
    guard i >= least else {
      fault("must be at least \(least), not \(i)")
      return nil
    }
    return i
  }

  func severity() -> Severity? {
    guard let s = scalar, let severity = Severity(name: s.text) else {
      return wrong("critical, high, medium or low", mend: "error, warning and info are read as high, medium and low")
    }
    return severity
  }

  func timeZone() -> String? {
    guard let name = text("a time zone such as Europe/Berlin") else { return nil }
    // Abbreviations such as CET mean different things in different places: only the database's names of places count.
    if LocalZone(name) != nil { return name }
    let near = Suggestion.nearest(to: name, among: TimeZone.knownTimeZoneIdentifiers)
    return wrong(
      "a time zone such as Europe/Berlin or UTC",
      mend: near.map { "did you mean \($0)?" } ?? "the names are those of the IANA database: Area/City")
  }

  /// `08:00`: minutes after midnight.
  func timeOfDay() -> Int? {
    let parts = (scalar?.text ?? "").split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].count == 2, (1...2).contains(parts[0].count), let h = Int(parts[0]),
      let m = Int(parts[1]), (0...23).contains(h), (0...59).contains(m)
    else { return wrong("a time of day such as \"08:00\"", mend: "put it in quotes") }
    return h * 60 + m
  }

  /// 1 (Monday) to 7.
  func weekday() -> Int? {
    guard let s = scalar, let day = Weekday.number(s.text) else { return wrong("a day of the week such as monday") }
    return day
  }

  /// An address with one of the schemes. The fault never quotes it: it may hold a password.
  func url(_ schemes: [String]) -> String? {
    let wanted = "an address that begins with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
    guard let text = text(wanted) else { return nil }
    guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), schemes.contains(scheme),
      let host = url.host, !host.isEmpty
    else {
      fault("must be \(wanted), with a host")
      return nil
    }
    return text
  }

  func choice<T: RawRepresentable & CaseIterable>(_ type: T.Type) -> T? where T.RawValue == String {
    if let s = scalar, let value = T(rawValue: s.text.lowercased()) { return value }
    let names = T.allCases.map(\.rawValue)
    let near = scalar.flatMap { Suggestion.nearest(to: $0.text, among: names) }
    return wrong("one of \(names.joined(separator: ", "))", mend: near.map { "did you mean \"\($0)\"?" })
  }

  /// The items of a list; a single value counts as a list of one.
  func items() -> [Field] {
    guard case .list(let trees) = tree.value else { return tree.isBroken ? [] : [self] }
    return trees.enumerated().map {
      Field(tree: $1, keyPlace: $1.place, path: "\(path)[\($0)]", reading: reading)
    }
  }

  /// A list that must be one.
  func list() -> [Field]? {
    guard case .list = tree.value else { return wrong("a list") }
    return items()
  }

  func texts(_ wanted: String = "a text or a list of texts") -> [String] { items().compactMap { $0.text(wanted) } }

  func section() -> Section? {
    guard case .map(let entries) = tree.value else { return wrong("a mapping") }
    return Section(entries, place: keyPlace, path: path, reading: reading)
  }

  /// Names of things that are defined elsewhere; checked when all is read.
  func names(_ named: Reading.Named) -> [String] { items().compactMap { $0.name(named) } }

  func name(_ named: Reading.Named) -> String? {
    guard let name = text("the name of a \(named)") else { return nil }
    reading.references.append(.init(named: named, name: name, place: place, key: path))
    return name
  }
}

enum Weekday {
  static let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
  /// Reads the English name, or its first three letters. 1 is Monday.
  static func number(_ text: String) -> Int? {
    let text = text.lowercased()
    return names.firstIndex { $0 == text || (text.count == 3 && $0.hasPrefix(text)) }.map { $0 + 1 }
  }
}
