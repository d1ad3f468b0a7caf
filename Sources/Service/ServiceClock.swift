package import Alerts
import Glibc

/// What time it is.
package protocol ServiceClock: AnyObject {
  func now() -> Timestamp
  /// The log knows of this moment: time goes on from there where the clock was set back a little meanwhile.
  func isPast(_ time: Timestamp)
  /// Something is about to go out at this time, of which the log says nothing yet: a later start must not find that it is yet to come.
  func keep(_ time: Timestamp) throws
  /// Microseconds in which this program could have done something: stands still while the machine is suspended, and nobody can set it.
  var awake: Int64 { get }
}

extension ServiceClock {
  package func isPast(_ time: Timestamp) {}
  package func keep(_ time: Timestamp) {}
  package var awake: Int64 { now().microseconds }
}

/// The machine's wall clock, that never goes back: see ``SteadyTime``.
package final class SystemClock: ServiceClock {
  private var time = SteadyTime()
  private let read: (clockid_t) -> Int64
  private let book: TimeBook?

  package convenience init(book: TimeBook) { self.init(book: book, read: SystemClock.read) }

  /// - Parameter read: the microseconds that a clock shows.
  init(book: TimeBook? = nil, read: @escaping (clockid_t) -> Int64) {
    self.book = book
    self.read = read
  }

  package func now() -> Timestamp { time.now(wall: wall, boot: boot) }

  package var awake: Int64 { read(CLOCK_MONOTONIC) }

  /// What was kept and can't be read is as good as nothing kept: a message may then go out once more than the history says.
  package func isPast(_ recorded: Timestamp) {
    // Each by itself: one that is too far ahead to be believed says nothing about the other.
    for newest in [recorded, try? book?.reached()].compactMap({ $0 }) {
      time.resume(after: newest, wall: wall, boot: boot)
    }
  }

  package func keep(_ now: Timestamp) throws {
    if let book, let reached = time.toKeep(now, wall: wall) { try book.write(reached) }
  }

  private var wall: Timestamp { Timestamp(microseconds: read(CLOCK_REALTIME)) }
  private var boot: Int64 { read(CLOCK_BOOTTIME) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var t = timespec()
    clock_gettime(clock, &t)
    return Int64(t.tv_sec) * 1_000_000 + Int64(t.tv_nsec) / 1000
  }
}

/// Time that never goes back, made of the wall clock and of the clock that counts from the start of the machine, and through its sleep.
///
/// When the wall clock is set back, time goes on a little more slowly than it should until the wall clock has caught up: a timer is neither
/// fired twice nor an hour late. When it is set forward, it is believed: what fell due fires.
package struct SteadyTime: Sendable {
  /// One part in so many is left out while the wall clock is behind: an hour is caught up in sixteen, and a timer of half an hour is two minutes
  /// late at most.
  package static let slowness: Int64 = 16
  /// A log that is further ahead of the clock than this was written under a wrong one, and the clock is believed.
  package static let longestResume = Interval.days(1)

  /// What is kept of a time ahead of the wall clock is so much later, so that it is kept once in so long at most.
  package static let keptAhead = Interval.seconds(1)

  private var last = Timestamp.epoch
  private var lastBoot: Int64 = 0
  private var kept = Timestamp.epoch

  package init() {}

  /// - Parameter boot: microseconds since the machine started.
  package mutating func now(wall: Timestamp, boot: Int64) -> Timestamp {
    let passed = max(0, boot - lastBoot)
    lastBoot = boot
    last = max(wall, last + Interval(microseconds: passed - passed / SteadyTime.slowness))
    return last
  }

  package mutating func resume(after newest: Timestamp, wall: Timestamp, boot: Int64) {
    guard newest > now(wall: wall, boot: boot), newest - wall <= SteadyTime.longestResume else { return }
    last = newest
  }

  /// What a later start must go on from, where the wall clock and the log would let it begin earlier; nil: they don't, or it is kept already.
  package mutating func toKeep(_ time: Timestamp, wall: Timestamp) -> Timestamp? {
    guard time > wall, time > kept else { return nil }
    kept = time + SteadyTime.keptAhead
    return kept
  }
}
