package import Alerts

/// The jobs for one destination that a worker holds: which goes next, and when. Pure: no clock, no tasks.
///
/// - Messages about one subject go one after the other, in the order in which they came: *resolved* never overtakes *firing*.
/// - Of different subjects the more urgent goes first.
/// - No more at once, and no faster, than the channel's ``Pace`` allows. What is most urgent does not wait for the rate: the others make up for it.
/// - What would wait for long is given back to the service with the time at which its turn comes, so that everybody can see why it waits, and until when.
package struct DestinationQueue: Sendable {
  package enum Next: Sendable, Equatable {
    case start(Job, waited: Interval)
    case wait(until: Timestamp)
    /// Nothing can start before something else ends or comes.
    case nothing
  }
  /// A message that has to wait, and why.
  package struct Hold: Sendable, Equatable {
    package var job: Job
    package var until: Timestamp
    package var reason: String
  }
  private struct Waiting: Sendable {
    var job: Job
    var since: Timestamp
    var urgency: Int
    /// It came when the rate was promised to others, and is not urgent.
    var isBehind: Bool
  }

  private let pace: Pace
  private var waiting: [Waiting] = []
  private var busy: [Subject: Int] = [:]
  private var bucket: TokenBucket?
  package private(set) var inFlight = 0
  package private(set) var pausedUntil = Timestamp.epoch
  /// Up to here the rate belongs to those that were given back with a time of their own.
  private var promisedUntil = Timestamp.epoch

  package init(_ pace: Pace) {
    self.pace = pace
    bucket = pace.perSecond.map { TokenBucket(perSecond: $0, burst: pace.burst) }
  }

  package var count: Int { waiting.count }
  package var isIdle: Bool { waiting.isEmpty && inFlight == 0 }
  /// Whether a new queue would do as well: nothing of what went out or was promised counts any more.
  package func isRested(_ now: Timestamp) -> Bool {
    isIdle && pausedUntil <= now && promisedUntil <= now && bucket?.isFull(now) ?? true
  }
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
    let urgency = DestinationQueue.urgency(job)
    // One that comes back has a time of its own, and whoever is urgent takes it.
    let isBehind = urgency > 1 && job.attempt == 1 && promisedUntil > now
    waiting.append(Waiting(job: job, since: now, urgency: urgency, isBehind: isBehind))
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
      if rank(w, now) < rank(waiting[b], now) { best = i }
    }
    guard let best else { return .nothing }
    if pausedUntil > now { return .wait(until: pausedUntil) }
    if waiting[best].urgency == 0 {
      bucket?.force(now)
    } else if isBehindPromised(waiting[best], now) {
      return .wait(until: promisedUntil)
    } else if let until = bucket?.take(now) {
      return .wait(until: until)
    }
    let w = waiting.remove(at: best)
    inFlight += 1
    busy[w.job.subject, default: 0] += 1
    return .start(w.job, waited: now - w.since)
  }

  package mutating func finished(_ job: Job) {
    inFlight -= 1
    if let n = busy[job.subject] { busy[job.subject] = n > 1 ? n - 1 : nil }
  }

  private func isBehindPromised(_ w: Waiting, _ t: Timestamp) -> Bool { w.isBehind && promisedUntil > t }

  private func rank(_ w: Waiting, _ t: Timestamp) -> Int { w.urgency + (isBehindPromised(w, t) ? 10 : 0) }

  /// Takes out what can't go within `soon`, each with the time at which its turn comes.
  package mutating func hold(_ now: Timestamp, beyond soon: Interval) -> [Hold] {
    guard bucket != nil || pausedUntil > now + soon, !waiting.isEmpty else { return [] }
    var bucket = bucket
    var clock = max(now, pausedUntil)
    var left = Array(waiting.indices)
    var holds: [(index: Int, hold: Hold)] = []
    // The order in which they would go: of the first about each subject the most urgent.
    while !left.isEmpty {
      var seen: Set<Subject> = []
      var pick = 0
      for (n, i) in left.enumerated() where seen.insert(waiting[i].job.subject).inserted {
        if rank(waiting[i], clock) < rank(waiting[left[pick]], clock) { pick = n }
      }
      let i = left.remove(at: pick)
      if waiting[i].urgency == 0 {
        bucket?.force(clock)
      } else {
        if isBehindPromised(waiting[i], clock) { clock = promisedUntil }
        if let until = bucket?.take(clock) {
          clock = until
          _ = bucket?.take(until)
        }
      }
      guard clock > now + soon else { continue }
      let job = waiting[i].job
      let reason =
        pausedUntil > now
        ? "\(job.channel) asked for patience until \(pausedUntil)"
        : "\(job.destination) takes \(pace.words), and others are before it"
      holds.append((i, Hold(job: job, until: clock, reason: reason)))
    }
    guard let last = holds.last else { return [] }
    if let bucket { promisedUntil = max(promisedUntil, last.hold.until + bucket.interval) }
    let out = Set(holds.map(\.index))
    waiting = waiting.enumerated().filter { !out.contains($0.offset) }.map(\.element)
    return holds.map(\.hold)
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
