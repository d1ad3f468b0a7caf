import Synchronization

/// An anomaly inside an event: its text, which is read when somebody asks for more than the text. One object, however often the event is copied.
///
/// The text may stand in the message that it came in, which is held as long as this is.
package final class KeptAnomaly: Sendable {
  private let piece: TextPiece
  private let labels: PackedLabels?
  /// Of a text that gives no time.
  private let time: Timestamp
  private let read: Mutex<Read?>

  /// By itself, since an anomaly is large and most are never asked for.
  private final class Read: Sendable {
    let anomaly: Anomaly
    init(_ anomaly: Anomaly) { self.anomaly = anomaly }
  }

  package init(_ anomaly: Anomaly) {
    piece = TextPiece(anomaly.cloudEvent)
    labels = nil
    time = anomaly.time
    read = Mutex(Read(anomaly))
  }

  /// A text that was found valid before, seen at that time if it gives none of its own.
  package init(text: TextPiece, seenAt time: Timestamp, labels: PackedLabels? = nil) {
    piece = text
    self.labels = labels
    self.time = time
    read = Mutex(nil)
  }

  /// The CloudEvent.
  package var text: [UInt8] { piece.copy }
  /// Bytes of the text.
  package var size: Int { piece.count }

  package func write(to out: inout [UInt8]) { piece.withText { out.append(contentsOf: $0) } }

  package var anomaly: Anomaly {
    read.withLock { known in
      if let known { return known.anomaly }
      // It was valid when it came. It is not judged again by another time.
      var anomaly =
        (try? Anomaly(parsing: text, now: .distantFuture))
        ?? Anomaly(id: "", source: "", time: time, eventType: "", metric: "")
      if anomaly.time == .distantFuture { anomaly.time = time }
      known = Read(anomaly)
      return anomaly
    }
  }

  package var packedLabels: PackedLabels { labels ?? PackedLabels(anomaly) }
}

extension KeptAnomaly: Equatable {
  package static func == (a: KeptAnomaly, b: KeptAnomaly) -> Bool {
    a === b || a.piece.withText { a in b.piece.withText { b in a.elementsEqual(b) } }
  }
}
