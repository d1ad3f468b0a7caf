import Alerts

/// How busy a simulated world is, and how much goes wrong in it: each figure is how often it happens in a day, on average.
package struct Load: Sendable {
  /// Anomalies that come one at a time, from three producers together.
  package var anomalies = 30.0
  /// Messages that bring twenty at once.
  package var bursts = 0.2
  package var commands = 12.0
  package var edits = 0.1
  /// Times at which the service's machine goes down, in between any two of its writes.
  package var crashes = 0.1
  package var fullDisks = 0.15
  /// The service's machine is suspended.
  package var sleeps = 0.1
  /// Its clock is set forward or back.
  package var clockJumps = 0.15
  /// A receiver does not answer, for hours.
  package var outages = 0.3
  /// A notifier goes down with all that it had in hand.
  package var lostWorkers = 0.5
  /// Hundreds of new alerts within a second, which end as fast.
  package var floods = 0.02
  /// Snapshots of the service's state, from which it starts.
  package var snapshots = 0.5
  /// Something happens to the snapshot that is there.
  package var spoiltSnapshots = 0.15
  /// The auditor looks every ten seconds, and a machine that has nothing else to do is no longer skipped over.
  package var isAudited = false

  package init() {}

  /// A small company's: a year of it makes more than a hundred thousand facts, and forty starts that each read them all.
  package static let moderate = Load()

  /// More in a day than a week should bring: for many short runs.
  package static let dense: Load = {
    var l = Load()
    l.anomalies = 400
    l.bursts = 6
    l.commands = 120
    l.edits = 3
    l.crashes = 12
    l.fullDisks = 5
    l.sleeps = 2
    l.clockJumps = 3
    l.outages = 6
    l.lostWorkers = 10
    l.floods = 1.5
    l.snapshots = 20
    l.spoiltSnapshots = 8
    l.isAudited = true
    return l
  }()

  /// As many anomalies and commands, and nothing that goes wrong.
  package var calm: Load {
    var l = self
    l.edits = 0
    l.crashes = 0
    l.fullDisks = 0
    l.sleeps = 0
    l.clockJumps = 0
    l.outages = 0
    l.lostWorkers = 0
    l.spoiltSnapshots = 0
    l.isAudited = false
    return l
  }
}
