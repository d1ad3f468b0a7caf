import Alerts
import Glibc
import Testing

@testable import Service

/// The machine's clocks as a test sets them, in microseconds.
private final class Machine {
  var wall: Int64 = 1_772_445_600_000_000
  var boot: Int64 = 5_000_000
  func read(_ clock: clockid_t) -> Int64 { clock == CLOCK_REALTIME ? wall : boot }
  func passes(_ seconds: Int64) {
    wall += seconds * 1_000_000
    boot += seconds * 1_000_000
  }
}

/// Time as the service sees it, whatever is done to the machine's.
@Suite struct ClockTests {
  private static let hour: Int64 = 3600

  @Test func aClockThatIsSetBackGoesOnAtItsPace() {
    let m = Machine()
    let clock = SystemClock { m.read($0) }
    let start = clock.now()
    m.passes(10)
    m.wall -= ClockTests.hour * 1_000_000
    // A sixteenth is left out, until the wall clock has caught up.
    #expect(clock.now() - start == .milliseconds(9375))
    for _ in 0..<359 {
      m.passes(10)
      _ = clock.now()
    }
    #expect(clock.now() - start == .seconds(3375))
    // Once the wall clock has caught up, it counts again.
    for _ in 0..<16 * 6 {
      m.passes(600)
      _ = clock.now()
    }
    #expect(clock.now().microseconds == m.wall)
  }

  @Test func aClockThatIsSetForwardIsBelieved() {
    let m = Machine()
    let clock = SystemClock { m.read($0) }
    let start = clock.now()
    m.wall += ClockTests.hour * 1_000_000
    #expect(clock.now() - start == .hours(1))
  }

  @Test func aSuspendedMachineWakesAtTheTimeThatItIs() {
    let m = Machine()
    let clock = SystemClock { m.read($0) }
    let start = clock.now()
    m.passes(8 * ClockTests.hour)
    #expect(clock.now() - start == .hours(8))
  }

  @Test func timeNeverGoesBackWhateverIsDoneToIt() {
    let m = Machine()
    let clock = SystemClock { m.read($0) }
    var last = clock.now()
    var state: UInt64 = 3
    for _ in 0..<10_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      m.passes(Int64(state >> 60))
      if state >> 33 & 7 == 0 { m.wall += (Int64(state >> 40 & 0xFFFF) - 32_768) * 1_000_000 }
      let now = clock.now()
      #expect(now >= last)
      last = now
    }
  }

  /// A message goes out by a time that no fact tells of. After a crash the service would take it for one that is yet to go out.
  @Test func aTimeAheadOfTheWallClockIsKeptForTheNextStart() throws {
    let book = try TimeBook(path: nil)
    let m = Machine()
    let clock = SystemClock(book: book) { m.read($0) }
    let start = clock.now()
    try clock.keep(start)
    #expect(try book.reached() == nil, "the wall clock tells the next start")
    m.wall -= ClockTests.hour * 1_000_000
    m.passes(160)
    let sent = clock.now()
    try clock.keep(sent)
    #expect(sent == start + .seconds(150))
    let kept = try #require(try book.reached())
    #expect(kept >= sent && kept - sent <= .seconds(1))
    // Not once for each message.
    m.passes(1)
    try clock.keep(clock.now())
    #expect(try book.reached() == kept)
    m.passes(1)
    try clock.keep(clock.now())
    #expect(try #require(try book.reached()) > kept)
    let next = SystemClock(book: book) { m.read($0) }
    next.isPast(start + .seconds(20))
    #expect(next.now() >= clock.now())
    // One that was plainly wrong takes nothing from what the log says.
    try book.write(start + .days(900))
    let after = SystemClock(book: book) { m.read($0) }
    after.isPast(start + .seconds(20))
    #expect(after.now() == start + .seconds(20))
  }

  @Test func whatTheLogRecordedIsPastAlsoAfterARestart() {
    let m = Machine()
    let clock = SystemClock { m.read($0) }
    let recorded = Timestamp(microseconds: m.wall) + .minutes(50)
    clock.isPast(recorded)
    #expect(clock.now() == recorded)
    m.passes(5)
    #expect(clock.now() == recorded + Interval(microseconds: 4_687_500))
    // A log from years ahead was written by a clock that was wrong.
    let other = SystemClock { m.read($0) }
    other.isPast(Timestamp(microseconds: m.wall) + .days(900))
    #expect(other.now().microseconds == m.wall)
  }
}
