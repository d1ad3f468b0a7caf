import Alerts

/// When an alert opens and ends so often that every further change would be noise.
///
/// With hysteresis: it takes ``FlappingRule/changes`` reopenings within ``FlappingRule/within`` to count as flapping, and then
/// ``FlappingRule/steadyAfter`` without one to count as steady again.
enum Flaps {
  /// So many reopenings of one alert are remembered: more than any rule may ask for.
  static let remembered = 32

  static func isFlapping(_ reopenings: [Timestamp], now: Timestamp, rule: FlappingRule) -> Bool {
    reopenings.suffix(rule.changes).count { now - $0 <= rule.within } >= rule.changes
  }
}
