import Alerts

/// An event with what its rows say in words: made by the thread that reads the log, since the one that writes the tables is the one that everybody waits for.
final class PreparedEvent: Sendable {
  let row: RecordedEvent
  /// Of the timeline.
  let sentence: String
  /// Of an event that opens an alert.
  let opening: Opening?

  struct Opening: Sendable {
    /// The texts that a search finds the alert by, a line each.
    var search: String
    /// What the digest says of it, as it was when it opened: a digest that is made again says the same.
    var text: [UInt8]
  }

  init(_ row: RecordedEvent) {
    self.row = row
    sentence = Sentence.of(row.event, actor: row.actor)
    if case .detected(let e) = row.event { opening = Opening(e) } else { opening = nil }
  }
}

extension PreparedEvent.Opening {
  init(_ e: Detected) {
    let anomaly = e.anomaly
    search = AlertState.words(of: anomaly)
    text =
      JSON.compact([
        "headline": .string(Sentence.headline(anomaly)), "deviation": .number(anomaly.deviation),
        "dimensions": .text(
          anomaly.dimensions.isEmpty
            ? nil : anomaly.dimensions.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")),
        "dashboard_only": e.route.dashboardOnly ? true : .null,
      ]).bytes
  }
}
