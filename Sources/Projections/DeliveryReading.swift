package import Alerts
import GRDB

/// Which deliveries are asked for. All that is given must hold.
package struct DeliveryQuery: Sendable, Equatable {
  package var state: NotificationRow.State?
  package var receiver: String?
  package var channel: String?
  package var alert: AlertID?
  /// Asked for at this time or later.
  package var since: Timestamp?
  /// Only those asked for before this position: the next page.
  package var before = Int64.max
  package var limit = 50
  package init() {}

  /// The longest page.
  package static let longest = 500
}

extension ProjectionReader {
  /// Deliveries, newest first.
  package func deliveries(_ query: DeliveryQuery) throws(ProjectionError) -> [NotificationRow] {
    try read { db in
      var terms = ["position < ?"]
      var arguments: StatementArguments = [query.before]
      func add(_ term: String, _ value: (any DatabaseValueConvertible)?) {
        guard let value else { return }
        terms.append(term)
        arguments += [value]
      }
      add("state = ?", query.state?.rawValue)
      add("receiver = ?", query.receiver)
      add("channel = ?", query.channel)
      add("requested_at >= ?", query.since?.microseconds)
      if let alert = query.alert?.number {
        add("(alert = ?", alert)
        terms[terms.count - 1] += " OR position IN (SELECT notification FROM notification_members WHERE alert = ?))"
        arguments += [alert]
      }
      var rows: [NotificationRow] = []
      try Rows.each(
        db,
        """
        SELECT \(NotificationState.columns) FROM notifications WHERE \(terms.joined(separator: " AND "))
        ORDER BY position DESC LIMIT ?
        """, arguments + [min(max(1, query.limit), DeliveryQuery.longest)]
      ) { c in
        if let row = NotificationRow(c) { rows.append(row) }
        return true
      }
      return rows
    }
  }

  /// One delivery, by the position of the event that asked for it.
  package func delivery(_ position: Int64) throws(ProjectionError) -> NotificationRow? {
    try read { db in
      var found: NotificationRow?
      try Rows.each(
        db, "SELECT \(NotificationState.columns) FROM notifications WHERE position = ?", [position]
      ) { c in
        found = NotificationRow(c)
        return false
      }
      return found
    }
  }

  /// Every try of one delivery, oldest first.
  package func attempts(of position: Int64) throws(ProjectionError) -> [DeliveryAttempt] {
    try read { db in
      var found: [DeliveryAttempt] = []
      try Rows.each(
        db, "SELECT \(DeliveryAttempt.columns) FROM attempts WHERE notification = ? ORDER BY position", [position]
      ) { c in
        if let attempt = DeliveryAttempt(c) { found.append(attempt) }
        return true
      }
      return found
    }
  }

  /// Whether an earlier message about the same subject to the same place is still on its way: messages to one place keep their order.
  package func waitsBehind(_ row: NotificationRow) throws(ProjectionError) -> Int64? {
    try read { db in
      try Int64.fetchOne(
        db,
        sql: """
          SELECT min(position) FROM notifications
          WHERE state = 'pending' AND subject = ? AND channel = ? AND destination = ? AND position < ?
          """,
        arguments: [row.subject.description, row.channel, row.destination, row.position])
    }
  }

  /// How many messages about each of these alerts failed for good, those of their groups as well. Alerts without any are left out.
  package func failedDeliveries(of alerts: [AlertID]) throws(ProjectionError) -> [AlertID: Int] {
    guard !alerts.isEmpty else { return [:] }
    return try read { db in
      var counts: [AlertID: Int] = [:]
      let numbers = alerts.map { "\($0.number)" }.joined(separator: ",")
      try Rows.each(
        db,
        """
        SELECT alert, count(*) FROM (
          SELECT alert, position FROM notifications WHERE alert IN (\(numbers)) AND state = 'failed'
          UNION
          SELECT m.alert, n.position FROM notification_members m JOIN notifications n ON n.position = m.notification
          WHERE m.alert IN (\(numbers)) AND n.state = 'failed'
        ) GROUP BY alert
        """, []
      ) { c in
        counts[AlertID(c.int64(0))] = c.int(1)
        return true
      }
      return counts
    }
  }

  /// Messages that are on their way, and those that failed for good since a time, by receiver and channel: for metrics.
  package func deliveryCounts(
    since: Timestamp
  ) throws(ProjectionError) -> [DeliveryCount] {
    try read { db in
      var counts: [DeliveryCount] = []
      try Rows.each(
        db,
        """
        SELECT receiver, channel, sum(state = 'pending'), sum(held), sum(state = 'failed'), sum(state = 'delivered')
        FROM notifications WHERE state = 'pending' OR finished_at >= ?
        GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 500
        """, [since.microseconds]
      ) { c in
        counts.append(
          DeliveryCount(
            receiver: c.text(0), channel: c.text(1), pending: c.int(2), held: c.int(3), failed: c.int(4),
            delivered: c.int(5)))
        return true
      }
      return counts
    }
  }
}

/// How a receiver's messages stand on one channel.
package struct DeliveryCount: Sendable, Equatable {
  package var receiver: String
  package var channel: String
  package var pending: Int
  /// Of those pending, the ones that wait although no try failed.
  package var held: Int
  package var failed: Int
  package var delivered: Int
}

extension NotificationRow {
  /// After so long without a first try a delivery is late.
  package static let prompt = Interval.seconds(30)

  /// Why a delivery that is pending has not arrived yet, and when it goes on, where that is known.
  ///
  /// - Parameter behind: the position of an earlier message to the same place that is still on its way.
  package func waiting(now: Timestamp, behind: Int64?) -> (reason: String, eta: Timestamp?)? {
    guard state == .pending else { return nil }
    if let behind { return ("behind delivery \(behind) to the same place", nil) }
    if isHeld, let until = nextAt {
      let reason = message ?? NotificationRow.quietHours
      return until > now ? (reason, until) : ("\(reason); its turn has come", nil)
    }
    if attempts > 0 {
      let answer = [lastStatus.map { "answer \($0)" }, message].compactMap { $0 }.filter { !$0.isEmpty }
      let reason = "try \(attempts) did not deliver" + (answer.isEmpty ? "" : ": " + answer.joined(separator: ", "))
      if let nextAt, nextAt > now { return (reason, nextAt) }
      return (reason + "; it is being tried again", nil)
    }
    if now - requestedAt < NotificationRow.prompt { return ("on its way", nil) }
    return ("no worker has reported a try: its channel's queue is long, or nobody serves \(channel)", nil)
  }
}
