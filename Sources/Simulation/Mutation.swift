/// A part that breaks one promise on purpose, so that a test can see the simulator notice. Each stands in for a part around the service; the service
/// itself is the one that runs in production.
package enum Mutation: String, Sendable, CaseIterable {
  /// Promise 1: the log says that a commit is on disk, and a crash loses it.
  case logForgets
  /// Promise 2: after a restart nobody knows which anomalies came before.
  case repeatsForgotten
  /// Promise 3: the clock that wakes the service stands still.
  case timersStandStill
  /// Promise 4: a notifier sends without asking whether anybody still wants it.
  case workerDoesNotAsk
  /// Promise 5: a notifier makes up a new key for each try.
  case keysChange
  /// Promise 6: facts lose their causes.
  case causesLost
  /// Promise 7: a replay passes over a fact.
  case replayPassesOver
  /// Promise 8: what can't be read is passed over without a word.
  case badInputIgnored
  /// Promise 9: a worker is given more than it asked for.
  case creditIgnored
}
