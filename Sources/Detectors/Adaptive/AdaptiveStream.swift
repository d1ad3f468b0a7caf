import Foundation

/// The `adaptive` detector: one pass, strictly causal, bounded memory, nothing to set.
///
/// Two signals. *Novelty*: has this series ever been like this? *Deviation*: how far is it from what is usual now, calibrated by how often this series strays?
/// The first forgives what has happened before, the second does not; the score is the louder one.
package struct AdaptiveStream {
  package struct Score: Sendable, Equatable {
    /// 0 to 1.
    package var score = 0.0
    /// Of novelty alone, and of deviation alone, on the same scale.
    package var novelty = 0.0
    package var deviation = 0.0
    /// The mean of the recent past and its spread, before this point.
    package var expected = 0.0
    package var spread = 0.0
    package init() {}
  }

  /// Rows that are held back until the series' interval is known.
  static let intervalRows = 21
  /// Points before novelty speaks, where they come at least every ten hours.
  static let learning = 100
  /// Slower series wait no longer than this, or 30 points: by the day, nobody waits for a hundred.
  static let learningTime = 42 * 86_400.0
  static let leastLearning = 30
  /// Of series that are slower than hourly, rest, fatigue and gate go by points: by the clock, each point would be forgotten before the next.
  static let leastPace = 1.0 / 12

  private var held: [(seconds: Double, value: Double)] = []
  private var core: AdaptiveCore?

  package init() {}

  /// The next value, at `seconds` since 1970. A value that is missing (NaN, an infinity) scores 0 and changes nothing.
  package mutating func push(seconds: Double, _ x: Double) -> Score {
    guard x.isFinite, seconds.isFinite else { return Score() }
    if core != nil { return core?.push(seconds: seconds, x) ?? Score() }
    held.append((seconds, x))
    guard held.count == Self.intervalRows else { return Score() }
    let intervals = zip(held.dropFirst(), held).map { $0.seconds - $1.seconds }.sorted()
    let middle = intervals.count / 2
    let median = intervals.count % 2 == 1 ? intervals[middle] : (intervals[middle - 1] + intervals[middle]) / 2
    var core = AdaptiveCore(interval: max(1, median))
    var last = Score()
    for (seconds, x) in held { last = core.push(seconds: seconds, x) }
    held = []
    self.core = core
    return last
  }

  // MARK: As bytes

  /// Raised whenever the same bytes would mean something else, or the same past would lead to other numbers.
  static let stateVersion = 2

  /// All that it knows, bit for bit.
  func write(to out: inout StateWriter) {
    out.put(AdaptiveStream.stateVersion)
    out.put(core == nil ? held.count : -1)
    if let core { return core.write(to: &out) }
    for row in held {
      out.put(row.seconds)
      out.put(row.value)
    }
  }

  init(from state: inout StateReader) throws(StateError) {
    let version = try state.int(in: 0...Int.max)
    guard version == AdaptiveStream.stateVersion else { throw StateError.version }
    let rows = try state.int(in: -1...(Self.intervalRows - 1))
    guard rows >= 0 else {
      core = try AdaptiveCore(from: &state)
      return
    }
    let numbers = try state.doubles(2 * rows)
    held = (0..<rows).map { (numbers[2 * $0], numbers[2 * $0 + 1]) }
  }

  /// The size of its state, in bytes.
  package var size: Int {
    var out = StateWriter()
    write(to: &out)
    return out.bytes.count
  }
}

/// The detector once the sampling interval is known. Time constants are in clock time: `pace` is the series' points in five minutes.
struct AdaptiveCore {
  private let interval: Double
  private let pace: Double
  private let gatePace: Double
  private let learning: Int
  private var i = 0
  private var largest = 0.0
  private var forecast: Forecast
  private var voters = [NoveltyVoter](repeating: NoveltyVoter(), count: 6)
  private var mean: SlidingMean
  private var median: SlidingMedian
  private var error: SlidingMean
  private var emission: Emission
  private var usual: UsualLevel

  init(interval: Double) {
    self.interval = interval
    pace = 300 / interval
    (gatePace, learning) = Self.pacing(interval)
    forecast = Forecast(span: Self.window(300, 24, pace))
    mean = SlidingMean(Int(Self.window(24, 3, pace)))
    median = SlidingMedian(Int(Self.window(48, 3, pace)))
    error = SlidingMean(Int(Self.window(48, 3, pace)))
    emission = Emission(pace: max(AdaptiveStream.leastPace, pace))
    usual = UsualLevel(interval: interval)
  }

  private static func pacing(_ interval: Double) -> (gate: Double, learning: Int) {
    let most = AdaptiveStream.learningTime / interval
    return (
      pow(max(AdaptiveStream.leastPace, 300 / interval), -0.1),
      Int(max(Double(AdaptiveStream.leastLearning), min(Double(AdaptiveStream.learning), most)))
    )
  }

  /// A window that is `n` points long for a point every five minutes.
  private static func window(_ n: Double, _ least: Double, _ pace: Double) -> Double {
    min(2000, max(least, (n * pace.squareRoot()).rounded()))
  }

  func write(to out: inout StateWriter) {
    out.put(interval)
    out.put(i)
    out.put(largest)
    forecast.write(to: &out)
    for voter in voters { voter.write(to: &out) }
    mean.write(to: &out)
    median.write(to: &out)
    error.write(to: &out)
    emission.write(to: &out)
    usual.write(to: &out)
  }

  init(from state: inout StateReader) throws(StateError) {
    interval = try state.double()
    guard interval >= 1 else { throw StateError.impossible }
    pace = 300 / interval
    (gatePace, learning) = Self.pacing(interval)
    i = try state.int(in: 0...Int.max / 2)
    largest = try state.double()
    forecast = try Forecast(span: Self.window(300, 24, pace), from: &state)
    var voters: [NoveltyVoter] = []
    while voters.count < 6 { voters.append(try NoveltyVoter(from: &state)) }
    self.voters = voters
    mean = try SlidingMean(Int(Self.window(24, 3, pace)), from: &state)
    median = try SlidingMedian(Int(Self.window(48, 3, pace)), from: &state)
    error = try SlidingMean(Int(Self.window(48, 3, pace)), from: &state)
    emission = try Emission(pace: max(AdaptiveStream.leastPace, pace), from: &state)
    usual = try UsualLevel(interval: interval, from: &state)
  }

  mutating func push(seconds: Double, _ x: Double) -> AdaptiveStream.Score {
    largest = max(largest, x.magnitude)
    let (level, f) = forecast.push(x, seconds: seconds, i: i)
    func vote(_ k: Int, _ v: Double) -> Double {
      voters[k].push(v, i: i, largest: largest, learning: self.learning)
    }
    let zValue = vote(0, x)
    let zLevel = vote(1, x - level)
    let zMean = vote(2, mean.push(x))
    let zForecast = vote(3, x - f)
    let zMedian = vote(4, median.push(x))
    let zError = vote(5, error.push(x - f))
    let spread = voters[0].deviation
    let explained = spread > 0 ? min(1, max(0, 1 - voters[3].deviation / spread)) : 0
    let novelty = max(
      max(zValue, 0.35 * zLevel) + 0.2 * zMean, 0.75 * explained * explained * zForecast, 0.33 * zMedian, 0.35 * zError)
    let (d, q, expected, sd) = usual.push(x, i: i)
    let ratio = min(1, d / 2.8)
    let gated = novelty * ratio * ratio.squareRoot() * gatePace
    let peak = i >= learning ? emission.push(gated, i: i) : 0
    i += 1
    var out = AdaptiveStream.Score()
    let calibrated = q / 62
    out.novelty = peak / (peak + 0.2)
    out.deviation = calibrated / (calibrated + 0.2)
    out.score = max(out.novelty, out.deviation)
    out.expected = expected
    out.spread = sd
    return out
  }
}

/// Peaks alone, with rest after each, and with fatigue in a series that gives many.
struct Emission {
  private let pace: Double
  private let forgetting: Double
  private let decay: Double
  private let rest: Double
  private var fatigue = 0.0
  private var memory = 0.0
  private var last = 0

  init(pace: Double) {
    self.pace = pace
    forgetting = exp(-1 / (3000 * pace))
    decay = exp(-1 / max(0.5, 40 * pace))
    rest = 30 * pace
  }

  mutating func push(_ e: Double, i: Int) -> Double {
    fatigue *= forgetting
    if Double(i - last) > rest { memory *= decay }
    let s = e / (1 + 0.6 * fatigue) / (1 + 450 * pace / Double(max(1, i)))
    if s > 1.2 * memory, s > 0 {
      fatigue += s.squareRoot()
      memory = s
      last = i
      return s
    }
    if s > memory {
      memory = s
      last = i
    }
    return 0
  }

  func write(to out: inout StateWriter) {
    out.put(fatigue)
    out.put(memory)
    out.put(last)
  }

  init(pace: Double, from state: inout StateReader) throws(StateError) {
    self.init(pace: pace)
    fatigue = try state.double()
    memory = try state.double()
    last = try state.int(in: 0...Int.max / 2)
  }
}

/// How far from usual, in standard deviations, and calibrated by the series' own tail: one that often spikes must exceed its own spikes.
struct UsualLevel {
  static let alpha = 2.0 / 145
  /// The weight, in points, of the belief that a series is Gaussian until it shows otherwise.
  static let prior = 6000.0
  static let memory = 20_000.0
  /// No deviation counts as more.
  static let most = 50.0
  /// Nor as more for the tail of a series that is slower than hourly: it has too few points to outweigh a single one for years.
  static let mostOfSlow = 10.0
  private let mostOfTail: Double

  private var m = 0.0
  private var v = 0.0
  private var weight = 0.0
  private var fourth = 3 * UsualLevel.prior
  private var points = UsualLevel.prior

  /// Plain and calibrated deviation of x from the past, and that past's mean and deviation.
  mutating func push(_ x: Double, i: Int) -> (plain: Double, calibrated: Double, mean: Double, deviation: Double) {
    let mean = weight > 0 ? m : x
    let sd = v.squareRoot()
    let rounding = 1e-9 * max(mean.magnitude, x.magnitude)
    let d: Double
    if i < 20 {
      d = 0
    } else if sd <= rounding {
      // A line that was flat, and moves: no deviation measures that, and nothing is less usual.
      d = (x - mean).magnitude <= rounding ? 0 : Self.most
    } else {
      d = min(Self.most, (x - mean).magnitude / sd)
    }
    let kurtosis = max(3, fourth / points)
    let q = d / pow(kurtosis / 3, 0.28)
    if i >= 50 {
      let one = min(d, mostOfTail)
      fourth += one * one * one * one
      points += 1
      let most = Self.prior + Self.memory
      if points > most {
        fourth *= most / points
        points = most
      }
    }
    // West, Updating mean and variance estimates, 1979: exact, and stable where the mean is large. The step is the newest value's share of all weights.
    weight += Self.alpha * (1 - weight)
    let step = Self.alpha / weight
    let delta = x - m
    m += step * delta
    v = (1 - step) * (v + step * delta * delta)
    return (d, q, mean, sd)
  }

  init(interval: Double) { mostOfTail = Self.tail(interval) }

  private static func tail(_ interval: Double) -> Double { interval > 3600 ? mostOfSlow : most }

  func write(to out: inout StateWriter) {
    for number in [m, v, weight, fourth, points] { out.put(number) }
  }

  init(interval: Double, from state: inout StateReader) throws(StateError) {
    mostOfTail = Self.tail(interval)
    m = try state.double()
    v = try state.double()
    weight = try state.double()
    fourth = try state.double()
    points = try state.double()
  }
}
