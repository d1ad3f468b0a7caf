import Alerts
import Service

/// `audit: {expect_heartbeat: [{name: detector/warehouse-1, within: 5m}], heartbeat: {url: "https://…", every: 1m}}`
enum AuditSection {
  /// A heartbeat more often than this says nothing more.
  private static let shortest = Interval.seconds(1)

  static func read(_ field: Field?) -> AuditSettings {
    var audit = AuditSettings()
    guard let section = field?.section() else { return audit }
    for (name, path) in [
      ("deadlines_late", \AuditSettings.deadlinesLate), ("messages_untaken", \.messagesUntaken),
      ("tables_behind", \.tablesBehind),
    ] {
      audit[keyPath: path] = section.take(name)?.interval(atLeast: .seconds(1)) ?? audit[keyPath: path]
    }
    audit.severity = section.take("severity")?.severity() ?? audit.severity
    audit.expected = expected(section.take("expect_heartbeat"))
    if let heartbeat = section.take("heartbeat")?.section() { audit.outbound = outbound(heartbeat) }
    section.finish()
    return audit
  }

  private static func expected(_ field: Field?) -> [ExpectedHeartbeat] {
    var all: [ExpectedHeartbeat] = []
    for item in field?.list() ?? [] {
      guard let section = item.section() else { continue }
      let nameField = section.need("name", "as the program calls itself, such as detector/1")
      let name = nameField?.text("a name such as detector/1")
      let within = section.need("within", "the longest silence, such as 5m")?
        .interval(atLeast: ExpectedHeartbeat.shortest)
      let severity = section.take("severity")?.severity() ?? .high
      section.finish()
      guard let name, let within else { continue }
      if all.contains(where: { $0.name == name }) {
        nameField?.fault("\"\(name)\" is expected already", mend: "keep one of the two")
      } else {
        all.append(ExpectedHeartbeat(name: name, within: within, severity: severity))
      }
    }
    return all
  }

  private static func outbound(_ section: Section) -> OutboundHeartbeat? {
    let url = section.need("url", "the address to call while all is well")?.url(["https", "http"])
    let every = section.take("every")?.interval(atLeast: shortest)
    let timeoutField = section.take("timeout")
    let timeout = timeoutField?.interval(atLeast: .milliseconds(100))
    section.finish()
    guard let url else { return nil }
    var heartbeat = OutboundHeartbeat(url: url)
    heartbeat.every = every ?? heartbeat.every
    heartbeat.timeout = timeout ?? min(heartbeat.timeout, heartbeat.every)
    if heartbeat.timeout > heartbeat.every {
      timeoutField?.fault("is longer than every (\(heartbeat.every))", mend: "make it shorter, or every longer")
    }
    return heartbeat
  }
}

extension AuditSettings {
  var effective: JSON {
    .compact([
      "deadlines_late": .string(deadlinesLate.description), "messages_untaken": .string(messagesUntaken.description),
      "tables_behind": .string(tablesBehind.description), "severity": .string(severity.name),
      "expect_heartbeat": expected.isEmpty
        ? .null
        : .array(
          expected.map {
            [
              "name": .string($0.name), "within": .string($0.within.description),
              "severity": .string($0.severity.name),
            ]
          }),
      // Whoever has the address can keep the watcher quiet.
      "heartbeat": outbound.map {
        [
          "url": Configuration.hidden, "every": .string($0.every.description),
          "timeout": .string($0.timeout.description),
        ]
      } ?? .null,
    ])
  }
}
