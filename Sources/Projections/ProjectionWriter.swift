import Alerts
import Dispatch
import GRDB

/// Folds events into the tables, one batch at a time, inside one transaction that somebody else opens and commits.
///
/// What a batch touches is changed in memory and written once at its end: ``flush(position:mark:)``. How a log is cut into batches never
/// shows in the rows. Must be used from one thread, with one connection.
final class ProjectionWriter {
  private let db: Database
  /// Rows of alerts that this writer knows to be as the file has them. At most ``cacheLimit`` after a flush.
  var alerts: [Int64: AlertState] = [:]
  var notifications: [String: NotificationState] = [:]
  var counts: [CountKey: Int] = [:]
  var days: [DayKey: DailyAnomaly] = [:]
  var newlyTold: [Int64] = []
  private var policies: [Int: [String: FrozenPolicy]] = [:]
  /// The highest number that an alert's row has: numbers ascend, so one that is new need not be looked for.
  private var lastAlert: Int64
  var statements: ProjectionStatements

  /// How many alerts, and how many notifications, stay in memory between batches. Beyond it everything is forgotten and read again when it is touched.
  static let cacheLimit = 20_000
  /// The same, in bytes of the anomalies that were read: 20,000 of the largest would be five gigabytes.
  static let cacheBytes = 64 << 20
  var bytesRead = 0
  let isClean = DispatchSemaphore(value: 1)

  /// Whether the full-text index is kept up with each row. While a file is built from the start it is made at the end.
  var keepsSearch = true

  struct CountKey: Hashable {
    var alert: Int64
    var quarter: Int64
    func _rawHashValue(seed: Int) -> Int { TableHash.of(alert, quarter, seed) }
  }
  struct DayKey: Hashable {
    var alert: Int64
    var day: Int64
    func _rawHashValue(seed: Int) -> Int { TableHash.of(alert, day, seed) }
  }

  init(_ db: Database) throws {
    self.db = db
    statements = try ProjectionStatements(db)
    lastAlert = try Int64.fetchOne(db, sql: "SELECT max(number) FROM alerts") ?? 0
  }

  // MARK: - Events

  /// What can't be read is noted, and told; the rest goes on.
  func apply(_ batch: EventBatch, unreadable: (Int64, String) -> Void) throws {
    for item in batch.items {
      switch item {
      case .event(let event): try apply(event)
      case .unreadable(let position, let why):
        try problem(position, why)
        unreadable(position, why)
      }
    }
  }

  /// Whether so much has been touched that it should be written before more is.
  var isFull: Bool {
    alerts.count > ProjectionWriter.cacheLimit || notifications.count > ProjectionWriter.cacheLimit
      || bytesRead > ProjectionWriter.cacheBytes
  }

  private func apply(_ event: PreparedEvent) throws {
    switch event.row.subject.kind {
    case .alert: try applyToAlert(event)
    case .silence: try applyToSilence(event)
    case .configuration: try applyToConfiguration(event.row)
    case .group, .digest: try applyToNotification(event)
    }
  }

  /// Notes an event that can't be taken in. The rest goes on.
  func problem(_ position: Int64, _ message: String) throws {
    statements.insertProblem.int(position)
    statements.insertProblem.text(message)
    try statements.insertProblem.run()
  }

  private func applyToAlert(_ event: PreparedEvent) throws {
    let row = event.row
    let number = row.subject.number
    let state: AlertState
    if case .detected(let e) = row.event, let opening = event.opening {
      guard try alert(number) == nil else {
        return try problem(row.position, "\(row.subject) is detected a second time")
      }
      state = AlertState(e, opening, of: row, policy: try policy(e.route))
      alerts[number] = state
      lastAlert = max(lastAlert, number)
    } else if let known = try alert(number) {
      state = known
      try state.apply(row) { try policy($0) }
    } else {
      return try problem(row.position, "\(row.type.rawValue) of \(row.subject), which was never detected")
    }
    try writeTimeline(event, alert: number)
    try writeFact(row, alert: number)
    switch row.event {
    case .detected(let e):
      bytesRead += e.kept.size
      try count(row, state, 1, e.severity)
    case .reopened(let e):
      bytesRead += e.kept.size
      try count(row, state, 1, e.severity)
    case .deduplicated(let e):
      bytesRead += e.kept.size
      try count(row, state, e.count, e.worst)
    case .severityRaised(let e): try raise(row, state, e.to)
    case .notificationRequested, .notificationAttempted, .notificationDelivered, .notificationFailed,
      .notificationCancelled:
      try applyToNotification(event)
    default: break
    }
  }

  private func applyToNotification(_ event: PreparedEvent) throws {
    let row = event.row
    let isAlert = row.subject.kind == .alert
    let state: NotificationState
    if case .notificationRequested(let e) = row.event {
      // Where the key names its alert, and all of that is in memory, the file need not be asked.
      let isInMemory =
        isAlert && alerts[row.subject.number]?.isWhole == true && e.key.utf8.starts(with: "\(row.subject)/".utf8)
      guard try isInMemory ? notifications[e.key] == nil : notification(e.key) == nil else {
        return try problem(row.position, "\(e.key) is requested a second time")
      }
      state = NotificationState(e, row)
      notifications[e.key] = state
      for member in e.members where !isAlert {
        statements.insertMember.int(member.number)
        statements.insertMember.int(row.position)
        try statements.insertMember.run()
      }
    } else {
      guard let key = NotificationState.key(of: row.event) else {
        return try problem(row.position, "\(row.type.rawValue) of \(row.subject) means nothing there")
      }
      guard let known = try notification(key) else {
        return try problem(row.position, "\(row.type.rawValue) of \(key), which was never requested")
      }
      state = known
      state.apply(row)
      if let attempt = DeliveryAttempt(row) {
        attempt.bind(to: &statements.insertAttempt, of: state.position)
        try statements.insertAttempt.run()
      }
    }
    if isAlert {
      if case .notificationDelivered = row.event { newlyTold.append(row.subject.number) }
      return
    }
    // What is told of many alerts in one message stands in the timeline of each.
    for member in state.members {
      guard let alert = try alert(member.number) else { continue }
      switch row.event {
      case .notificationDelivered:
        alert.delivered += 1
        alert.isChanged = true
        newlyTold.append(member.number)
      case .notificationFailed:
        alert.failed += 1
        alert.isChanged = true
      default: break
      }
      try writeTimeline(event, alert: member.number)
    }
  }

  private func applyToSilence(_ event: PreparedEvent) throws {
    let row = event.row
    let number = row.subject.number
    switch row.event {
    case .silenceAdded(let e):
      try db.execute(
        sql: """
          INSERT INTO silences (number, version, matchers, starts_at, ends_at, comment, created_by, created_at, early)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)
          ON CONFLICT DO UPDATE SET version = excluded.version, matchers = excluded.matchers,
            starts_at = excluded.starts_at, ends_at = excluded.ends_at, comment = excluded.comment,
            expired_at = NULL, expired_by = NULL, early = 0
          """,
        arguments: [
          number, row.version, JSON.array(e.matchers.map(\.json)).text, e.startsAt.microseconds, e.endsAt.microseconds,
          e.comment, row.actor, row.occurredAt.microseconds,
        ])
    case .silenceExpired(let e):
      try db.execute(
        sql: "UPDATE silences SET version = ?, expired_at = ?, expired_by = ?, early = ? WHERE number = ?",
        arguments: [row.version, row.occurredAt.microseconds, row.actor, e.early, number])
      if db.changesCount == 0 { try problem(row.position, "\(row.subject) ended, which was never made") }
    case .notificationRequested, .notificationAttempted, .notificationDelivered, .notificationFailed,
      .notificationCancelled:
      try applyToNotification(event)
    default: try problem(row.position, "\(row.type.rawValue) of \(row.subject) means nothing there")
    }
  }

  private func applyToConfiguration(_ row: RecordedEvent) throws {
    guard case .configured(let e) = row.event else {
      return try problem(row.position, "\(row.type.rawValue) of \(row.subject) means nothing there")
    }
    policies[Int(row.subject.number)] = FrozenPolicy.all(in: e.settings)
    try db.execute(
      sql: "INSERT OR REPLACE INTO configurations (number, at, digest, settings) VALUES (?, ?, ?, ?)",
      arguments: [row.subject.number, row.occurredAt.microseconds, e.digest, e.settings.text])
  }

  // MARK: - Rows that are never changed

  private func writeTimeline(_ event: PreparedEvent, alert: Int64) throws {
    let row = event.row
    statements.insertTimeline.int(alert)
    statements.insertTimeline.int(row.position)
    statements.insertTimeline.int(row.subject.kind == .alert ? row.version : nil)
    statements.insertTimeline.text(row.type.rawValue)
    statements.insertTimeline.time(row.occurredAt)
    statements.insertTimeline.time(row.recordedAt)
    statements.insertTimeline.text(row.actor)
    statements.insertTimeline.int(row.cause)
    statements.insertTimeline.text(event.sentence)
    try statements.insertTimeline.run()
  }

  /// What the digests and figures read: facts by the time at which the log took them, so that a past period never changes.
  private func writeFact(_ row: RecordedEvent, alert: Int64) throws {
    let number: Int?
    let word: String?
    switch row.event {
    case .detected(let e): (number, word) = (e.generation, e.severity.name)
    case .reopened(let e): (number, word) = (nil, e.severity.name)
    case .severityRaised(let e): (number, word) = (nil, e.to.name)
    case .cleared, .acknowledged, .snoozed, .unsnoozed, .silenced, .unsilenced, .inhibited, .uninhibited, .steady:
      (number, word) = (nil, nil)
    case .unacknowledged(let e): (number, word) = (nil, e.reason.rawValue)
    case .resolved(let e): (number, word) = (e.seen ? 1 : 0, e.how.rawValue)
    case .flapping(let e): (number, word) = (e.changes, nil)
    case .labelled(let e): (number, word) = (nil, e.label.rawValue)
    // A step that told nobody is no escalation to it.
    case .escalated(let e): (number, word) = (e.skipped || e.waitsUntil != nil ? nil : e.step, e.reason.rawValue)
    case .exhausted(let e): (number, word) = (e.rounds, nil)
    default: return
    }
    statements.insertFact.int(alert)
    statements.insertFact.int(row.position)
    statements.insertFact.time(row.recordedAt)
    statements.insertFact.text(row.type.rawValue)
    statements.insertFact.int(number)
    statements.insertFact.text(word)
    try statements.insertFact.run()
  }

  // MARK: - Rows that are changed in memory first

  /// Counts the anomaly that the alert's row has just taken up.
  private func count(_ row: RecordedEvent, _ state: AlertState, _ n: Int, _ severity: Severity) throws {
    let number = row.subject.number
    counts[CountKey(alert: number, quarter: Quarter.of(row.recordedAt)), default: 0] += n
    let key = DayKey(alert: number, day: state.summary.anomaly.time.utcDay.days)
    let day =
      try days[key] ?? stored(key, state) ?? DailyAnomaly(alert: number, day: key.day, anomaly: state.summary.anomaly)
    day.take(state, severity, count: n, at: row.recordedAt)
    days[key] = day
  }

  private func raise(_ row: RecordedEvent, _ state: AlertState, _ severity: Severity) throws {
    // On a day without an anomaly of its own there is no row.
    let key = DayKey(alert: row.subject.number, day: row.occurredAt.utcDay.days)
    guard let day = try days[key] ?? stored(key, state) else { return }
    day.severity = max(day.severity, severity)
    days[key] = day
  }

  private func stored(_ key: DayKey, _ state: AlertState) throws -> DailyAnomaly? {
    guard state.isStored else { return nil }
    statements.selectDay.int(key.alert)
    statements.selectDay.text(DailyAnomaly.date(key.day))
    return try statements.selectDay.first { DailyAnomaly($0) }
  }

  private func alert(_ number: Int64) throws -> AlertState? {
    if number > lastAlert { return nil }
    if let known = alerts[number] { return known }
    statements.selectAlert.int(number)
    let state = try statements.selectAlert.first { try AlertRow.state($0) { try policy($0) } }
    alerts[number] = state
    return state
  }

  private func notification(_ key: String) throws -> NotificationState? {
    if let known = notifications[key] { return known }
    statements.selectNotification.text(key)
    let state = try statements.selectNotification.first { NotificationState($0) } ?? nil
    notifications[key] = state
    return state
  }

  private func policy(_ route: RouteTaken) throws -> FrozenPolicy? {
    guard let name = route.policy else { return nil }
    if let known = policies[route.configuration] { return known[name] }
    let text = try String.fetchOne(
      db, sql: "SELECT settings FROM configurations WHERE number = ?", arguments: [route.configuration])
    let all = text.flatMap { try? JSON(parsing: $0) }.map { FrozenPolicy.all(in: $0) } ?? [:]
    policies[route.configuration] = all
    return all[name]
  }
}
