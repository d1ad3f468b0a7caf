import Alerts
import Lifecycle

/// What a timer that waits costs in memory, and how fast a million of them that are all due come up.
struct TimerBench {
  let timers: Int

  func run(_ table: inout BenchTable) {
    let before = MemoryBench.resident()
    var deadlines = Deadlines()
    // In no order, as policies of different lengths leave them.
    for i in 0..<timers {
      let due = Int64(truncatingIfNeeded: (UInt64(i) &* 0x9e37_79b9_7f4a_7c15) >> 20)
      deadlines.add(.escalation(AlertID(Int64(i + 1))), at: Timestamp(microseconds: due))
    }
    let each = Double(MemoryBench.resident() - before) / Double(timers)
    let start = ContinuousClock.now
    var count = 0
    while deadlines.popDue(.distantFuture) != nil { count += 1 }
    let rate = Double(count) / ((ContinuousClock.now - start) / .seconds(1))
    let bound = Double(Deadlines.bytesPerEntry * 2)
    table.add("a pending timer", "\(Int(each)) bytes", limit: "\(Int(bound)) bytes at the most", ratio: each / bound)
    table.add("timers that come up", "\(Format.number(rate.rounded()))/s")
  }
}
