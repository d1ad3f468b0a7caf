package import Alerts

/// What a worker has done since it started: the body of its heartbeat.
package struct WorkerCounts: Sendable, Equatable {
  package var taken = 0
  package var delivered = 0
  package var retried = 0
  package var failed = 0
  /// Not wanted any more when their turn came.
  package var cancelled = 0
  /// Given back unsent: the lease had ended, the destination was too slow, or the worker stopped.
  package var handedBack = 0
  /// Of those handed back, the ones that wait for their destination's pace.
  package var held = 0
  package var outcomeUnknown = 0
  package var byChannel: [String: Int] = [:]
  package var lastError: String?
  package init() {}

  package mutating func count(_ verdict: Verdict, channel: String) {
    switch verdict.outcome {
    case .delivered:
      delivered += 1
      byChannel[channel, default: 0] += 1
    case .retry: retried += 1
    case .failed: failed += 1
    }
    if verdict.outcomeUnknown { outcomeUnknown += 1 }
    if verdict.outcome != .delivered { lastError = "\(channel): \(verdict.message)" }
  }

  package func json(name: String, channels: [String], waiting: Int, inFlight: Int) -> JSON {
    .compact([
      "kind": "notifier", "name": .string(name), "channels": .array(channels.map { .string($0) }), "taken": .int(taken),
      "delivered": .int(delivered), "retried": .int(retried), "failed": .int(failed), "cancelled": .int(cancelled),
      "handed_back": .int(handedBack), "held": .int(held), "outcome_unknown": .int(outcomeUnknown),
      "waiting": .int(waiting),
      "in_flight": .int(inFlight),
      "by_channel": .object(byChannel.sorted { $0.key < $1.key }.map { .init($0.key, .int($0.value)) }),
      "last_error": .text(lastError),
    ])
  }
}
