import CrashPoints
import Synchronization
import Testing

@Suite struct CrashPointTests {
  private final class Kills: Sendable {
    let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
  }

  @Test func killsAtThePassingThatItNamesAndAtNoOther() {
    let kills = Kills()
    guard let plan = CrashPlan("append:3", kill: { kills.count.withLock { $0 += 1 } }) else {
      Issue.record("append:3 names a point")
      return
    }
    for _ in 0..<2 {
      plan.pass(.append)
      plan.pass(.decide)
    }
    #expect(kills.value == 0)
    plan.pass(.append)
    #expect(kills.value == 1)
    plan.pass(.append)
    #expect(kills.value == 1)
    #expect(CrashPlan("send")?.passing == 1)
  }

  @Test(arguments: ["", "nowhere", "append:0", "append:-1", "append:x", "append:1:2", ":1", "APPEND:1"])
  func whatNamesNoPointDoesNothing(_ text: String) { #expect(CrashPlan(text) == nil) }

  @Test func withoutTheVariableNothingIsArmed() {
    #expect(CrashPlan(nil) == nil)
    for point in CrashPoint.allCases { CrashPoint.pass(point) }
  }
}
