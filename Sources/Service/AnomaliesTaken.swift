import Alerts
import Bus
import Lifecycle

/// One for the anomaly that is being judged, and one for the next.
struct Scanners {
  private var both = [AnomalyScanner(), AnomalyScanner()]
  private var arePlain = [false, false]
  /// Which of them has the next.
  private var behind = 1

  var present: AnomalyScanner {
    _read { yield both[1 - behind] }
    _modify { yield &both[1 - behind] }
  }
  /// Whether the scanner understood the text.
  var isPlain: Bool { arePlain[1 - behind] }
  var next: AnomalyScanner {
    _read { yield both[behind] }
  }
  var nextIsPlain: Bool { arePlain[behind] }

  mutating func scan(_ text: TextPiece, now: Timestamp) {
    let i = behind
    arePlain[i] = text.withText { both[i].scan($0, now: now) }
  }

  /// What was the next is the present one.
  mutating func turn() { behind = 1 - behind }
}

/// What became of the anomalies of one message.
struct AnomaliesTaken {
  private(set) var accepted = 0
  private(set) var duplicates = 0
  private(set) var rejected: [JSON] = []

  /// The body of `stored`.
  var answer: JSON { ["accepted": .int(accepted), "duplicates": .int(duplicates), "rejected": .array(rejected)] }

  /// Judges each. What changes by it is handed in, so that Swift looks once for each message, and not for each anomaly, whether anybody else is at it.
  ///
  /// - Parameter hashes: of what was taken in, for the commit.
  mutating func take(
    _ events: Frames, _ scanners: inout Scanners, _ intake: inout Intake, _ engine: inout Engine,
    _ hashes: inout [UInt8], now: Timestamp
  ) {
    guard !events.isEmpty else { return }
    scanners.scan(events.piece(0), now: now)
    for i in events.indices {
      let text = events.piece(i)
      scanners.turn()
      if i + 1 < events.count {
        // The next is looked through before this one is judged: by then the memory that it asks for has come.
        scanners.scan(events.piece(i + 1), now: now)
        if scanners.nextIsPlain { intake.expect(scanners.next.name) }
      }
      if scanners.isPlain {
        guard intake.insert(scanners.present.name) else {
          duplicates += 1
          continue
        }
        accepted += 1
        if case .ignored = engine.take(&scanners.present, text, now: now) { continue }
        Intake.write(scanners.present.name, to: &hashes)
        continue
      }
      switch Anomaly.parse(text.copy, now: now) {
      case .failure(let error): rejected.append(["index": .int(i), "error": .string(error.message)])
      case .success(let anomaly):
        let hash = StableHash(source: anomaly.source, id: anomaly.id)
        guard intake.insert(hash) else {
          duplicates += 1
          continue
        }
        accepted += 1
        if case .ignored = engine.take(anomaly, now: now) { continue }
        Intake.write(hash, to: &hashes)
      }
    }
  }
}
