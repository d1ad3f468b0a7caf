import Alerts

/// Quarters of an hour since 1970: every midnight of every present time zone is the beginning of one.
enum Quarter {
  static let microseconds: Int64 = 900_000_000
  static func of(_ t: Timestamp) -> Int64 {
    let q = t.microseconds / microseconds
    return t.microseconds < 0 && t.microseconds % microseconds != 0 ? q - 1 : q
  }
  /// The first quarter that begins at `t` or later.
  static func from(_ t: Timestamp) -> Int64 {
    let q = of(t)
    return q &* microseconds == t.microseconds ? q : q + 1
  }
  static func start(_ quarter: Int64) -> Timestamp { Timestamp(microseconds: quarter &* microseconds) }
}
