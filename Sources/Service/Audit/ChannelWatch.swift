import Alerts

/// Channels on which messages are due, and from which no notifier takes any.
struct ChannelWatch: Sendable {
  private var waitingSince: [String: Timestamp] = [:]

  /// A message went out to a worker.
  mutating func served(_ channel: String) { waitingSince[channel] = nil }

  /// Nobody was there to take anything.
  mutating func excuse() { waitingSince = [:] }

  /// - Parameter waiting: channels on which a message could go at this moment.
  /// - Returns: those on which that has been so for longer than `bound`, without any message going out.
  mutating func look(waiting: [String], bound: Interval, now: Timestamp) -> [String] {
    if !waitingSince.isEmpty { waitingSince = waitingSince.filter { waiting.contains($0.key) } }
    for channel in waiting where waitingSince[channel] == nil { waitingSince[channel] = now }
    return waiting.filter { now - (waitingSince[$0] ?? now) >= bound }
  }
}
