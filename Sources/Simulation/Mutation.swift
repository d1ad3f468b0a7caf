/// A part that breaks one promise on purpose, so that a test can see the simulator notice. Most stand in for a part around the service; the others
/// run the service in a world, or under rules, that the model does not know of. The service itself is the one that runs in production.
package enum Mutation: String, Sendable, CaseIterable {
  /// The log says that a commit is on disk, and a crash loses it.
  case logForgets
  /// Producers are told `stored` when a message comes, not when it is on disk.
  case storedTooSoon
  /// A commit that is written while the next one is decided counts as written from the beginning, and a crash loses it.
  case overlapIsBelieved
  /// After a restart nobody knows which anomalies came before.
  case repeatsForgotten
  /// The clock that wakes the service stands still.
  case timersStandStill
  /// The service's clock goes back with the machine's.
  case clockGoesBack
  /// The service escalates by a policy with other delays than people wrote.
  case policyIsSlow
  /// A notifier sends without asking whether anybody still wants it.
  case workerDoesNotAsk
  /// Every alert of a storm is told by itself.
  case stormsAreNotTold
  /// A notifier makes up a new key for each try.
  case keysChange
  /// A notifier sends each message twice.
  case sentTwice
  /// Facts lose their causes.
  case causesLost
  /// A replay passes over a fact.
  case replayPassesOver
  /// The tables grow from facts that differ from the log's.
  case tablesDrift
  /// What can't be read is passed over without a word.
  case badInputIgnored
  /// A start takes up any snapshot that it finds.
  case snapshotsAreBelieved
  /// Another time zone than people wrote decides who is on call.
  case onCallElsewhere
  /// The auditor says that nobody takes messages when nobody has for a second.
  case auditorCriesWolf
  /// The auditor waits for days for whom it should hear within a quarter of an hour.
  case auditorIsDeaf
  /// A worker is given more than it asked for.
  case creditIgnored

  /// The promise of docs/simulation.md that it breaks, and whose check must be the one that notices.
  package var promise: Int {
    switch self {
    case .logForgets, .storedTooSoon, .overlapIsBelieved: 1
    case .repeatsForgotten: 2
    case .timersStandStill, .clockGoesBack, .policyIsSlow, .auditorIsDeaf: 3
    case .workerDoesNotAsk, .stormsAreNotTold, .onCallElsewhere, .auditorCriesWolf: 4
    case .keysChange, .sentTwice: 5
    case .causesLost: 6
    case .replayPassesOver, .tablesDrift, .snapshotsAreBelieved: 7
    case .badInputIgnored: 8
    case .creditIgnored: 9
    }
  }
}
