import Alerts
import Foundation
import Projections
import Testing

/// What a digest tells, from a log that is written by hand, so that each figure can be checked by eye.
struct DigestTests {
  static func at(_ text: String) -> Timestamp { Timestamp(rfc3339: text) ?? .epoch }
  static let week = DigestPeriod.ending(
    .weekly, onOrBefore: DigestPeriodTests.day("2026-11-15"), zone: LocalZone("Europe/Berlin") ?? .utc)

  /// Adds lives to a log.
  struct Story {
    var history = SampleHistory(seed: 1, start: .epoch)
    var last: Int64 = 0

    mutating func to(_ time: String) { history.now = DigestTests.at(time) }

    @discardableResult
    mutating func detect(
      _ severity: Severity, _ type: String = "listing_views", _ metric: String = "total_views", device: String? = nil,
      deviation: Double? = -0.5, dashboardOnly: Bool = false, tenant: String = "default"
    ) -> Subject {
      last += 1
      var a = Anomaly(
        id: "\(last)", source: "detector/test", time: history.now, eventType: type, metric: metric)
      a.tenant = tenant
      a.detector = "threshold"
      a.deviation = deviation
      a.summary = "\(metric) moved"
      if let device { a.dimensions = [.init("device", device)] }
      let subject = Subject(.alert, last)
      history.add(
        subject,
        .detected(
          Detected(
            generation: 1, previous: nil, dedupKey: "k\(last)", severity: severity,
            route: RouteTaken(configuration: 1, index: 0, match: "", dashboardOnly: dashboardOnly), anomaly: a)))
      return subject
    }
    mutating func say(_ subject: Subject, _ event: AlertEvent, by actor: String = "ana") {
      history.add(subject, event, actor: actor)
    }
    mutating func message(_ subject: Subject, _ receiver: String, failsWith status: Int? = nil) {
      let key = "\(subject)/\(history.events.count)"
      history.add(
        subject,
        .notificationRequested(
          NotificationRequested(key: key, purpose: .firing, receiver: receiver, channel: "slack", destination: "#x")))
      if let status {
        history.add(
          subject,
          .notificationFailed(NotificationFailed(key: key, attempt: 3, status: status, message: "no_such_channel")))
      } else {
        history.add(
          subject,
          .notificationDelivered(
            NotificationDelivered(key: key, attempt: 1, status: 200, latency: .milliseconds(80), provider: nil)))
      }
    }
  }

  static func story() -> Story {
    var s = Story()
    // The week before: two alerts, one acknowledged after an hour.
    s.to("2026-11-04T10:00:00Z")
    let old = s.detect(.high)
    s.detect(.low, "machine", "load", dashboardOnly: true)
    s.to("2026-11-04T11:00:00Z")
    s.say(old, .acknowledged(Acknowledged()))
    // Just within the week: Monday at midnight in Berlin.
    s.to("2026-11-08T23:00:00Z")
    let first = s.detect(.critical, device: "mobile", deviation: -0.868)
    s.message(first, "director-bi")
    s.to("2026-11-08T23:10:00Z")
    s.say(first, .escalated(Escalated(step: 1, round: 0, reason: .delay)), by: "tocsin")
    s.message(first, "oncall", failsWith: 404)
    s.to("2026-11-08T23:20:00Z")
    s.say(first, .acknowledged(Acknowledged()))
    s.to("2026-11-09T01:00:00Z")
    s.say(first, .resolved(Resolved(how: .responder, seen: true)))
    s.say(first, .labelled(Labelled(label: .true_positive)))
    // A medium one that rises, repeats, and stays open.
    s.to("2026-11-10T08:00:00Z")
    let open = s.detect(.medium, "enquiries", "enquiries", deviation: 1.2)
    s.to("2026-11-10T08:30:00Z")
    var repeated = Anomaly(
      id: "r", source: "detector/test", time: s.history.now, eventType: "enquiries", metric: "enquiries")
    repeated.summary = "a later summary"
    s.say(
      open,
      .deduplicated(
        Deduplicated(count: 9, firstTime: s.history.now, lastTime: s.history.now, worst: .high, last: repeated)),
      by: "detector/test")
    s.say(open, .severityRaised(SeverityRaised(from: .medium, to: .high)), by: "tocsin")
    // Two that end unseen, one labelled false.
    for hour in [9, 10] {
      s.to("2026-11-11T\(hour < 10 ? "0" : "")\(hour):00:00Z")
      let short = s.detect(.high, "checkout", "payments_failed", deviation: nil)
      s.to("2026-11-11T\(hour < 10 ? "0" : "")\(hour):05:00Z")
      s.say(short, .resolved(Resolved(how: .cleared, seen: false)), by: "tocsin")
      if hour == 10 { s.say(short, .labelled(Labelled(label: .false_positive))) }
    }
    s.to("2026-11-12T12:00:00Z")
    s.detect(.low, "machine", "load", dashboardOnly: true, tenant: "north")
    // Just outside: the Monday after.
    s.to("2026-11-15T23:00:00Z")
    s.detect(.critical, "later", "later")
    s.say(open, .resolved(Resolved(how: .stale, seen: false)), by: "tocsin")
    return s
  }

  static func reader(_ events: [RecordedEvent]) throws -> (TemporaryFolder, ProjectionReader) {
    let folder = try TemporaryFolder()
    try folder.store().catchUp(from: SampleLog(events))
    return (folder, ProjectionReader(path: folder.file))
  }

  @Test func figuresAreThoseOfTheWeek() throws {
    let (folder, reader) = try DigestTests.reader(DigestTests.story().history.events)
    defer { _ = folder }
    let f = try reader.digest(DigestTests.week)
    // What happened
    #expect(f.opened == .init(now: 5, before: 2))
    #expect(f.anomalies == .init(now: 14, before: 2))
    #expect(
      f.bySeverity.map { "\($0.name) \($0.count.now) \($0.count.before)" } == [
        "critical 1 0", "high 3 1", "medium 0 0", "low 1 1",
      ])
    #expect(
      f.byEventType.map(\.name)
        == ["checkout", "machine", "listing_views", "enquiries"].sorted { a, b in
          let rank = ["checkout": 0, "listing_views": 1, "machine": 2, "enquiries": 3]
          return rank[a, default: 9] < rank[b, default: 9]
        })
    #expect(f.top.map(\.id.number) == [3, 4, 5, 6, 7], "by severity, then deviation, then age")
    #expect(f.top[1].severity == .high, "the worst that it reached")
    #expect(f.top[1].headline == "enquiries moved", "as it was detected")
    #expect(f.buckets.map { $0.opened.values.reduce(0, +) } == [1, 1, 2, 1, 0, 0, 0])
    #expect(f.buckets.first?.label == "Mon  9")
    // How we did
    #expect(f.acknowledged == .init(now: 1, before: 1))
    #expect(f.timeToAcknowledge == .init(count: 1, median: .minutes(20), p90: .minutes(20)))
    #expect(f.timeToAcknowledgeBefore.median == .hours(1))
    #expect(f.resolved == .init(now: 3, before: 0))
    #expect(f.timeToResolve == .init(count: 3, median: .minutes(5), p90: .hours(2)))
    #expect(
      f.neverAcknowledged == .init(now: 3, before: 0), "the open one and the two that ended unseen; not the dashboard's"
    )
    #expect(f.clearedNeverSeen == .init(now: 2, before: 0))
    #expect(f.escalations == [.init(name: "step 2", count: .init(now: 1, before: 0))])
    #expect(f.delivered == .init(now: 1, before: 0))
    #expect(f.failures == [.init(receiver: "oncall", channel: "slack", count: 1, message: "no_such_channel")])
    // How the detectors did
    #expect(f.labelled == 2 && f.falsePositives == 1 && f.falsePositiveRate == 0.5)
    #expect(f.noisiest.first?.eventType == "checkout" && f.noisiest.first?.unseen == 2)
    // What is still open: the risen one, and those of the week before
    #expect(f.stillOpenCount == 4)
    #expect(f.stillOpen.map(\.id.number) == [1, 4, 2, 7])
    #expect(f.stillOpen.map(\.state) == ["acknowledged", "open", "open", "open"])
  }

  @Test func aPastDigestIsMadeAgainTheSameWhateverHappenedSince() throws {
    var story = DigestTests.story()
    let (first, early) = try DigestTests.reader(story.history.events)
    let before = Digest(try early.digest(DigestTests.week), consoleURL: "https://tocsin.example.org/")
    // Much happens afterwards to the same alerts
    story.to("2026-11-17T09:00:00Z")
    for number in 1...8 as ClosedRange<Int64> {
      let subject = Subject(.alert, number)
      story.say(subject, .severityRaised(SeverityRaised(from: .low, to: .critical)))
      story.say(subject, .acknowledged(Acknowledged()))
      story.say(subject, .commented(Commented(text: "late")))
      story.say(subject, .labelled(Labelled(label: .false_positive)))
      story.say(subject, .resolved(Resolved(how: .responder, seen: true)))
      story.message(subject, "director-bi", failsWith: 500)
    }
    let (second, late) = try DigestTests.reader(story.history.events)
    defer { _ = (first, second) }
    let after = Digest(try late.digest(DigestTests.week), consoleURL: "https://tocsin.example.org/")
    #expect(after.text == before.text)
    #expect(after.html == before.html)
    #expect(after.json == before.json)
  }

  @Test func oneTenantsDigestTellsOfThatTenantOnly() throws {
    let (folder, reader) = try DigestTests.reader(DigestTests.story().history.events)
    defer { _ = folder }
    let f = try reader.digest(DigestTests.week, tenant: "north")
    #expect(f.opened == .init(now: 1, before: 0))
    #expect(f.anomalies.now == 1)
    #expect(f.delivered.now == 0 && f.failed.now == 0)
    #expect(Digest(f).order(receiver: "x").key == "digest/weekly/2026-11-16/x/north")
  }

  @Test func aLongHistoryAddsUp() throws {
    let events = SampleHistory.log(seed: 77, events: 6000, start: DigestTests.at("2026-10-01"), span: .days(60))
    let (folder, reader) = try DigestTests.reader(events)
    defer { _ = folder }
    let zone = DigestTests.week.zone
    var period = DigestPeriod.ending(.weekly, onOrBefore: DigestPeriodTests.day("2027-06-01"), zone: zone)
    var opened = 0
    var anomalies = 0
    var before: DigestFigures.Change?
    for _ in 0..<40 {
      let f = try reader.digest(period)
      opened += f.opened.now
      anomalies += f.anomalies.now
      if let before {
        #expect(before.before == f.opened.now, "the period before is the one that its own digest tells of")
      }
      before = f.opened
      #expect(f.bySeverity.map(\.count.now).reduce(0, +) == f.opened.now)
      #expect(f.buckets.flatMap(\.opened.values).reduce(0, +) == f.opened.now)
      period = period.previous
    }
    #expect(opened == events.count { $0.type == .detected })
    var all = 0
    for row in events {
      switch row.event {
      case .detected, .reopened: all += 1
      case .deduplicated(let d): all += d.count
      default: break
      }
    }
    #expect(anomalies == all)
  }

  // MARK: - Forms

  static func digest() throws -> (TemporaryFolder, Digest) {
    let (folder, reader) = try reader(story().history.events)
    return (folder, Digest(try reader.digest(week), consoleURL: "https://tocsin.example.org"))
  }

  @Test func textIsWhatItIs() throws {
    let (folder, digest) = try DigestTests.digest()
    defer { _ = folder }
    let lines = digest.text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines.filter { $0.count > 80 })")
    #expect(lines.allSatisfy { !$0.hasSuffix(" ") })
    #expect(lines[0] == "Tocsin weekly digest")
    #expect(lines[1] == "Monday 9 to Sunday 15 November 2026, Europe/Berlin")
    #expect(digest.subject == "Tocsin weekly digest: 5 alerts, 1 critical, 4 still open")
    for part in [
      "5 alerts opened (+150%, 2 the week before), from 14 anomalies.", "The worst:", "What happened", "How we did",
      "How the detectors did", "Still open", "https://tocsin.example.org/alerts/A-3",
      "1 of 2 labelled alerts were false: 50%, above the goal of 10%.",
      "1 message to oncall by slack failed, last with: no_such_channel",
    ] {
      #expect(digest.text.replacing("\n", with: " ").contains(part), "\(part)")
    }
  }

  @Test func markupIsWellFormedAndHostileTextStaysText() throws {
    var story = Story()
    story.to("2026-11-10T08:00:00Z")
    story.detect(.critical, "<script>alert(1)</script>", "a|b*c_d[x](y)", device: "\"><img src=x>")
    let (folder, reader) = try DigestTests.reader(story.history.events)
    defer { _ = folder }
    let digest = Digest(try reader.digest(DigestTests.week), consoleURL: "https://tocsin.example.org/?a=1&b=2")
    for html in [digest.html, digest.htmlFragment] {
      #expect(!html.contains("<script") && !html.contains("<img"))
      let parser = XMLCheck(html.replacing("<!DOCTYPE html>\n", with: "").replacing("&nbsp;", with: " "))
      #expect(parser.fault == nil, "\(parser.fault ?? "")")
    }
    #expect(digest.html.utf8.count < 30_000)
    #expect(digest.htmlFragment.contains("<svg"))
    #expect(!digest.html.contains("<svg"), "mail clients don't show it")
    #expect(digest.markdown.contains("a\\|b\\*c_d\\[x\\](y)"))
    let blocks = try #require(digest.slackBlocks.array)
    #expect(blocks.count <= 50)
    #expect(blocks.allSatisfy { ($0["text"]?["text"]?.string?.count ?? 0) <= 3000 })
    #expect(!digest.slackBlocks.text.contains("<script"))
    #expect(try JSON(parsing: digest.json.bytes) == digest.json)
  }

  /// A day, a week and a month of the same history. With `TOCSIN_TEST_PICTURES` each is written there, to be looked at.
  @Test(arguments: DigestSettings.Period.allCases) func eachPeriodHasItsPage(_ kind: DigestSettings.Period) throws {
    let events = SampleHistory.log(seed: 5, events: 6000, start: DigestTests.at("2026-08-10"), span: .days(60))
    let (folder, reader) = try DigestTests.reader(events)
    defer { _ = folder }
    let zone = try #require(LocalZone("Europe/Berlin"))
    let period = DigestPeriod.ending(kind, onOrBefore: DigestPeriodTests.day("2026-09-06"), weekday: 1, zone: zone)
    let digest = Digest(try reader.digest(period), consoleURL: "https://tocsin.example.org")
    let check = XMLCheck(digest.html.replacing("<!DOCTYPE html>\n", with: "").replacing("&nbsp;", with: " "))
    #expect(check.fault == nil, "\(check.fault ?? "")")
    for part in [
      kind.rawValue, "By severity", kind == .daily ? "Through the day" : "Day by day", "The worst",
      "Time to acknowledge, median", "Time to resolve, median", "Never acknowledged", "Cleared, never seen",
      "Messages that failed for good", "labelled", "goal of", "The checks that raised most", "Still open",
    ] {
      #expect(digest.html.contains(part) && digest.text.contains(part), "\(kind) does not say \(part)")
    }
    if let path = ProcessInfo.processInfo.environment["TOCSIN_TEST_PICTURES"] {
      try Data(digest.html.utf8).write(to: URL(fileURLWithPath: "\(path)/digest-\(kind.rawValue).html"))
    }
  }

  /// A day on which nothing opened draws no empty charts, and says what there is to say.
  @Test func aQuietDayAmongOthersIsShort() throws {
    var story = Story()
    story.to("2026-11-10T08:00:00Z")
    story.detect(.critical)
    story.detect(.high)
    let (folder, reader) = try DigestTests.reader(story.history.events)
    defer { _ = folder }
    func digest(_ day: String) throws -> Digest {
      Digest(try reader.digest(.ending(.daily, onOrBefore: DigestPeriodTests.day(day), zone: .utc)))
    }
    let quiet = try digest("2026-11-11")
    #expect(quiet.text.contains("No alert opened, after 2 alerts the day before. 2 still open."), "\(quiet.text)")
    #expect(!quiet.html.contains("By severity") && !quiet.html.contains("Through the day"))
    let first = try digest("2026-11-10")
    #expect(first.html.contains("By severity") && !first.html.contains("0 before"))
  }

  @Test func aQuietWeekSaysSo() throws {
    let (folder, reader) = try DigestTests.reader(DigestTests.story().history.events)
    defer { _ = folder }
    let period = DigestPeriod.ending(.weekly, onOrBefore: DigestPeriodTests.day("2026-10-04"), zone: .utc)
    let digest = Digest(try reader.digest(period))
    #expect(digest.text.contains("Nothing happened, and nothing is open."))
    #expect(digest.subject == "Tocsin weekly digest: no alerts")
    #expect(!digest.html.contains("href"))
  }
}
