/// Everything that matchers may ask of an open alert, in two small pieces of memory: a million open alerts each keep one.
///
/// The first piece (tenant, event type, metric, source, detector) says the same for many alerts, so that those can hold one piece together.
package struct PackedLabels: Sendable, Equatable {
  /// Stands between two pairs, and inside none, or a label could pass for another.
  static let between: UInt8 = 0x1F
  package private(set) var common = ""
  private var own = ""

  package init() {}

  package init(_ anomaly: Anomaly) {
    var text: [UInt8] = []
    func add(_ name: String, _ value: String) {
      for c in name.utf8 { text.append(c == PackedLabels.between ? 0x20 : c) }
      text.append(UInt8(ascii: "="))
      for c in value.utf8 { text.append(c == PackedLabels.between ? 0x20 : c) }
      text.append(PackedLabels.between)
    }
    add("tenant", anomaly.tenant)
    add("event_type", anomaly.eventType)
    add("metric", anomaly.metric)
    add("source", anomaly.source)
    if let detector = anomaly.detector { add("detector", detector) }
    common = String(decoding: text, as: UTF8.self)
    text.removeAll(keepingCapacity: true)
    for d in anomaly.dimensions { add(d.name, d.value) }
    for l in anomaly.labels { add(l.name, l.value) }
    own = String(decoding: text, as: UTF8.self)
  }

  /// Both laid out as above.
  package init(common: String, own: String) {
    self.common = common
    self.own = own
  }

  /// - Parameter text: as another one's ``packed`` gave it.
  package init(packed text: String) {
    let utf8 = text.utf8
    var end = utf8.startIndex
    var count = 0
    while count < 5, let next = utf8[end...].firstIndex(of: PackedLabels.between) {
      // The fifth is the detector, if it is there.
      if count == 4, !utf8[end...].starts(with: "detector=".utf8) { break }
      end = utf8.index(after: next)
      count += 1
    }
    common = String(text[..<end])
    own = String(text[end...])
  }

  /// What ``init(packed:)`` takes.
  package var packed: String { common + own }

  /// Where the two pieces meet says nothing.
  package static func == (a: PackedLabels, b: PackedLabels) -> Bool {
    a.common == b.common && a.own == b.own || a.packed == b.packed
  }

  /// Holds the first piece together with another alert's, which must be equal.
  package mutating func share(common shared: String) { common = shared }

  /// The first value of that name: dimensions before labels.
  package subscript(_ name: String) -> String? {
    PackedLabels.find(name, in: common) ?? PackedLabels.find(name, in: own)
  }

  private static func find(_ name: String, in text: String) -> String? {
    var (name, text) = (name, text)
    return text.withUTF8 { text in
      name.withUTF8 { name in
        var start = 0
        while start < text.count {
          var end = start
          while end < text.count, text[end] != between { end += 1 }
          if end - start > name.count, text[start + name.count] == UInt8(ascii: "="),
            text[start..<start + name.count].elementsEqual(name)
          {
            return String(decoding: text[(start + name.count + 1)..<end], as: UTF8.self)
          }
          start = end + 1
        }
        return nil
      }
    }
  }

  package func matches(_ matchers: [Matcher], severity: Severity) -> Bool {
    matchers.allSatisfy { $0.matches { name in name == "severity" ? severity.name : self[name] } }
  }
}
