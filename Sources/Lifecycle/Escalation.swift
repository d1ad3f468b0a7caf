package import Alerts

/// Where a policy goes next.
package enum Escalation {
  package enum Next: Sendable, Equatable {
    case step(Int, round: Int)
    case exhausted
  }

  /// How long a policy of one immediate step waits before it repeats, or counts as exhausted.
  package static let repeatDelay = Interval.minutes(30)

  /// What follows `step` of `round`, both from 0; a step of -1 stands before the first.
  package static func next(after step: Int, round: Int, in policy: Policy) -> Next {
    if step + 1 < policy.steps.count { return .step(step + 1, round: round) }
    if round < policy.repeats, !policy.steps.isEmpty { return .step(0, round: round + 1) }
    return .exhausted
  }

  /// How long after `step` that follows: the next step's own delay; after the last step, its delay once more, so that a round that begins
  /// again leaves people as much time as its last step did.
  package static func delay(after step: Int, in policy: Policy) -> Interval {
    if step + 1 < policy.steps.count { return policy.steps[step + 1].after }
    let last = policy.steps.last?.after ?? .zero
    return last > .zero ? last : repeatDelay
  }
}
