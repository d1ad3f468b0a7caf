import Simulation
import Testing

@Suite struct SimulationTests {
  static let fresh = UInt64.random(in: 1...1_000_000_000)

  @Test(arguments: Array(UInt64(1)...3) + [SimulationTests.fresh])
  func everyPromiseHolds(_ seed: UInt64) {
    if seed == SimulationTests.fresh { print("a fresh seed: tocsin simulate --seed \(seed) --days 1 --load dense") }
    let outcome = Simulation.run(seed: seed, days: 0.4, load: .dense)
    #expect(outcome.faults == [], "tocsin simulate --seed \(seed) --days 1 --load dense")
    #expect(outcome.events > 200)
    #expect(outcome.crashes > 0)
    #expect(outcome.delivered > 20)
    #expect(outcome.startsFromSnapshots > 0 || outcome.snapshots < 2)
  }

  @Test func aQuietWeekToo() {
    let outcome = Simulation.run(seed: 11, days: 7, load: .moderate)
    #expect(outcome.faults == [])
    #expect(outcome.events > 300)
  }

  /// Not just somewhere: the check of the very promise that it breaks.
  @Test(arguments: Mutation.allCases)
  func aBrokenPromiseIsNoticedByItsOwnCheck(_ mutation: Mutation) {
    var noticed: [Simulation.Fault] = []
    var load = Load.dense
    load.isAudited = mutation == .auditorCriesWolf || mutation == .auditorIsDeaf
    // Only what comes in masses is written while the next is decided.
    if mutation == .overlapIsBelieved { (load.floods, load.isAudited) = (300, false) }
    for seed in UInt64(1)...3 {
      guard let first = Simulation.run(seed: seed, days: 1, load: load, mutation: mutation).faults.first else {
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
    let whole = Simulation.run(seed: 2, days: 0.02, load: Load.dense.calm)
    #expect(whole.faults == [])
    #expect(whole.crashes == 0)
    #expect(whole.writes > 100)
    for write in 1...min(whole.writes, 60) {
      let outcome = Simulation.run(seed: 2, days: 0.02, load: Load.dense.calm, crashAt: write)
      #expect(outcome.faults == [], "down at write \(write)")
      #expect(outcome.crashes == 1, "write \(write)")
    }
  }

  /// What is written while the next batch is decided, starts from snapshots: not every short run has them.
  @Test func theWorldHasWhatItIsSaidToHave() {
    var load = Load.dense
    load.floods = 60
    load.snapshots = 200
    load.isAudited = false
    let outcome = Simulation.run(seed: 5, days: 0.1, load: load)
    #expect(outcome.faults == [])
    #expect(outcome.overlapped > 0)
    #expect(outcome.startsFromSnapshots > 0)
  }

  @Test func theSameSeedIsTheSameRun() {
    let (a, b) = (Simulation.run(seed: 7, days: 0.2), Simulation.run(seed: 7, days: 0.2))
    #expect(a.steps == b.steps && a.events == b.events && a.delivered == b.delivered && a.writes == b.writes)
  }
}
