import Alerts

/// Adds lives up to a digest's figures, one at a time: a period with a million alerts takes no more memory than its lists and durations.
struct DigestFold {
  /// A life as far as a digest needs it.
  struct Life {
    var id: AlertID
    var eventType: String
    var metric: String
    var detector: String?
    var dimensions: String
    /// Nobody was to be told.
    var isDashboardOnly: Bool
    /// As it was detected.
    var headline: String
    var deviation: Double?
    /// In the log's order.
    var facts: [Fact] = []
  }
  struct Fact {
    var at: Timestamp
    var type: EventType
    var number: Int?
    var word: String?
  }
  /// A message that came to its end.
  struct Delivery {
    var receiver: String
    var channel: String
    var isFailed: Bool
    var at: Timestamp
    var message: String?
  }

  /// Entries of a list in the digest.
  static let listLimit = 8
  static let topLimit = 5
  static let openLimit = 10
  static let noisyLimit = 5

  private let period: DigestPeriod
  private let before: DigestPeriod
  private var figures: DigestFigures
  private let bounds: [Timestamp]
  private var severities: [Severity: DigestFigures.Change] = [:]
  private var eventTypes: [String: DigestFigures.Change] = [:]
  private var metrics: [String: DigestFigures.Change] = [:]
  private var steps: [Int: DigestFigures.Change] = [:]
  private var checks: [CheckKey: DigestFigures.Check] = [:]
  private var places: [CheckKey: Set<String>] = [:]
  private var acknowledgeTimes: (now: [Interval], before: [Interval]) = ([], [])
  private var resolveTimes: (now: [Interval], before: [Interval]) = ([], [])
  private var failures: [String: DigestFigures.Failures] = [:]

  private struct CheckKey: Hashable {
    var eventType: String
    var metric: String
    var detector: String?
  }
  private enum Side { case now, before }

  init(period: DigestPeriod, tenant: String?) {
    self.period = period
    before = period.previous
    figures = DigestFigures(period: period, tenant: tenant)
    let buckets = period.buckets
    bounds = buckets.map(\.start)
    figures.buckets = buckets.map { .init(label: $0.label, opened: [:]) }
  }

  private func side(_ t: Timestamp) -> Side? {
    if t >= period.end { return nil }
    if t >= period.start { return .now }
    return t >= before.start ? .before : nil
  }

  private static func add(_ change: inout DigestFigures.Change, _ side: Side, _ n: Int = 1) {
    switch side {
    case .now: change.now += n
    case .before: change.before += n
    }
  }

  // MARK: - Lives

  /// - Parameter anomalies: how many firing anomalies it took in within the period, and within the one before.
  mutating func add(_ life: Life, anomalies: DigestFigures.Change) {
    figures.anomalies.now += anomalies.now
    figures.anomalies.before += anomalies.before
    let check = CheckKey(eventType: life.eventType, metric: life.metric, detector: life.detector)
    var noise = DigestFigures.Check(eventType: life.eventType, metric: life.metric, detector: life.detector)
    noise.anomalies = anomalies.now
    var s = Standing()
    for fact in life.facts {
      guard fact.at < period.end else { break }
      // What the first period's end saw is counted before the second one's facts are folded.
      if fact.at >= period.start { closeBefore(&s, life) }
      take(fact, life, &s, &noise)
    }
    closeBefore(&s, life)
    guard let openedAt = s.openedAt else { return }
    if side(openedAt) == .now {
      close(life, s, openedAt, .now)
      noise.alerts = 1
      places[check, default: []].insert(life.dimensions)
      if let i = bounds.lastIndex(where: { $0 <= openedAt }) {
        figures.buckets[i].opened[s.peak, default: 0] += 1
      }
      insertTop(line(life, s, openedAt))
    }
    if s.isOpen {
      figures.stillOpenCount += 1
      insertOpen(line(life, s, openedAt))
    }
    merge(noise, into: check)
  }

  /// Where a life stands while its facts are gone through.
  private struct Standing {
    var openedAt: Timestamp?
    /// The beginning of the present part of the life: its opening, or its last reopening.
    var firesSince: Timestamp?
    var severity = Severity.low
    /// The worst it reached.
    var peak = Severity.low
    var isOpen = false
    var isAcknowledged = false
    var wasAcknowledged = false
    var how: Resolved.How?
    var seen = false
    var isBeforeClosed = false
  }

  private mutating func take(_ f: Fact, _ life: Life, _ s: inout Standing, _ noise: inout DigestFigures.Check) {
    let side = side(f.at)
    switch f.type {
    case .detected:
      s.openedAt = f.at
      s.firesSince = f.at
      s.isOpen = true
      s.severity = Severity(name: f.word ?? "") ?? .low
      s.peak = s.severity
    case .severity_raised:
      s.severity = Severity(name: f.word ?? "") ?? s.severity
      s.peak = max(s.peak, s.severity)
    case .reopened:
      s.isOpen = true
      s.isAcknowledged = false
      s.how = nil
      s.firesSince = f.at
      s.severity = Severity(name: f.word ?? "") ?? s.severity
      s.peak = max(s.peak, s.severity)
    case .acknowledged:
      if !s.wasAcknowledged, let since = s.firesSince, let side {
        DigestFold.add(&figures.acknowledged, side)
        let took = max(.zero, f.at - since)
        if side == .now { acknowledgeTimes.now.append(took) } else { acknowledgeTimes.before.append(took) }
      }
      s.wasAcknowledged = true
      s.isAcknowledged = true
    case .unacknowledged: s.isAcknowledged = false
    case .resolved:
      s.isOpen = false
      s.how = f.word.flatMap { Resolved.How(rawValue: $0) }
      s.seen = f.number == 1 || s.wasAcknowledged
      guard let side else { break }
      DigestFold.add(&figures.resolved, side)
      if let since = s.firesSince {
        let took = max(.zero, f.at - since)
        if side == .now { resolveTimes.now.append(took) } else { resolveTimes.before.append(took) }
      }
      if s.how == .cleared, !s.seen {
        DigestFold.add(&figures.clearedNeverSeen, side)
        if side == .now { noise.unseen += 1 }
      }
    case .escalated:
      if let side, let step = f.number, step > 0 { DigestFold.add(&steps[step + 1, default: .init()], side) }
    case .exhausted: if let side { DigestFold.add(&figures.exhausted, side) }
    case .labelled:
      guard side == .now else { break }
      // Whoever changed their mind is counted once, as they think now.
      noise.labelled = 1
      noise.falsePositives = f.word == Labelled.Label.false_positive.rawValue ? 1 : 0
    case .flapping: if side == .now { noise.flaps += 1 }
    default: break
    }
  }

  private mutating func closeBefore(_ s: inout Standing, _ life: Life) {
    guard !s.isBeforeClosed else { return }
    s.isBeforeClosed = true
    if let openedAt = s.openedAt, side(openedAt) == .before { close(life, s, openedAt, .before) }
  }

  /// Counts a life that opened in a period, as it stands at that period's end.
  private mutating func close(_ life: Life, _ s: Standing, _ openedAt: Timestamp, _ side: Side) {
    DigestFold.add(&figures.opened, side)
    DigestFold.add(&severities[s.peak, default: .init()], side)
    DigestFold.add(&eventTypes[life.eventType, default: .init()], side)
    DigestFold.add(&metrics[life.metric, default: .init()], side)
    if !s.wasAcknowledged, !life.isDashboardOnly, s.how != .responder {
      DigestFold.add(&figures.neverAcknowledged, side)
    }
  }

  private func line(_ life: Life, _ s: Standing, _ openedAt: Timestamp) -> DigestFigures.Line {
    let state: String
    if s.isOpen {
      state = s.isAcknowledged ? "acknowledged" : "open"
    } else {
      switch s.how {
      case .stale: state = "resolved (stale)"
      case .cleared where !s.seen: state = "cleared, never seen"
      default: state = "resolved"
      }
    }
    return DigestFigures.Line(
      id: life.id, severity: s.isOpen ? s.severity : s.peak, eventType: life.eventType, metric: life.metric,
      dimensions: life.dimensions, headline: life.headline, deviation: life.deviation, openedAt: openedAt, state: state)
  }

  private mutating func insertTop(_ line: DigestFigures.Line) {
    func rank(_ l: DigestFigures.Line) -> (UInt8, Double, Int64) {
      (l.severity.rawValue, l.deviation?.magnitude ?? 0, -l.id.number)
    }
    let i = figures.top.firstIndex { rank($0) < rank(line) } ?? figures.top.count
    guard i < DigestFold.topLimit else { return }
    figures.top.insert(line, at: i)
    if figures.top.count > DigestFold.topLimit { figures.top.removeLast() }
  }

  private mutating func insertOpen(_ line: DigestFigures.Line) {
    // The worst first, among equals the one that has waited longest.
    func rank(_ l: DigestFigures.Line) -> (UInt8, Int64, Int64) {
      (l.severity.rawValue, -l.openedAt.microseconds, -l.id.number)
    }
    let i = figures.stillOpen.firstIndex { rank($0) < rank(line) } ?? figures.stillOpen.count
    guard i < DigestFold.openLimit else { return }
    figures.stillOpen.insert(line, at: i)
    if figures.stillOpen.count > DigestFold.openLimit { figures.stillOpen.removeLast() }
  }

  private mutating func merge(_ noise: DigestFigures.Check, into key: CheckKey) {
    figures.labelled += noise.labelled
    figures.falsePositives += noise.falsePositives
    guard noise.alerts + noise.anomalies + noise.labelled + noise.flaps + noise.unseen > 0 else { return }
    guard var known = checks[key] else {
      checks[key] = noise
      return
    }
    known.alerts += noise.alerts
    known.anomalies += noise.anomalies
    known.labelled += noise.labelled
    known.falsePositives += noise.falsePositives
    known.unseen += noise.unseen
    known.flaps += noise.flaps
    checks[key] = known
  }

  // MARK: - Messages

  mutating func add(_ d: Delivery) {
    guard let side = side(d.at) else { return }
    guard d.isFailed else { return DigestFold.add(&figures.delivered, side) }
    DigestFold.add(&figures.failed, side)
    guard side == .now else { return }
    let key = "\(d.receiver)\u{0}\(d.channel)"
    var known = failures[key] ?? .init(receiver: d.receiver, channel: d.channel, count: 0, message: nil)
    known.count += 1
    known.message = d.message
    failures[key] = known
  }

  // MARK: - The end

  func finished() -> DigestFigures {
    var f = figures
    f.bySeverity = Severity.allCases.reversed().map { .init(name: $0.name, count: severities[$0] ?? .init()) }
    f.byEventType = DigestFold.most(eventTypes)
    f.byMetric = DigestFold.most(metrics)
    f.escalations = steps.sorted { $0.key < $1.key }.map { .init(name: "step \($0.key)", count: $0.value) }
    f.timeToAcknowledge = DigestFold.durations(acknowledgeTimes.now)
    f.timeToAcknowledgeBefore = DigestFold.durations(acknowledgeTimes.before)
    f.timeToResolve = DigestFold.durations(resolveTimes.now)
    f.timeToResolveBefore = DigestFold.durations(resolveTimes.before)
    f.failures = Array(
      failures.values.sorted { ($1.count, $0.receiver, $0.channel) < ($0.count, $1.receiver, $1.channel) }
        .prefix(DigestFold.listLimit))
    let noisy = checks.map { key, check in
      var check = check
      check.places = places[key]?.count ?? 0
      return check
    }
    f.noisiest = noisy.filter { $0.alerts > 0 || $0.falsePositives > 0 }
      .sorted {
        ($1.alerts, $1.falsePositives, $1.anomalies, $0.eventType, $0.metric, $0.detector ?? "")
          < ($0.alerts, $0.falsePositives, $0.anomalies, $1.eventType, $1.metric, $1.detector ?? "")
      }
      .prefix(DigestFold.noisyLimit)
      .map { check in
        var check = check
        check.remedy = DigestRemedy.of(check)
        return check
      }
    return f
  }

  private static func most(_ counts: [String: DigestFigures.Change]) -> [DigestFigures.Named] {
    Array(
      counts.map { DigestFigures.Named(name: $0.key, count: $0.value) }
        .sorted { ($1.count.now, $1.count.before, $0.name) < ($0.count.now, $0.count.before, $1.name) }
        .prefix(listLimit))
  }

  /// By the nearest-rank method: the smallest value that at least the given share of values does not exceed.
  static func durations(_ times: [Interval]) -> DigestFigures.Durations {
    guard !times.isEmpty else { return .init() }
    let sorted = times.sorted()
    func rank(_ share: Double) -> Interval {
      sorted[min(sorted.count - 1, max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1))]
    }
    return .init(count: sorted.count, median: rank(0.5), p90: rank(0.9))
  }
}

/// What may make a noisy check quieter.
enum DigestRemedy {
  /// Nil where the figures give no reason.
  static func of(_ c: DigestFigures.Check) -> String? {
    if c.falsePositives >= 2, c.falsePositives * 10 >= c.labelled * 3 {
      return
        "\(c.falsePositives) of \(c.labelled) labelled were false: raise its threshold, or let it look further back"
    }
    if c.flaps > 0 {
      return "it flaps: let the condition hold for several runs before it fires, or widen the gap to clearing"
    }
    if c.alerts >= 5, c.unseen * 10 >= c.alerts * 6 {
      return "most ended before anybody looked: route it to the dashboard only, or let it fire later"
    }
    if c.alerts >= 10, c.places * 2 >= c.alerts {
      return "it fires for \(c.places) dimensions at once: group its messages, or watch their sum"
    }
    if c.alerts > 0, c.anomalies / c.alerts >= 200 {
      return "it repeats \(Format.number(Double(c.anomalies / c.alerts))) times an alert: run it less often"
    }
    return nil
  }
}
