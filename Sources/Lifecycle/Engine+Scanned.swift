package import Alerts

extension Engine {
  /// As ``take(_:now:)``, of a text that a scanner has looked through. A repeat is noted and a life begun from what the scanner saw; for everything
  /// else the text is read.
  ///
  /// - Parameter text: what was scanned last.
  @discardableResult
  package mutating func take(_ seen: inout AnomalyScanner, _ text: TextPiece, now: Timestamp) -> Taken {
    let life = lives[seen.key]
    if seen.status == .firing {
      let severity = seen.severity ?? Engine.defaultSeverity
      switch life.map({ alerts.glance($0.alert) }) ?? .absent {
      case .open(let worst)
      where severity <= worst && (watched.isEmpty || !watched.contains(life?.alert ?? AlertID(0))):
        guard let id = life?.alert else { break }
        noteRepeat(of: id, severity, at: seen.time, from: seen.source) { text }
        return .repeated(id)
      case .absent:
        let (labels, dedupKey) = text.withText { (seen.packedLabels($0), seen.dedupKey($0)) }
        // Many routes ask for the same few labels.
        var asked: [(name: String, value: String?)] = []
        let route = route(
          { name in
            if name == "severity" { return severity.name }
            if let known = asked.first(where: { $0.name == name }) { return known.value }
            asked.append((name, labels[name]))
            return labels[name]
          }, configuration, now: now)
        return open(
          KeptAnomaly(text: text, seenAt: now, labels: labels), dedupKey, from: seen.source, at: seen.time,
          severity,
          route,
          after: life, now: now)
      default: break
      }
    } else if life == nil {
      counters.ignored += 1
      return .ignored(Engine.nothingToClear)
    }
    return take(KeptAnomaly(text: text, seenAt: now).anomaly, now: now)
  }

  static let nothingToClear = "no open alert has this dedup key"

  /// One more firing anomaly of an open alert.
  mutating func noteRepeat(
    of id: AlertID, _ severity: Severity, at time: Timestamp, from source: String, _ text: () -> TextPiece
  ) {
    counters.repeated += 1
    repeats.note(id, severity, at: time, from: source, text)
  }
}
