package import Alerts

/// The jobs for one destination that a worker holds: which goes next, and when. Pure: no clock, no tasks.
///
/// - Messages about one subject go one after the other, in the order in which they came: *resolved* never overtakes *firing*.
/// - Of different subjects the more urgent goes first.
/// - No more at once, and no faster, than the channel's ``Pace`` allows.
package struct DestinationQueue: Sendable {
  package enum Next: Sendable, Equatable {
    case start(Job, waited: Interval)
    case wait(until: Timestamp)
    /// Nothing can start before something else ends or comes.
    case nothing
  }
  private struct Waiting: Sendable {
    var job: Job
    var since: Timestamp
    var urgency: Int
  }

  private let pace: Pace
  private var waiting: [Waiting] = []
  private var busy: [Subject: Int] = [:]
  private var bucket: TokenBucket?
  package private(set) var inFlight = 0
  package private(set) var pausedUntil = Timestamp.epoch

  package init(_ pace: Pace) {
    self.pace = pace
    bucket = pace.perSecond.map { TokenBucket(perSecond: $0, burst: pace.burst) }
  }

  package var count: Int { waiting.count }
  package var isIdle: Bool { waiting.isEmpty && inFlight == 0 }
  package var oldest: Timestamp? { waiting.first?.since }

  /// 0 is the most urgent.
  package static func urgency(_ job: Job) -> Int {
    switch job.purpose {
    case .firing:
      switch job.alert?.severity {
      case .critical: 0
      case .high: 1
      default: 2
      }
    case .acknowledged, .resolved, .reminder, .summary: 2
    case .notice: 3
    case .digest: 4
    }
  }

  package mutating func add(_ job: Job, now: Timestamp) {
    waiting.append(Waiting(job: job, since: now, urgency: DestinationQueue.urgency(job)))
  }

  package mutating func next(_ now: Timestamp) -> Next {
    guard inFlight < pace.inFlight else { return .nothing }
    var best: Int?
    var seen: Set<Subject> = []
    for (i, w) in waiting.enumerated() {
      guard busy[w.job.subject] == nil, seen.insert(w.job.subject).inserted else { continue }
      guard let b = best else {
        best = i
        continue
      }
      if w.urgency < waiting[b].urgency { best = i }
    }
    guard let best else { return .nothing }
    if pausedUntil > now { return .wait(until: pausedUntil) }
    if let until = bucket?.take(now) { return .wait(until: until) }
    let w = waiting.remove(at: best)
    inFlight += 1
    busy[w.job.subject, default: 0] += 1
    return .start(w.job, waited: now - w.since)
  }

  package mutating func finished(_ job: Job) {
    inFlight -= 1
    if let n = busy[job.subject] { busy[job.subject] = n > 1 ? n - 1 : nil }
  }

  /// The provider asked for patience: nothing more goes there until then.
  package mutating func pause(until instant: Timestamp) { pausedUntil = max(pausedUntil, instant) }

  /// Takes out those whose lease has ended: another worker may have them by now.
  package mutating func expired(_ now: Timestamp) -> [Job] {
    let out = waiting.filter { $0.job.leaseUntil <= now }.map(\.job)
    if !out.isEmpty { waiting.removeAll { $0.job.leaseUntil <= now } }
    return out
  }

  /// Gives up all that waits beyond the first `keep`, least urgent and newest first, but never a later job of a subject without those after it.
  package mutating func handBack(keep: Int) -> [Job] {
    guard waiting.count > keep else { return [] }
    var out: [Job] = []
    while waiting.count > keep {
      let worst = waiting.map(\.urgency).max() ?? 0
      guard let i = waiting.lastIndex(where: { $0.urgency == worst }) else { break }
      // Whatever came after it about the same subject goes first, so that the order is kept.
      let subject = waiting[i].job.subject
      let last = waiting.lastIndex { $0.job.subject == subject } ?? i
      out.append(waiting.remove(at: last).job)
    }
    return out
  }
}
