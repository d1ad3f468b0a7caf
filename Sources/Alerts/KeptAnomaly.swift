import Synchronization

/// An anomaly inside an event: its text, which is read when somebody asks for more than the text. One object, however often the event is copied.
package final class KeptAnomaly: Sendable {
  /// The CloudEvent.
  package let text: [UInt8]
  private let labels: PackedLabels?
  /// Of a text that gives no time.
  private let time: Timestamp
  private let read: Mutex<Anomaly?>

  package init(_ anomaly: Anomaly) {
    text = anomaly.cloudEvent
    labels = nil
    time = anomaly.time
    read = Mutex(anomaly)
  }

  /// A text that was found valid before, seen at that time if it gives none of its own.
  package init(text: [UInt8], seenAt time: Timestamp, labels: PackedLabels? = nil) {
    self.text = text
    self.labels = labels
    self.time = time
    read = Mutex(nil)
  }

  package var anomaly: Anomaly {
    read.withLock { known in
      if let known { return known }
      // It was valid when it came. It is not judged again by another time.
      var anomaly =
        (try? Anomaly(parsing: text, now: .distantFuture))
        ?? Anomaly(id: "", source: "", time: time, eventType: "", metric: "")
      if anomaly.time == .distantFuture { anomaly.time = time }
      known = anomaly
      return anomaly
    }
  }

  package var packedLabels: PackedLabels { labels ?? PackedLabels(anomaly) }
}

extension KeptAnomaly: Equatable {
  package static func == (a: KeptAnomaly, b: KeptAnomaly) -> Bool { a === b || a.text == b.text }
}
