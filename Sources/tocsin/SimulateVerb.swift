import ArgumentParser
import Simulation

/// `tocsin simulate --seed N --days D`.
struct SimulateVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract:
      "Runs the service in a simulated world that goes wrong in every way, and checks its promises after each step.",
    discussion: "The same seed gives the same run. Exits 1 if a promise did not hold, and says which and when.")
  @Option(help: "What the world is drawn from.") var seed: UInt64 = 1
  @Option(help: "Days of simulated time.") var days = 30

  func validate() throws {
    guard (1...3660).contains(days) else { throw ValidationError("--days must be between 1 and 3660") }
  }

  func run() throws {
    let o = Simulation.run(seed: seed, days: days)
    print(
      "seed \(o.seed): \(o.steps) steps, \(o.anomalies) anomalies, \(o.events) events, \(o.delivered) messages arrived, \(o.crashes) crashes"
    )
    for fault in o.faults { print(fault) }
    if !o.faults.isEmpty { throw ExitCode(1) }
    print("every promise held")
  }
}
