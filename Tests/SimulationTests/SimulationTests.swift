import Simulation
import Testing

@Suite struct SimulationTests {
  static let fresh = UInt64.random(in: 1...1_000_000_000)

  @Test(arguments: Array(UInt64(1)...6) + [SimulationTests.fresh])
  func everyPromiseHolds(_ seed: UInt64) {
    if seed == SimulationTests.fresh { print("a fresh seed: tocsin simulate --seed \(seed) --days 2 --load dense") }
    let outcome = Simulation.run(seed: seed, days: 2, load: .dense)
    #expect(outcome.faults == [], "tocsin simulate --seed \(seed) --days 2 --load dense")
    #expect(outcome.events > 1000)
    #expect(outcome.crashes > 3)
    #expect(outcome.delivered > 100)
  }

  @Test func aQuietMonthToo() {
    let outcome = Simulation.run(seed: 11, days: 30, load: .moderate)
    #expect(outcome.faults == [])
    #expect(outcome.events > 3000)
  }

  /// Not just somewhere: the check of the very promise that it breaks.
  @Test(arguments: Mutation.allCases)
  func aBrokenPromiseIsNoticedByItsOwnCheck(_ mutation: Mutation) {
    var noticed: [Simulation.Fault] = []
    for seed in UInt64(1)...8 {
      guard let first = Simulation.run(seed: seed, days: 3, load: .dense, mutation: mutation).faults.first else {
        continue
      }
      if first.promise == mutation.promise { return }
      noticed.append(first)
    }
    Issue.record("\(mutation.rawValue) breaks promise \(mutation.promise), and what was noticed is \(noticed)")
  }

  /// Every promise has one.
  @Test func mutationsCoverEveryPromise() {
    #expect(Set(Mutation.allCases.map(\.promise)) == Set(1...9))
  }

  /// Before and after each commit, between any two answers, jobs and words on the feed.
  @Test func theMachineGoesDownAtEveryWrite() {
    let whole = Simulation.run(seed: 3, days: 0.02, load: Load.dense.calm)
    #expect(whole.faults == [])
    #expect(whole.crashes == 0)
    #expect(whole.writes > 100)
    for write in 1...min(whole.writes, 150) {
      let outcome = Simulation.run(seed: 3, days: 0.02, load: Load.dense.calm, crashAt: write)
      #expect(outcome.faults == [], "down at write \(write)")
      #expect(outcome.crashes == 1, "write \(write)")
    }
  }

  @Test func theSameSeedIsTheSameRun() {
    let (a, b) = (Simulation.run(seed: 7, days: 1), Simulation.run(seed: 7, days: 1))
    #expect(a.steps == b.steps && a.events == b.events && a.delivered == b.delivered && a.writes == b.writes)
  }
}
