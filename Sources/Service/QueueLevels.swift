/// How full one of the service's queues is.
package struct QueueLevel: Sendable {
  package var name: String
  package var count: Int
  package var bound: Int
}

extension Service {
  /// Every queue of the service that has a bound of its own. Alerts, silences and messages that are owed are what it is for, and have none.
  package var levels: [QueueLevel] {
    [
      QueueLevel(name: "answered commands", count: answered.count, bound: AnsweredCommands.capacity),
      QueueLevel(name: "recent anomalies", count: recent.count, bound: RecentAnomalies.capacity),
      QueueLevel(name: "workers", count: workers.all.count, bound: Workers.capacity),
      QueueLevel(name: "known anomalies", count: intake.count, bound: 2 * intake.capacity),
      QueueLevel(name: "answers", count: answers.count, bound: Service.drainLimit),
    ]
  }
}
