import Alerts
import Dispatch
import GRDB

// The end of a batch: what was changed in memory is written, and let go of when it has become too much.
extension ProjectionWriter {
  /// Writes what the batch changed, and how far it got: `position`, and what tells that event from another log's.
  func flush(position: Int64, mark: String) throws {
    let told = Set(newlyTold)
    for number in alerts.keys.sorted() {
      guard let alert = alerts[number], alert.isChanged else { continue }
      try write(alert)
    }
    for (key, count) in counts.sorted(by: { ($0.key.quarter, $0.key.alert) < ($1.key.quarter, $1.key.alert) }) {
      statements.upsertCount.int(key.quarter)
      statements.upsertCount.int(key.alert)
      statements.upsertCount.int(count)
      try statements.upsertCount.run()
    }
    for (key, day) in days.sorted(by: { ($0.key.alert, $0.key.day) < ($1.key.alert, $1.key.day) }) {
      day.sent = day.sent || (alerts[key.alert]?.wasTold ?? false)
      day.bind(to: &statements.upsertDay)
      try statements.upsertDay.run()
    }
    for number in told.sorted() {
      statements.markTold.int(number)
      try statements.markTold.run()
    }
    for state in notifications.values.filter(\.isChanged).sorted(by: { $0.position < $1.position }) {
      state.bind(to: &statements.upsertNotification)
      try statements.upsertNotification.run()
      state.isChanged = false
    }
    statements.setProgress.int(position)
    statements.setProgress.text(mark)
    try statements.setProgress.run()
    counts.removeAll(keepingCapacity: true)
    days.removeAll(keepingCapacity: true)
    newlyTold.removeAll(keepingCapacity: true)
    if isFull { forget() }
  }

  /// Lets go of what stays in memory, on another thread: it is much.
  private func forget() {
    let spent = Spent(alerts: alerts, notifications: notifications)
    alerts = [:]
    notifications = [:]
    bytesRead = 0
    // One such heap at a time: a flood makes them faster than another thread may find the time.
    isClean.wait()
    DispatchQueue.global().async { [isClean] in
      spent.letGo()
      isClean.signal()
    }
  }

  /// Unchecked: nobody but the thread that ends it has it any more.
  private final class Spent: @unchecked Sendable {
    private var alerts: [Int64: AlertState]
    private var notifications: [String: NotificationState]
    init(alerts: [Int64: AlertState], notifications: [String: NotificationState]) {
      self.alerts = alerts
      self.notifications = notifications
    }
    func letGo() {
      alerts = [:]
      notifications = [:]
    }
  }

  private func write(_ alert: AlertState) throws {
    if alert.isStored {
      AlertRow.bind(alert, inserting: false, to: &statements.updateAlert)
      try statements.updateAlert.run()
    } else {
      AlertRow.bind(alert, inserting: true, to: &statements.insertAlert)
      try statements.insertAlert.run()
    }
    if keepsSearch, alert.storedSearch != alert.search {
      if let old = alert.storedSearch {
        statements.deleteSearch.int(alert.summary.id.number)
        statements.deleteSearch.text(old)
        try statements.deleteSearch.run()
      }
      statements.insertSearch.int(alert.summary.id.number)
      statements.insertSearch.text(alert.search)
      try statements.insertSearch.run()
    }
    alert.storedSearch = alert.search
    alert.isStored = true
    alert.isChanged = false
  }
}
