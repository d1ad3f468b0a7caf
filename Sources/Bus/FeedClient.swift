import Alerts

/// An event as the feed carries it.
package struct FeedMessage: Sendable, Equatable {
  /// `<tenant>/<event type>`
  package var topic: String
  /// Its place in the log. Who follows all topics and sees a gap between two messages has missed what lies between, and reads it
  /// from the log.
  package var position: Int64
  /// A CloudEvent in JSON.
  package var json: [UInt8]
}

/// Follows the feed. Each stream has a connection and a thread of its own, and ends them when it is no longer read.
package struct FeedClient: Sendable {
  /// Messages that wait for a slow reader. Beyond, the oldest are dropped, which the reader sees by the positions.
  package static let buffer = 10_000

  private let settings: ConnectionSettings
  package init(_ settings: ConnectionSettings) { self.settings = settings }

  /// What is committed from soon on, for the topics that begin with one of these; empty: for all. Nothing is said about what was before: read
  /// the log after the stream has begun, and then leave out what you know.
  package func events(topics: [String] = []) throws(BusError) -> AsyncStream<FeedMessage> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: FeedMessage.self, bufferingPolicy: .bufferingNewest(FeedClient.buffer))
    let link = try Link(
      settings, name: "tocsin-feed", topics: topics.isEmpty ? [""] : topics, FeedMachine(continuation))
    continuation.onTermination = { _ in link.close(waiting: false) }
    return stream
  }
}

final class FeedMachine: LinkMachine {
  private let continuation: AsyncStream<FeedMessage>.Continuation
  init(_ continuation: AsyncStream<FeedMessage>.Continuation) { self.continuation = continuation }

  func connected(_ wire: Wire, now: Int64) {}
  func due(_ wire: Wire, now: Int64) -> Int64? { nil }
  func closed(_ reason: BusError) { continuation.finish() }

  func received(_ frames: [[UInt8]], _ wire: Wire, now: Int64) {
    guard frames.count == 3, let position = Int64(String(decoding: frames[1], as: UTF8.self)) else { return }
    continuation.yield(
      FeedMessage(topic: String(decoding: frames[0], as: UTF8.self), position: position, json: frames[2]))
  }
}
