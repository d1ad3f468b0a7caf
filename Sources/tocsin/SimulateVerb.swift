import ArgumentParser
import Simulation

/// `tocsin simulate --seed N --days D`.
struct SimulateVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract:
      "Runs the service in a simulated world that goes wrong in every way, and checks its promises after each step.",
    discussion: """
      The same seed, days and load give the same run. Exits 1 if a promise did not hold, and says which and when. docs/simulation.md says what happens \
      in such a world.
      """)
  @Option(help: "What the world is drawn from; the first one, with --runs.") var seed: UInt64 = 1
  @Option(help: "Days of simulated time.") var days = 30
  @Option(help: "moderate or dense: how busy the world is, and how much goes wrong in it.") var load = "moderate"
  @Option(help: "So many seeds, one after the other.") var runs = 1
  @Option(help: "Prints so many of the newest facts where a promise did not hold.") var facts = 40

  func validate() throws {
    guard (1...3660).contains(days) else { throw ValidationError("--days must be between 1 and 3660") }
    guard (1...1_000_000).contains(runs) else { throw ValidationError("--runs must be between 1 and 1000000") }
    guard load == "moderate" || load == "dense" else { throw ValidationError("--load must be moderate or dense") }
  }

  func run() throws {
    var failed = 0
    for seed in seed..<seed + UInt64(runs) {
      let start = ContinuousClock.now
      let o = Simulation.run(seed: seed, days: Double(days), load: load == "dense" ? .dense : .moderate, facts: facts)
      print(
        """
        seed \(o.seed): \(o.steps) steps, \(o.anomalies) anomalies, \(o.commands) commands, \(o.events) events, \
        \(o.delivered) messages arrived; \(o.crashes) crashes, \(o.fullDisks) full disks, \(o.sleeps) sleeps, \
        \(o.clockJumps) clocks set, \(o.edits) edits; \((ContinuousClock.now - start).formatted)
        """)
      for fact in o.last { print("  \(fact)") }
      for fault in o.faults { print("  \(fault)") }
      if !o.faults.isEmpty { failed += 1 }
    }
    if failed > 0 { throw ExitCode(1) }
    print("every promise held")
  }
}

extension Duration {
  fileprivate var formatted: String { "\((self / .milliseconds(1)).rounded() / 1000) s" }
}
