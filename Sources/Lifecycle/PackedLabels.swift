package import Alerts

/// Everything that matchers may ask of an open alert, in one small piece of memory: a million open alerts each keep one.
package struct PackedLabels: Sendable, Equatable {
  private static let between: Character = "\u{1F}"
  private var text: String

  package init(_ anomaly: Anomaly) {
    var text = ""
    func add(_ name: String, _ value: String) {
      // What stands between two pairs can't stand inside one, or a label could pass for another.
      func append(_ part: String) {
        if part.utf8.contains(0x1F) {
          text += part.replacing(String(PackedLabels.between), with: " ")
        } else {
          text += part
        }
      }
      append(name)
      text.append("=")
      append(value)
      text.append(PackedLabels.between)
    }
    add("tenant", anomaly.tenant)
    add("event_type", anomaly.eventType)
    add("metric", anomaly.metric)
    add("source", anomaly.source)
    if let detector = anomaly.detector { add("detector", detector) }
    for d in anomaly.dimensions { add(d.name, d.value) }
    for l in anomaly.labels { add(l.name, l.value) }
    self.text = text
  }

  /// - Parameter text: as another one wrote it.
  init(packed text: String) { self.text = text }

  /// What ``init(packed:)`` takes.
  var packed: String { text }

  /// The first value of that name: dimensions before labels.
  package subscript(_ name: String) -> String? {
    var result: String?
    let name = name.utf8
    let utf8 = text.utf8
    var start = utf8.startIndex
    while start < utf8.endIndex {
      let end = utf8[start...].firstIndex(of: 0x1F) ?? utf8.endIndex
      let pair = utf8[start..<end]
      if pair.count > name.count, pair.starts(with: name),
        pair[pair.index(pair.startIndex, offsetBy: name.count)] == UInt8(ascii: "=")
      {
        result = String(pair.dropFirst(name.count + 1))
        break
      }
      start = end < utf8.endIndex ? utf8.index(after: end) : end
    }
    return result
  }

  package func matches(_ matchers: [Matcher], severity: Severity) -> Bool {
    matchers.allSatisfy { $0.matches { name in name == "severity" ? severity.name : self[name] } }
  }
}
