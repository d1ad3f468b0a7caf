import Simulation
import Testing

@Suite struct SimulationTests {
  static let fresh = UInt64.random(in: 1...1_000_000_000)

  @Test(arguments: Array(UInt64(1)...3) + [SimulationTests.fresh])
  func everyPromiseHolds(_ seed: UInt64) {
    if seed == SimulationTests.fresh { print("a fresh seed: tocsin simulate --seed \(seed) --days 1") }
    let outcome = Simulation.run(seed: seed, days: 1)
    #expect(outcome.faults == [], "tocsin simulate --seed \(seed) --days 1")
    #expect(outcome.events > 100)
    #expect(outcome.crashes > 0)
    #expect(outcome.delivered > 10)
  }

  @Test(arguments: Mutation.allCases)
  func aBrokenPromiseIsNoticed(_ mutation: Mutation) {
    let caught = (1...3).contains { !Simulation.run(seed: $0, days: 1, mutation: mutation).faults.isEmpty }
    #expect(caught, "\(mutation.rawValue) went unnoticed")
  }

  @Test func theSameSeedIsTheSameRun() {
    let (a, b) = (Simulation.run(seed: 7, days: 1), Simulation.run(seed: 7, days: 1))
    #expect(a.steps == b.steps && a.events == b.events && a.delivered == b.delivered)
  }
}
