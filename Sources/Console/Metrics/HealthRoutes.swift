import Alerts
import EventLog
import Foundation
import Hummingbird
import Projections

/// `/healthz`, `/readyz` and `/metrics`.
struct HealthRoutes: Sendable {
  let dependencies: ConsoleDependencies
  init(_ dependencies: ConsoleDependencies) { self.dependencies = dependencies }

  func add(to router: Router<ConsoleContext>) {
    for path in ["/healthz", "/-/healthy"] {
      router.get(RouterPath(path)) { _, _ in DigestPage.plain("ok\n", "text/plain; charset=utf-8") }
    }
    for path in ["/readyz", "/-/ready"] {
      router.get(RouterPath(path)) { _, _ in
        if let why = await dependencies.unready() {
          throw Problem(.serviceUnavailable, "commands and anomalies are not taken yet: \(why)", code: "unavailable")
        }
        return DigestPage.plain("ready\n", "text/plain; charset=utf-8")
      }
    }
    router.get("/metrics") { _, _ in
      DigestPage.plain(try await metrics(), "text/plain; version=0.0.4; charset=utf-8")
    }
  }

  private func metrics() async throws -> String {
    var out = MetricsText()
    let now = dependencies.now()
    let unready = await dependencies.unready()
    out.gauge("tocsin_ready", "Whether commands and anomalies are taken.", unready == nil ? 1 : 0)
    out.gauge("tocsin_build_info", "Always 1.", [([("version", dependencies.version)], 1)])
    let head = try dependencies.log.head()
    out.counter("tocsin_events_total", "Events in the log.", Double(head))
    if let position = try? dependencies.reader.position() {
      out.gauge(
        "tocsin_projection_lag_events", "Events that the tables are behind the log.", Double(max(0, head - position)))
    }
    if let s = try? dependencies.reader.statistics(since: now - .days(1)) {
      out.gauge(
        "tocsin_alerts_unresolved", "Open and acknowledged alerts.",
        s.unresolvedBySeverity.map { ([("severity", $0.name)], Double($0.count)) })
      out.gauge("tocsin_alerts", "Alerts by state.", s.byState.map { ([("state", $0.name)], Double($0.count)) })
      out.gauge("tocsin_alerts_held", "Unresolved alerts that are silenced, inhibited or snoozed.", Double(s.held))
      out.gauge("tocsin_alerts_exhausted", "Open alerts whose policy has no step left.", Double(s.exhausted))
      out.gauge("tocsin_notifications_pending", "Messages that are owed.", Double(s.pendingNotifications))
      out.gauge(
        "tocsin_notifications_failed_day", "Messages that failed for good in the last day.",
        Double(s.failedNotifications))
    }
    if let deliveries = try? dependencies.reader.deliveryCounts(since: now - .days(1)), !deliveries.isEmpty {
      func samples(_ count: KeyPath<DeliveryCount, Int>) -> [MetricsText.Sample] {
        deliveries.map { ([("receiver", $0.receiver), ("channel", $0.channel)], Double($0[keyPath: count])) }
      }
      out.gauge(
        "tocsin_deliveries_pending", "Messages under way, by receiver and channel.", samples(\.pending))
      out.gauge(
        "tocsin_deliveries_held",
        "Of these, messages that wait although no try failed: quiet hours, or a destination that takes no more for now.",
        samples(\.held))
      out.gauge(
        "tocsin_deliveries_failed_day", "Messages that failed for good in the last day.", samples(\.failed))
      out.gauge("tocsin_deliveries_delivered_day", "Messages delivered in the last day.", samples(\.delivered))
    }
    out.gauge(
      "tocsin_oncall_gaps", "Steps and routes that would reach nobody at some time in the next eight weeks.",
      Double(dependencies.warnings().count))
    let workers = await dependencies.workers()
    if !workers.isEmpty {
      out.gauge(
        "tocsin_worker_silence_seconds", "Time since a worker's last word.",
        workers.map { ([("worker", $0.name)], max(0, (now - $0.at).seconds)) })
    }
    if let resident = HealthRoutes.residentBytes() {
      out.gauge("process_resident_memory_bytes", "Resident memory.", Double(resident))
    }
    return out.text + (await dependencies.moreMetrics())
  }

  /// The second number of /proc/self/statm, in pages.
  private static func residentBytes() -> Int? {
    guard let data = FileManager.default.contents(atPath: "/proc/self/statm") else { return nil }
    let words = String(decoding: data, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? Int(words[1]).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) } : nil
  }
}

/// The Prometheus text format, version 0.0.4.
struct MetricsText {
  typealias Sample = (labels: [(String, String)], value: Double)
  private(set) var text = ""

  mutating func gauge(_ name: String, _ help: String, _ value: Double) { gauge(name, help, [([], value)]) }
  mutating func gauge(_ name: String, _ help: String, _ samples: [Sample]) { add(name, help, "gauge", samples) }
  mutating func counter(_ name: String, _ help: String, _ value: Double) { add(name, help, "counter", [([], value)]) }

  private mutating func add(_ name: String, _ help: String, _ type: String, _ samples: [Sample]) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    for sample in samples {
      var labels = ""
      if !sample.labels.isEmpty {
        let pairs = sample.labels.map { "\($0.0)=\"\(MetricsText.escape($0.1))\"" }
        labels = "{\(pairs.joined(separator: ","))}"
      }
      text += "\(name)\(labels) \(JSON.number(sample.value).text)\n"
    }
  }

  private static func escape(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
