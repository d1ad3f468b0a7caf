import Alerts
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// The router behind a socket. Hummingbird's own `Application` does the same, and wakes every second to write the date anew: this reads the clock when a
/// response needs it, so that a console that nobody looks at sleeps.
struct ConsoleServer: Sendable {
  let console: Console
  let logger: Logger

  /// Runs until graceful shutdown.
  ///
  /// - Parameter onRunning: called once it listens.
  func run(onRunning: @escaping @Sendable () -> Void) async throws {
    let settings = console.dependencies.settings
    let responder = console.router().buildResponder()
    let (logger, now) = (logger, console.dependencies.now)
    let server = try HTTPServerBuilder.http1(configuration: .init(idleTimeout: .seconds(Console.idleSeconds)))
      .buildServer(
        configuration: .init(
          address: .hostname(settings.host == "*" ? "0.0.0.0" : settings.host, port: settings.port),
          serverName: "tocsin"),
        eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger,
        responder: { (request, writer: consuming ResponseWriter, channel) in
          var response: Response
          do {
            response = try await responder.respond(
              to: request, context: ConsoleContext(source: .init(channel: channel, logger: logger)))
          } catch let error as HTTPParserError {
            throw error
          } catch {
            logger.debug("a request failed", metadata: ["why": "\(error)"])
            response = Response(status: .internalServerError, body: .init())
          }
          response.headers[.date] = HTTPDate.text(now())
          response.headers[.server] = "tocsin"
          do { try await writer.write(response: response.head, body: response.body) } catch is HTTPParserError {
            // The rest of the request could not be read: the connection ends, and nothing more is written to it.
            throw UnreadableRequest()
          }
        }, onServerRunning: { _ in onRunning() })
    try await server.run()
  }

  private struct UnreadableRequest: Error {}
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`: RFC 9110, section 5.6.7.
enum HTTPDate {
  static func text(_ t: Timestamp) -> String {
    let days = t.utcDay.days
    let (year, month, day) = Timestamp.civil(days: days)
    // 1970-01-01 was a Thursday.
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(((days % 7) + 7) % 7)]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let time = t.rfc3339.dropFirst(11).prefix(8)
    return "\(weekday), \(day < 10 ? "0" : "")\(day) \(months[Int(month - 1)]) \(year) \(time) GMT"
  }
}
