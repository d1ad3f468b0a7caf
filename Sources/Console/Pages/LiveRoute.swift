import Alerts
import EventLog
import Foundation
import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// The log as server-sent events. The log itself is read, and the live stream only says when to look again: nothing is missed and nothing comes twice.
struct EventStream: Sendable {
  /// A connection through proxies stays open if something is said this often.
  static let tick = Duration.seconds(15)
  /// Events read from the log at once.
  static let batch = 500

  let dependencies: ConsoleDependencies

  /// `Last-Event-ID`, or `after` in the query; nil: only what comes from now on.
  static func after(_ request: Request) throws -> Int64? {
    let header = HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }
    guard let text = header ?? Form(query: request)["after"] else { return nil }
    guard let position = Int64(text), position >= 0 else {
      throw Problem(.badRequest, "after must be a position in the log, not \"\(text.prefix(40))\"", code: "invalid")
    }
    return position
  }

  /// - Parameters:
  ///   - write: the message of one event; nil leaves it out.
  ///   - caught: what to say when all that there is has been sent.
  func response(
    after: Int64?, write: @escaping @Sendable (RecordedEvent) -> String?,
    caught: @escaping @Sendable (_ position: Int64, _ isNew: Bool) -> String? = { _, _ in nil }
  ) throws -> Response {
    let live = dependencies.live()
    let log = dependencies.log
    let start = try after ?? log.head()
    let body = ResponseBody { writer in
      var position = start
      func send(_ text: String) async throws { try await writer.write(ByteBuffer(string: text)) }
      try await send("retry: 2000\n\n")
      for await _ in EventStream.signals(live).cancelOnGracefulShutdown() {
        var text = ""
        let before = position
        while true {
          let events = try log.events(after: position, limit: EventStream.batch)
          for event in events {
            if let message = write(event) { text += message }
            position = event.position
          }
          if text.utf8.count > 64 * 1024 {
            try await send(text)
            text = ""
          }
          if events.count < EventStream.batch { break }
        }
        if let more = caught(position, position > before) { text += more }
        try await send(text.isEmpty ? ": still here\n\n" : text)
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"], body: body)
  }

  /// When to look into the log: now, whenever something is committed, and every ``tick``. Keeps one signal at most: who is slow looks once for many.
  private static func signals(_ live: AsyncStream<RecordedEvent>) -> AsyncStream<Void> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      continuation.yield()
      let follower = Task {
        for await _ in live { continuation.yield() }
        // The service goes down: so does the stream, and the reader comes back.
        continuation.finish()
      }
      let clock = Task {
        while !Task.isCancelled {
          try? await Task.sleep(for: tick)
          continuation.yield()
        }
      }
      continuation.onTermination = { _ in
        follower.cancel()
        clock.cancel()
      }
    }
  }
}

/// What the pages' script listens to: that something changed, not what.
enum LiveRoute {
  static func respond(_ request: Request, _ dependencies: ConsoleDependencies) throws -> Response {
    try EventStream(dependencies: dependencies).response(
      after: EventStream.after(request), write: { _ in nil },
      caught: { position, isNew in isNew ? "id: \(position)\nevent: change\ndata: \(position)\n\n" : nil })
  }
}
