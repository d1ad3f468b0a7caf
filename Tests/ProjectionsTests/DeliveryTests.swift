import Alerts
import Projections
import Testing

/// What became of each message, and why one waits.
@Suite struct DeliveryTests {
  private static func requested(_ key: String, _ receiver: String, _ notBefore: Timestamp? = nil) -> AlertEvent {
    .notificationRequested(
      NotificationRequested(
        key: key, purpose: .firing, receiver: receiver, channel: "email", destination: "\(receiver)@x.org", step: 1,
        round: 0, notBefore: notBefore, insteadOf: receiver == "late" ? "oncall" : nil))
  }

  private static func story() -> DigestTests.Story {
    var s = DigestTests.Story()
    s.to("2026-11-20T10:00:00Z")
    let alert = s.detect(.critical)
    s.say(alert, requested("k1", "ops"))
    s.say(
      alert,
      .notificationAttempted(
        NotificationAttempted(
          key: "k1", attempt: 1, status: 503, message: "busy", outcomeUnknown: true,
          nextAt: DigestTests.at("2026-11-20T10:05:00Z"), latency: .milliseconds(1500))), by: "notifier/a")
    s.to("2026-11-20T10:01:00Z")
    s.say(alert, requested("k2", "ops"))
    s.say(alert, requested("k3", "boss"))
    s.say(
      alert,
      .notificationFailed(
        NotificationFailed(key: "k3", attempt: 1, status: 404, message: "no such place", latency: .milliseconds(20))),
      by: "notifier/b")
    s.say(alert, requested("k4", "quiet", DigestTests.at("2026-11-20T12:00:00Z")))
    s.say(alert, requested("k5", "late"))
    s.say(alert, requested("k6", "busy"))
    s.say(
      alert,
      .notificationAttempted(
        NotificationAttempted(
          key: "k6", attempt: 0, status: nil, message: "#x takes one message a second, and others are before it",
          outcomeUnknown: false, nextAt: DigestTests.at("2026-11-20T10:02:31Z"), isUnsent: true)), by: "notifier/a")
    return s
  }

  @Test func everyTryIsKeptWithItsStatusAndHowLongItTook() throws {
    let (folder, reader) = try DigestTests.reader(Self.story().history.events)
    defer { _ = folder }
    let row = try #require(try reader.notification(key: "k1"))
    let attempts = try reader.attempts(of: row.position)
    #expect(attempts.map(\.status) == [503] && attempts.map(\.latency) == [.milliseconds(1500)])
    #expect(attempts.map(\.outcome) == [.again] && attempts.map(\.worker) == ["notifier/a"])
    #expect(attempts[0].outcomeUnknown && attempts[0].message == "busy")
    let failed = try reader.attempts(of: try #require(try reader.notification(key: "k3")).position)
    #expect(failed.map(\.outcome) == [.failed] && failed.map(\.latency) == [.milliseconds(20)])
    let busy = try #require(try reader.notification(key: "k6"))
    #expect(try reader.attempts(of: busy.position).map(\.outcome) == [.held])
    #expect(busy.attempts == 0 && busy.isHeld)
  }

  @Test func whatWaitsSaysWhyAndUntilWhen() throws {
    let (folder, reader) = try DigestTests.reader(Self.story().history.events)
    defer { _ = folder }
    let now = DigestTests.at("2026-11-20T10:02:00Z")
    func waiting(_ key: String) throws -> String? {
      let row = try #require(try reader.notification(key: key))
      return row.waiting(now: now, behind: try reader.waitsBehind(row)).map {
        "\($0.reason)\($0.eta.map { " \($0)" } ?? "")"
      }
    }
    let first = try #require(try reader.notification(key: "k1"))
    #expect(try waiting("k1") == "try 1 did not deliver: answer 503, busy 2026-11-20T10:05:00Z")
    #expect(try waiting("k2") == "behind delivery \(first.position) to the same place")
    #expect(try waiting("k3") == nil)
    #expect(try waiting("k4") == "quiet hours 2026-11-20T12:00:00Z")
    #expect(
      try waiting("k6") == "#x takes one message a second, and others are before it 2026-11-20T10:02:31Z")
    #expect(
      try waiting("k5") == "no worker has reported a try: its channel's queue is long, or nobody serves email")
  }

  @Test func filtersHoldTogether() throws {
    let (folder, reader) = try DigestTests.reader(Self.story().history.events)
    defer { _ = folder }
    func keys(_ change: (inout DeliveryQuery) -> Void) throws -> [String] {
      var query = DeliveryQuery()
      change(&query)
      return try reader.deliveries(query).map(\.key)
    }
    #expect(try keys { _ in } == ["k6", "k5", "k4", "k3", "k2", "k1"])
    #expect(try keys { $0.state = .failed } == ["k3"])
    #expect(try keys { $0.receiver = "ops" } == ["k2", "k1"])
    #expect(try keys { $0.channel = "slack" } == [])
    #expect(try keys { $0.alert = AlertID(1) }.count == 6)
    #expect(try keys { $0.alert = AlertID(2) } == [])
    #expect(try keys { $0.since = DigestTests.at("2026-11-20T10:00:30Z") } == ["k6", "k5", "k4", "k3", "k2"])
    #expect(try keys { $0.limit = 1 } == ["k6"])
    let counts = try reader.deliveryCounts(since: DigestTests.at("2026-11-20T00:00:00Z"))
    #expect(
      counts.map { "\($0.receiver) \($0.pending) \($0.held) \($0.failed)" } == [
        "boss 0 0 1", "busy 1 1 0", "late 1 0 0", "ops 2 0 0", "quiet 1 1 0",
      ])
  }

  /// The history of the alert says who was told in whose place.
  @Test func theHistorySaysWhoWasToldInstead() throws {
    let (folder, reader) = try DigestTests.reader(Self.story().history.events)
    defer { _ = folder }
    let sentences = try reader.timeline(AlertID(1)).map(\.sentence)
    #expect(
      sentences.contains(
        "Waits, unsent, until 2026-11-20 10:02 UTC: #x takes one message a second, and others are before it."))
    #expect(sentences.contains("Telling late (late@x.org) by email, instead of oncall, step 2."))
    #expect(
      sentences.contains(
        "Telling quiet (quiet@x.org) by email, step 2; its quiet hours hold it back until 2026-11-20 12:00 UTC."))
  }
}
