import Testing

@testable import Bus

/// A wait that ends by the wall clock.
@Suite struct WallTimerTests {
  @Test func anArmedTimerEndsAWaitThatHasNoEnd() throws {
    let (timer, waker) = (try WallTimer(), try GatewayWaker())
    let start = monotonicMicroseconds()
    timer.arm(microseconds: 600_000)
    try waitForAny(of: [], or: waker, microseconds: 20_000_000, timer: timer)
    let took = monotonicMicroseconds() - start
    #expect(took >= 550_000)
    #expect(took < 10_000_000)
    // It is over: another wait is not ended by it once it is disarmed.
    timer.disarm()
    let again = monotonicMicroseconds()
    try waitForAny(of: [], or: waker, microseconds: 50_000, timer: timer)
    #expect(monotonicMicroseconds() - again >= 49_000)
  }

  @Test func shortWaitsCountByThemselves() throws {
    let (timer, waker) = (try WallTimer(), try GatewayWaker())
    timer.arm(microseconds: WallTimer.shortest - 1)
    timer.arm(microseconds: nil)
    let start = monotonicMicroseconds()
    try waitForAny(of: [], or: waker, microseconds: 30_000, timer: timer)
    #expect(monotonicMicroseconds() - start >= 29_000)
  }
}
