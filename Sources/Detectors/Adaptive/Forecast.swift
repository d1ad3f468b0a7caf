/// What the next value should be: the slow level, or the time of day's own, each corrected by how long a departure usually lasts.
struct Forecast {
  /// Half hours of a day.
  static let slots = 48
  static let leastRate = 0.3
  static let memory = 4000.0

  private struct Base {
    var previous = 0.0
    var cross = 0.0
    var power = 0.0
    var error = 0.0

    func forecast(_ level: Double) -> Double {
      let phi = power > 0 ? min(1, max(0, cross / power)) : 0
      return level + phi * previous
    }

    mutating func learn(_ x: Double, level: Double, forecast: Double, i: Int) {
      let d = x - level
      error += (x - forecast) * (x - forecast)
      if i > 0 {
        let w = 1 / min(Double(i), Forecast.memory)
        cross += w * (d * previous - cross)
        power += w * (d * d - power)
      }
      previous = d
    }

    func write(to out: inout StateWriter) {
      for v in [previous, cross, power, error] { out.put(v) }
    }

    init() {}

    init(from state: inout StateReader) throws(StateError) {
      previous = try state.double()
      cross = try state.double()
      power = try state.double()
      error = try state.double()
    }
  }

  private let alpha: Double
  private var sum = 0.0
  private var weight = 0.0
  private var profile = [Double](repeating: 0, count: Forecast.slots)
  private var visits = [Double](repeating: 0, count: Forecast.slots)
  private var slot = -1
  private var slotSum = 0.0
  private var slotCount = 0.0
  private var slow = Base()
  private var daily = Base()

  init(span: Double) { alpha = 2 / (span + 1) }

  /// The level and the forecast for x, both made before it.
  mutating func push(_ x: Double, seconds: Double, i: Int) -> (level: Double, forecast: Double) {
    let b1 = weight > 0 ? sum / weight : x
    let now = min(Forecast.slots - 1, max(0, Int((seconds - (seconds / 86_400).rounded(.down) * 86_400) / 1800)))
    if now != slot {
      if slot >= 0, slotCount > 0 {
        visits[slot] += 1
        profile[slot] += max(Forecast.leastRate, 1 / visits[slot]) * (slotSum / slotCount - profile[slot])
      }
      slot = now
      slotSum = 0
      slotCount = 0
    }
    let b2 = visits[now] > 0 ? profile[now] : b1
    let f1 = slow.forecast(b1)
    let f2 = daily.forecast(b2)
    let f = daily.error < slow.error ? f2 : f1
    slow.learn(x, level: b1, forecast: f1, i: i)
    daily.learn(x, level: b2, forecast: f2, i: i)
    slotSum += x
    slotCount += 1
    sum += alpha * (x - sum)
    weight += alpha * (1 - weight)
    return (b1, f)
  }

  func write(to out: inout StateWriter) {
    for v in [sum, weight, slotSum, slotCount] { out.put(v) }
    out.put(slot)
    out.put(profile)
    out.put(visits)
    slow.write(to: &out)
    daily.write(to: &out)
  }

  init(span: Double, from state: inout StateReader) throws(StateError) {
    self.init(span: span)
    sum = try state.double()
    weight = try state.double()
    slotSum = try state.double()
    slotCount = try state.double()
    slot = try state.int(in: -1...(Forecast.slots - 1))
    profile = try state.doubles(most: Forecast.slots)
    visits = try state.doubles(most: Forecast.slots)
    guard profile.count == Forecast.slots, visits.count == Forecast.slots else { throw StateError.impossible }
    slow = try Base(from: &state)
    daily = try Base(from: &state)
  }
}
