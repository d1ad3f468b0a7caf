import Alerts

/// One thing that somebody does, or time that goes by. Names alerts by their keys, so that a step means something whatever came before it.
enum ModelStep: Equatable, CustomStringConvertible {
  case fires(key: Int, Severity, value: Double)
  case clears(key: Int)
  case command(String, key: Int, by: String, seen: Seen)
  case snooze(key: Int, Interval, untilChange: Bool)
  /// Acknowledges the life before the present one.
  case acknowledgesFormer(key: Int)
  case silence(on: Scope, after: Interval?, length: Interval)
  case expires(silence: Int)
  case passes(Interval)
  case restarts

  /// What version of the alert the sender names.
  enum Seen { case none, present, old }
  enum Scope: Equatable {
    case key(Int)
    case critical
    var matcher: Matcher {
      switch self {
      case .key(let k): Matcher(name: "metric", value: "k\(k)")
      case .critical: Matcher(name: "severity", value: "critical")
      }
    }
  }

  var description: String {
    switch self {
    case .fires(let k, let s, let v): "k\(k) fires, \(s), value \(v)"
    case .clears(let k): "k\(k) clears"
    case .command(let name, let k, let by, let seen): "\(by): \(name) k\(k)\(seen == .none ? "" : ", version \(seen)")"
    case .snooze(let k, let i, let change): "snooze k\(k) for \(i)\(change ? " or until its value changes" : "")"
    case .acknowledgesFormer(let k): "acknowledge the former life of k\(k)"
    case .silence(let scope, let after, let length):
      "silence \(scope.matcher)\(after.map { " in \($0)" } ?? "") for \(length)"
    case .expires(let n): "end S-\(n)"
    case .passes(let i): "\(i) pass"
    case .restarts: "the service restarts"
    }
  }

  /// Odd microseconds: no two things are due at the very same moment by accident.
  private static func odd(_ d: inout Draw, seconds: Int) -> Interval {
    Interval(microseconds: Int64(1 + d.below(seconds)) * 1_000_000 + Int64(1 + d.below(999_998)))
  }

  static func random(_ d: inout Draw) -> ModelStep {
    let key = d.below(3)
    switch d.below(32) {
    case 0...6:
      return .fires(key: key, d.pick([.critical, .critical, .medium, .low]), value: Double(d.below(3)))
    case 7...9: return .clears(key: key)
    case 10...18:
      let names = [
        "acknowledge", "acknowledge", "acknowledge", "unacknowledge", "resolve", "unsnooze", "escalate", "assign",
        "comment", "label",
      ]
      return .command(
        d.pick(names), key: key, by: d.pick(["ana", "ben"]), seen: d.pick([.none, .none, .none, .present, .old]))
    case 19, 20: return .snooze(key: key, odd(&d, seconds: 7200), untilChange: d.below(2) == 0)
    case 21: return .acknowledgesFormer(key: key)
    case 22, 23:
      return .silence(
        on: d.below(4) == 0 ? .critical : .key(key), after: d.below(3) == 0 ? odd(&d, seconds: 1800) : nil,
        length: odd(&d, seconds: 7200))
    case 24: return .expires(silence: 1 + d.below(6))
    case 25: return .restarts
    case 26: return .passes(odd(&d, seconds: 8 * 3600))
    case 27...29: return .passes(odd(&d, seconds: 2400))
    default: return .passes(odd(&d, seconds: 300))
    }
  }
}
