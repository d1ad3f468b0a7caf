import Alerts

/// Repeats of open alerts inside one batch: one fact for each alert in the end.
///
/// In one row, where each is changed in its place: most of what comes in a flood ends here.
struct RepeatsInBatch: Sendable {
  struct Repeats: Sendable {
    var id: AlertID
    var count: Int
    var firstTime: Timestamp
    var lastTime: Timestamp
    var worst: Severity
    /// The newest of them, as it came.
    var last: TextPiece
    var source: String
  }

  /// In the order of the alerts' first repeats; those that were taken out before their turn have a count of 0.
  private var row: [Repeats] = []
  private var places: [AlertID: Int] = [:]

  var isEmpty: Bool { places.isEmpty }
  /// Alerts that have some.
  var count: Int { places.count }

  subscript(id: AlertID) -> Repeats? { places[id].map { row[$0] } }

  mutating func note(
    _ id: AlertID, _ severity: Severity, at time: Timestamp, from source: String, _ text: () -> TextPiece
  ) {
    guard let place = places[id] else {
      places[id] = row.count
      row.append(
        Repeats(id: id, count: 1, firstTime: time, lastTime: time, worst: severity, last: text(), source: source))
      return
    }
    row.withUnsafeMutableBufferPointer { row in
      row[place].count += 1
      if time < row[place].firstTime { row[place].firstTime = time }
      if severity > row[place].worst { row[place].worst = severity }
      guard time >= row[place].lastTime else { return }
      row[place].lastTime = time
      row[place].last = text()
      if row[place].source != source { row[place].source = source }
    }
  }

  /// Takes out those of one alert.
  mutating func take(_ id: AlertID) -> Repeats? {
    guard let place = places.removeValue(forKey: id) else { return nil }
    let repeats = row[place]
    row[place].count = 0
    row[place].last = TextPiece([])
    if places.isEmpty { row.removeAll(keepingCapacity: true) }
    return repeats
  }

  /// Takes out all of them, in the order of their first.
  mutating func takeAll() -> [Repeats] {
    if isEmpty { return [] }
    let all = row.filter { $0.count > 0 }
    row.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    return all
  }
}
