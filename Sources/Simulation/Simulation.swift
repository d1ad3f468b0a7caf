package import Alerts

/// The production service in virtual time, in a world that a seed draws: producers, responders, notifiers and receivers, on a bus that loses, doubles,
/// delays and reorders, on a machine that goes down between any two writes, sleeps, has its clock set and its disk filled, under a configuration that
/// people edit. See docs/simulation.md.
///
/// Time passes from one event to the next. After each step every promise is judged by a model of its own: see ``Promises``.
package enum Simulation {
  /// A promise that did not hold.
  package struct Fault: Sendable, Equatable, CustomStringConvertible {
    /// Its number in docs/simulation.md.
    package var promise: Int
    package var what: String
    /// In simulated time.
    package var at: Timestamp
    package var description: String { "\(at): promise \(promise): \(what)" }
  }

  package struct Outcome: Sendable {
    package var seed: UInt64
    package var steps = 0
    package var events: Int64 = 0
    package var anomalies = 0
    package var commands = 0
    package var crashes = 0
    package var delivered = 0
    package var edits = 0
    package var clockJumps = 0
    package var sleeps = 0
    package var fullDisks = 0
    package var snapshots = 0
    package var startsFromSnapshots = 0
    /// Commits that were written while the next one was decided.
    package var overlapped = 0
    /// Everything that left the service's memory: commits twice, before and after; answers, jobs, words on the feed.
    package var writes = 0
    /// The newest facts, where something did not hold.
    package var last: [String] = []
    /// What did not hold; empty if all did. The run ends at the first step with a fault.
    package var faults: [Fault] = []
  }

  /// Runs `days` of simulated time, and then as much as it takes to come to rest.
  ///
  /// - Parameters:
  ///   - crashAt: the machine goes down at exactly this write of ``Outcome/writes``.
  ///   - facts: so many are kept in ``Outcome/last``.
  package static func run(
    seed: UInt64, days: Double, load: Load = .dense, mutation: Mutation? = nil, crashAt: Int? = nil,
    facts: Int = 40
  ) -> Outcome {
    let world = World(seed: seed, load: load, mutation: mutation)
    world.writes.last = crashAt
    return world.run(days: days, facts: facts)
  }
}
