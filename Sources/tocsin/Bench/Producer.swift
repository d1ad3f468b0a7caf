import Alerts
import ArgumentParser
import Bus
import Foundation

extension BenchVerb {
  /// One producer of the throughput run, as a process of its own. Prepares its anomalies, says so, waits for a line on standard input, and sends.
  struct Producer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "producer", abstract: "One producer process of the throughput run.", shouldDisplay: false)
    @Option var gateway: String
    @Option var name: String
    @Option var count: Int
    /// How many different dedup keys.
    @Option var keys: Int
    @Option var round: Int
    /// At most so many in one message.
    @Option var batch = Publisher.batchEvents

    func run() async throws {
      let events = (0..<count).map { i in
        BenchAnomaly.make(source: "detector/\(name)", id: "\(round)/\(i)", key: "\(name)-\(i % keys)").cloudEvent
      }
      let publisher = try Publisher(
        ConnectionSettings(gateway: gateway, feed: ""), producer: name, outbox: MemoryOutbox())
      FileHandle.standardOutput.write(Data("ready\n".utf8))
      _ = readLine()
      if batch >= Publisher.batchEvents {
        _ = try publisher.publish(events: events)
      } else {
        for from in stride(from: 0, to: count, by: batch) {
          _ = try publisher.publish(events: Array(events[from..<min(from + batch, count)]))
        }
      }
      let result = try await publisher.flush(timeout: .minutes(5))
      // Before the connection is closed politely, which takes its time: the clock stops here.
      FileHandle.standardOutput.write(Data("stored\n".utf8))
      publisher.close()
      guard result.rejected == 0 else { throw ExitCode.failure }
    }
  }
}

/// About 500 bytes, as a detector writes them.
enum BenchAnomaly {
  static func make(source: String, id: String, key: String, severity: Severity = .medium) -> Anomaly {
    var a = Anomaly(id: id, source: source, time: wallClock(), eventType: "listing_views", metric: "total_views")
    a.dimensions = [.init("device", "mobile"), .init("listing", key)]
    a.severity = severity
    a.detector = "percentage_change"
    a.value = 245
    a.expected = 1850
    a.lower = 1500
    a.upper = 2200
    a.deviation = -0.868
    a.score = 0.93
    a.summary = "total_views fell 87% below the 7-day mean (245, expected 1,850)"
    a.labels = [.init("team", "bi")]
    return a
  }
}
