import Alerts
import Foundation
import Projections
import Testing

/// What the console and the command line ask.
struct ReaderTests {
  static let start = Timestamp(seconds: 1_760_000_000)

  /// A file with 3000 events, and the events.
  static func filled(_ seed: UInt64 = 31) throws -> (TemporaryFolder, ProjectionReader, [RecordedEvent]) {
    let folder = try TemporaryFolder()
    let events = SampleHistory.log(seed: seed, events: 3000, start: start, span: .days(30))
    try folder.store().catchUp(from: SampleLog(events))
    return (folder, ProjectionReader(path: folder.file), events)
  }

  static func all(_ query: AlertQuery, _ reader: ProjectionReader) throws -> [AlertSummary] {
    var query = query
    var found: [AlertSummary] = []
    while true {
      let page = try reader.alerts(query)
      found += page.alerts
      guard let next = page.next else { return found }
      // Through its text, as a URL carries it.
      query.after = AlertCursor(next.description)
    }
  }

  @Test(arguments: AlertQuery.Order.allCases, [1, 7, 500])
  func pagesHoldEveryAlertOnceAndInOrder(order: AlertQuery.Order, limit: Int) throws {
    let (folder, reader, events) = try ReaderTests.filled()
    defer { _ = folder }
    var query = AlertQuery()
    query.order = order
    query.limit = limit
    let found = try ReaderTests.all(query, reader)
    let detected = events.filter { $0.type == .detected }
    #expect(found.count == detected.count)
    #expect(Set(found.map(\.id)).count == detected.count)
    #expect(try reader.count(query) == detected.count)
    let isSorted = zip(found, found.dropFirst()).allSatisfy { a, b in
      switch order {
      case .newest: (a.openedAt, a.id) > (b.openedAt, b.id)
      case .oldest: (a.openedAt, a.id) < (b.openedAt, b.id)
      case .severity: (a.severity, a.openedAt, a.id) > (b.severity, b.openedAt, b.id)
      }
    }
    #expect(isSorted)
  }

  @Test func filtersFindWhatAFilterInMemoryFinds() throws {
    let (folder, reader, _) = try ReaderTests.filled()
    defer { _ = folder }
    let everything = try ReaderTests.all(AlertQuery(), reader)
    func check(_ name: String, _ set: (inout AlertQuery) -> Void, _ keep: (AlertSummary) -> Bool) throws {
      var query = AlertQuery()
      query.limit = 9
      set(&query)
      let found = try ReaderTests.all(query, reader).map(\.id)
      let expected = everything.filter(keep).map(\.id)
      #expect(found == expected, "\(name)")
      #expect(!expected.isEmpty && expected.count < everything.count, "\(name) should tell apart")
    }
    try check("state", { $0.states = [.open, .acknowledged] }, { $0.state != .resolved })
    try check("severity", { $0.severities = [.critical] }, { $0.severity == .critical })
    try check(
      "type", { $0.eventTypes = ["enquiries", "machine"] }, { ["enquiries", "machine"].contains($0.anomaly.eventType) })
    try check("metric", { $0.metrics = ["total_views"] }, { $0.anomaly.metric == "total_views" })
    try check("tenant", { $0.tenants = ["north"] }, { $0.anomaly.tenant == "north" })
    try check("assignee", { $0.assignee = "ana" }, { $0.assignee == "ana" })
    try check("detector", { $0.detectors = ["zscore"] }, { $0.anomaly.detector == "zscore" })
    let middle = everything[everything.count / 2].openedAt
    try check("from", { $0.openedFrom = middle }, { $0.openedAt >= middle })
    try check("before", { $0.openedBefore = middle }, { $0.openedAt < middle })
    try check(
      "matchers",
      {
        $0.matchers = [
          Matcher(name: "device", value: "mob.*", isRegex: true), Matcher(name: "team", value: "ops", isEqual: false),
        ]
      },
      { a in a.anomaly.label("device") == "mobile" && a.anomaly.label("team") != "ops" })
    try check(
      "severity by matcher", { $0.matchers = [Matcher(name: "severity", value: "high")] }, { $0.severity == .high })
    var none = AlertQuery()
    none.tenants = []
    #expect(try reader.alerts(none).alerts.isEmpty)
  }

  @Test func searchFindsWordsInSummariesDimensionsAndComments() throws {
    let (folder, reader, _) = try ReaderTests.filled()
    defer { _ = folder }
    func found(_ text: String) throws -> [AlertSummary] {
      var query = AlertQuery()
      query.text = text
      return try ReaderTests.all(query, reader)
    }
    #expect(try found("mobile").allSatisfy { $0.anomaly.label("device") == "mobile" })
    #expect(try !found("mobile").isEmpty)
    #expect(try found("MOB").count == found("mobile").count, "the beginning of a word, in any case")
    #expect(try !found("total_views").isEmpty)
    #expect(try found("total_views mobile").count <= found("mobile").count)
    #expect(try !found("black friday").isEmpty, "a comment")
    #expect(try !found("\"Black Friday campaign\"").isEmpty)
    #expect(try found("\"campaign Friday\"").isEmpty)
    #expect(try found("naive").count == found("naïve").count, "without accents")
    #expect(try found("nosuchword").isEmpty)
    #expect(try found("A-12").map(\.id) == [AlertID(12)])
    for hostile in ["\"", "'", "* OR", "NEAR(", "a AND", "^", ":", "search:x", "();--", "  "] { _ = try found(hostile) }
    #expect(try found("!!!").isEmpty)
  }

  @Test func anAlertItsTimelineAndItsMessagesAreThoseOfTheLog() throws {
    let (folder, reader, events) = try ReaderTests.filled()
    defer { _ = folder }
    for e in events.filter({ $0.type == .detected }).prefix(40) {
      let id = AlertID(e.subject.number)
      let life = events.filter { $0.subject == e.subject }
      let alert = try #require(try reader.alert(id))
      #expect(alert.version == life.last?.version)
      #expect(alert.openedAt == e.recordedAt)
      let timeline = try reader.timeline(id).filter { $0.version != nil }
      #expect(timeline.map(\.position) == life.map(\.position))
      #expect(timeline.map(\.actor) == life.map(\.actor))
      #expect(timeline.allSatisfy { !$0.sentence.isEmpty })
      let requested = life.filter { $0.type == .notification_requested }
      let messages = try reader.notifications(alert: id)
      #expect(messages.filter { $0.subject == id.subject }.map(\.position) == requested.map(\.position))
      for m in messages where m.subject == id.subject {
        let ends = life.filter { row in
          switch row.event {
          case .notificationDelivered(let x): x.key == m.key
          case .notificationFailed(let x): x.key == m.key
          case .notificationCancelled(let x): x.key == m.key
          default: false
          }
        }
        #expect((m.state == .pending) == ends.isEmpty)
        #expect(m.finishedAt == ends.last?.recordedAt)
      }
    }
    #expect(try reader.alert(AlertID(999_999)) == nil)
  }

  @Test func aSummaryOfManyStandsInTheTimelineOfEach() throws {
    let (folder, reader, events) = try ReaderTests.filled()
    defer { _ = folder }
    let summary = try #require(
      events.lazy.compactMap { row -> (Int64, NotificationRequested)? in
        if case .notificationRequested(let n) = row.event, n.members.count > 2 { (row.position, n) } else { nil }
      }.first)
    for member in summary.1.members {
      #expect(try reader.timeline(member).contains { $0.position == summary.0 && $0.version == nil })
      #expect(try reader.notifications(alert: member).contains { $0.key == summary.1.key })
    }
  }

  @Test func otherLivesOfTheSameProblemAreFound() throws {
    let (folder, reader, events) = try ReaderTests.filled()
    defer { _ = folder }
    let later = try #require(
      events.lazy.compactMap { row -> (AlertID, Detected)? in
        if case .detected(let d) = row.event, d.generation > 2 { (AlertID(row.subject.number), d) } else { nil }
      }.first)
    let others = try reader.otherLives(of: later.0, limit: 100)
    #expect(others.contains { $0.id == later.1.previous })
    #expect(others.allSatisfy { $0.dedupKey == later.1.dedupKey && $0.id != later.0 })
  }

  @Test func figuresAddUp() throws {
    let (folder, reader, events) = try ReaderTests.filled()
    defer { _ = folder }
    let everything = try ReaderTests.all(AlertQuery(), reader)
    let s = try reader.statistics(since: .epoch)
    #expect(s.byState.map(\.count).reduce(0, +) == everything.count)
    #expect(s.unresolvedBySeverity.map(\.count).reduce(0, +) == everything.filter { $0.state != .resolved }.count)
    #expect(s.unresolvedByEventType.map(\.count).reduce(0, +) == everything.filter { $0.state != .resolved }.count)
    #expect(s.opened == everything.count)
    let zone = try #require(LocalZone("Europe/Berlin"))
    let now = try #require(events.last?.recordedAt)
    let days = try reader.figuresPerDay(days: 60, zone: zone, now: now)
    #expect(days.count == 60)
    #expect(days.map(\.openedInAll).reduce(0, +) == everything.count)
    var anomalies = 0
    for row in events {
      switch row.event {
      case .detected, .reopened: anomalies += 1
      case .deduplicated(let d): anomalies += d.count
      default: break
      }
    }
    #expect(days.map(\.anomalies).reduce(0, +) == anomalies)
    #expect(everything.map(\.count).reduce(0, +) == anomalies)
    let north = try reader.statistics(since: .epoch, tenants: ["north"])
    #expect(north.opened == everything.filter { $0.anomaly.tenant == "north" }.count)
    #expect(try reader.statistics(since: .epoch, tenants: []).opened == 0)
  }

  @Test func silencesCarryTheirState() throws {
    let (folder, reader, events) = try ReaderTests.filled()
    defer { _ = folder }
    let added = Set(events.filter { $0.type == .silence_added }.map(\.subject))
    let now = try #require(events.last?.recordedAt)
    let all = try reader.silences(includingExpired: true, at: now)
    #expect(Set(all.map(\.id)) == added)
    let active = try reader.silences(at: now)
    #expect(active.allSatisfy { $0.state(at: now) != .expired })
    #expect(active.count == all.filter { $0.state(at: now) != .expired }.count)
    #expect(all.allSatisfy { $0.matchers.count == 1 && $0.comment == "release" })
  }

  @Test func theDailyTableHasARowForEachDayOfAnAlert() throws {
    let (folder, _, events) = try ReaderTests.filled()
    let rows = try folder.rows("SELECT alert, detection_date, anomalies, alert_sent FROM daily_anomalies")
    var expected: [String: Int] = [:]
    for row in events {
      let (time, n): (Timestamp, Int)
      switch row.event {
      case .detected(let d): (time, n) = (d.anomaly.time, 1)
      case .reopened(let d): (time, n) = (d.anomaly.time, 1)
      case .deduplicated(let d): (time, n) = (d.last.time, d.count)
      default: continue
      }
      expected["\(row.subject.number) \(time.utcDate)", default: 0] += n
    }
    #expect(Dictionary(uniqueKeysWithValues: rows.map { ("\($0[0]) \($0[1])", Int($0[2])) }) == expected)
    let delivered = Set(
      events.filter { $0.type == .notification_delivered && $0.subject.kind == .alert }.map { "\($0.subject.number)" })
    #expect(rows.filter { delivered.contains($0[0]) }.allSatisfy { $0[3] == "1" })
    #expect(rows.contains { $0[3] == "0" })
    let weeks = try folder.rows("SELECT week, event_type, anomaly_count, has_critical FROM weekly_summary")
    #expect(weeks.compactMap { Int($0[2]) }.reduce(0, +) == rows.count)
    // Weeks begin on Mondays.
    for week in weeks {
      let day = try #require(Timestamp(rfc3339: week[0])).utcDay.days
      #expect(LocalTime(day: day, microseconds: 0).weekday == 1)
    }
  }
}
