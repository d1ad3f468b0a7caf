import Alerts

/// SQL with `:window_start` and `:window_end` in it, cut where they stand, so that a driver can put its own placeholder there and bind the value.
///
/// What stands in quotes, in comments and behind `::` is text like any other.
struct SQLTemplate: Sendable, Equatable {
  enum Parameter: String, CaseIterable, Sendable { case windowStart = "window_start", windowEnd = "window_end" }
  enum Piece: Sendable, Equatable {
    case text(String)
    case parameter(Parameter)
  }
  private(set) var pieces: [Piece] = []

  init(_ pieces: [Piece]) { self.pieces = pieces }

  init(_ sql: String) {
    let bytes = Array(sql.utf8)
    var start = 0
    var i = 0
    while i < bytes.count {
      let skipped = SQLTemplate.skip(bytes, i)
      if skipped > i {
        i = skipped
      } else if bytes[i] == 58, let found = SQLTemplate.parameter(bytes, i) {
        pieces.append(.text(String(decoding: bytes[start..<i], as: UTF8.self)))
        pieces.append(.parameter(found))
        i += 1 + found.rawValue.utf8.count
        start = i
      } else {
        i += bytes[i] == 58 && i + 1 < bytes.count && bytes[i + 1] == 58 ? 2 : 1
      }
    }
    pieces.append(.text(String(decoding: bytes[start...], as: UTF8.self)))
  }

  /// The end of the quoted text or comment that begins at `i`; `i` itself where none does.
  private static func skip(_ b: [UInt8], _ i: Int) -> Int {
    let next = i + 1 < b.count ? b[i + 1] : 0
    switch (b[i], next) {
    case (39, _), (34, _), (96, _): return (b[(i + 1)...].firstIndex(of: b[i]) ?? b.count - 1) + 1
    case (45, 45): return b[i...].firstIndex(of: 10) ?? b.count
    case (47, 42):
      var k = i + 2
      while k + 1 < b.count, !(b[k] == 42 && b[k + 1] == 47) { k += 1 }
      return min(b.count, k + 2)
    default: return i
    }
  }

  private static func parameter(_ b: [UInt8], _ i: Int) -> Parameter? {
    Parameter.allCases.first { p in
      let name = Array(p.rawValue.utf8)
      guard b.count - i - 1 >= name.count, b[(i + 1)...].starts(with: name) else { return false }
      let after = i + 1 + name.count
      guard after < b.count else { return true }
      let c = b[after]
      return !(c == 95 || (48...57).contains(c) || (65...90).contains(c) || (97...122).contains(c))
    }
  }

  /// The text with each parameter written as `placeholder` says, and the parameters in the order in which they are bound.
  func rendered(_ placeholder: (Parameter, Int) -> String) -> (sql: String, parameters: [Parameter]) {
    var sql = ""
    var parameters: [Parameter] = []
    for piece in pieces {
      switch piece {
      case .text(let text): sql += text
      case .parameter(let p):
        parameters.append(p)
        sql += placeholder(p, parameters.count)
      }
    }
    return (sql, parameters)
  }
}

/// A statement that only reads, and what its parameters stand for.
struct SQLStatement: Sendable {
  var template: SQLTemplate
  /// Nil stands for the beginning of time.
  var start: Timestamp?
  var end: Timestamp
  /// The zone in which ``wallClock(_:)`` is read.
  var zone: Zone

  init(_ template: SQLTemplate, _ request: SourceRequest) {
    self.template = template
    start = request.from
    end = request.to
    zone = request.calendar.zone
  }

  init(_ sql: String, start: Timestamp? = nil, end: Timestamp = .epoch, zone: Zone = .utc) {
    template = SQLTemplate(sql)
    self.start = start
    self.end = end
    self.zone = zone
  }

  func instant(_ p: SQLTemplate.Parameter) -> Timestamp { p == .windowStart ? start ?? .epoch : end }

  /// `2026-11-20 06:00:00` as the zone's clocks show it, a date alone at midnight: so it compares rightly with dates, with times, and with either written
  /// as text.
  func wallClock(_ p: SQLTemplate.Parameter) -> String { SQLStatement.wallClock(instant(p), zone) }

  static func wallClock(_ t: Timestamp, _ zone: Zone) -> String {
    let shifted = Timestamp(microseconds: t.microseconds + zone.offset(at: t) * 1_000_000)
    // Rounded up to the second: a row belongs to the range if it is not before it.
    let whole = Timestamp(microseconds: floorDivide(shifted.microseconds + 999_999, 1_000_000) * 1_000_000)
    let text = whole.rfc3339
    if text.hasSuffix("T00:00:00Z") { return String(text.prefix(10)) }
    return text.prefix(10) + " " + text.dropFirst(11).prefix(8)
  }
}
