/// Looks an anomaly's text through once, without making anything of it: enough to tell a repeat from something new.
///
/// Most anomalies are repeats of open alerts. Of those, two hashes, a severity and a time are all that a decision needs, and neither a tree nor a
/// single String has to be made. What is checked is what ``Anomaly/init(parsing:now:)`` checks; where the scanner finds anything that is wrong or merely
/// unusual (an escaped character, a number with an exponent), it says so and the text is read the long way. So it never refuses an anomaly, and never takes
/// one that the long way would refuse. See docs/decisions/0012-looked-through-first.md.
package struct AnomalyScanner {
  private typealias Span = TextCursor.Span
  private struct Pair {
    var name: Span
    var value: Span
  }

  /// What names the anomaly: the hash of (source, id).
  package private(set) var name = StableHash(high: 0, low: 0)
  /// The hash of its dedup key.
  package private(set) var key = StableHash(high: 0, low: 0)
  package private(set) var status = Anomaly.Status.firing
  package private(set) var severity: Severity?
  package private(set) var time = Timestamp.epoch
  /// One text for all anomalies of one source in a row.
  package private(set) var source = ""

  private var id = Span.none
  private var sourceSpan = Span.none
  private var tenant = Span.none
  private var eventType = Span.none
  private var metric = Span.none
  private var detector = Span.none
  private var givenKey = Span.none
  private var dimensions: [Pair] = []
  private var labels: [Pair] = []
  private var out: [UInt8] = []
  private var sourceBytes: [UInt8] = []
  /// One text for all anomalies in a row that have these in common.
  private var commonText = ""
  private var commonBytes: [UInt8] = []
  private var sourceHead: [UInt8] = []
  private var shape = AnomalyShape()
  /// Whether the last text differed from the one before in nothing but values.
  private(set) var isOfKnownShape = false
  private var kept = Kept()

  /// What a text of the same shape has in common with the one that it was taken from.
  private struct Kept {
    typealias Place = AnomalyShape.Place
    var status = Anomaly.Status.firing
    var severity: Severity?
    /// Of the id, source, tenant, type, metric, detector and given key.
    var fields: [Place] = []
    var dimensions: [(name: Place, value: Place)] = []
    var labels: [(name: Place, value: Place)] = []
  }

  package init() {}

  /// False where the text has to be read the long way, be it good or bad.
  package mutating func scan(_ text: UnsafeBufferPointer<UInt8>, now: Timestamp) -> Bool {
    guard text.count <= Anomaly.sizeLimit, let base = text.baseAddress else { return false }
    var cursor = TextCursor(text, at: base)
    isOfKnownShape = shape.fits(&cursor) && takeShape(now)
    if isOfKnownShape {
      hash(cursor)
      return true
    }
    cursor = TextCursor(text, at: base)
    shape.begin()
    id = .none
    sourceSpan = .none
    time = now
    var hasData = false
    guard cursor.take(UInt8(ascii: "{")) else { return false }
    repeat {
      guard let member = cursor.text(), cursor.take(UInt8(ascii: ":")) else { return false }
      switch member.count {
      case 11 where cursor.matches(member, "specversion"):
        guard let v = cursor.text(), cursor.matches(v, "1.0") else { return false }
      case 4 where cursor.matches(member, "type"):
        guard let v = cursor.text(), cursor.matches(v, "tocsin.anomaly.v1") else { return false }
      case 2 where cursor.matches(member, "id"):
        guard let v = cursor.text(), v.count > 0 else { return false }
        id = v
        shape.gap(v, .id)
      case 6 where cursor.matches(member, "source"):
        guard let v = cursor.text(), v.count > 0 else { return false }
        sourceSpan = v
      case 4 where cursor.matches(member, "time"):
        guard let v = cursor.text(), let t = Timestamp.parse(cursor.slice(v)) else { return false }
        time = t
        shape.gap(v, .time)
      case 4 where cursor.matches(member, "data"):
        guard !hasData, scanData(&cursor, now) else { return false }
        hasData = true
      default: guard cursor.value(depth: 1) != nil else { return false }
      }
    } while cursor.take(UInt8(ascii: ","))
    guard cursor.take(UInt8(ascii: "}")) else { return false }
    cursor.skipSpace()
    guard cursor.isAtEnd, hasData, !id.isAbsent, !sourceSpan.isAbsent, eventType.count > 0, metric.count > 0,
      isPlausible(time, now)
    else { return false }
    if shape.isWorthIt { keepShape(text) }
    hash(cursor)
    return true
  }

  /// Before the dimensions are put in order.
  private mutating func keepShape(_ text: UnsafeBufferPointer<UInt8>) {
    kept.status = status
    kept.severity = severity
    kept.fields.removeAll(keepingCapacity: true)
    for span in [id, sourceSpan, tenant, eventType, metric, detector, givenKey] {
      kept.fields.append(shape.place(span))
    }
    kept.dimensions = dimensions.map { (shape.place($0.name), shape.place($0.value)) }
    kept.labels = labels.map { (shape.place($0.name), shape.place($0.value)) }
    shape.keep(text)
  }

  /// Takes from a text of the known shape what a full reading would. False where its times are none that it would take.
  private mutating func takeShape(_ now: Timestamp) -> Bool {
    time = shape.time ?? now
    guard isPlausible(time, now) else { return false }
    if let start = shape.window.start, let end = shape.window.end {
      guard start <= end, isPlausible(start, now) else { return false }
    }
    status = kept.status
    severity = kept.severity
    id = shape.span(kept.fields[0])
    sourceSpan = shape.span(kept.fields[1])
    tenant = shape.span(kept.fields[2])
    eventType = shape.span(kept.fields[3])
    metric = shape.span(kept.fields[4])
    detector = shape.span(kept.fields[5])
    givenKey = shape.span(kept.fields[6])
    dimensions.removeAll(keepingCapacity: true)
    for d in kept.dimensions { dimensions.append(Pair(name: shape.span(d.name), value: shape.span(d.value))) }
    labels.removeAll(keepingCapacity: true)
    for l in kept.labels { labels.append(Pair(name: shape.span(l.name), value: shape.span(l.value))) }
    return true
  }

  private func isPlausible(_ t: Timestamp, _ now: Timestamp) -> Bool { t >= Anomaly.earliest && t <= now + .days(1) }

  private mutating func scanData(_ cursor: inout TextCursor, _ now: Timestamp) -> Bool {
    tenant = .none
    eventType = .none
    metric = .none
    detector = .none
    givenKey = .none
    status = .firing
    severity = nil
    dimensions.removeAll(keepingCapacity: true)
    labels.removeAll(keepingCapacity: true)
    guard cursor.take(UInt8(ascii: "{")) else { return false }
    if cursor.take(UInt8(ascii: "}")) { return false }
    repeat {
      guard let member = cursor.text(), cursor.take(UInt8(ascii: ":")) else { return false }
      if cursor.peek() == UInt8(ascii: "n") {
        guard cursor.null() else { return false }
        continue
      }
      guard scan(member, &cursor, now) else { return false }
    } while cursor.take(UInt8(ascii: ","))
    return cursor.take(UInt8(ascii: "}"))
  }

  private mutating func scan(_ member: Span, _ cursor: inout TextCursor, _ now: Timestamp) -> Bool {
    func text(_ span: inout Span) -> Bool {
      guard let v = cursor.text() else { return false }
      span = v
      return true
    }
    func number() -> Bool {
      guard let v = cursor.number() else { return false }
      shape.gap(v, .number)
      return true
    }
    switch member.count {
    case 5
    where cursor.matches(member, "value") || cursor.matches(member, "lower") || cursor.matches(member, "upper")
      || cursor.matches(member, "score"):
      return number()
    case 8 where cursor.matches(member, "expected"): return number()
    case 9 where cursor.matches(member, "deviation"): return number()
    case 6 where cursor.matches(member, "tenant"): return text(&tenant)
    case 6 where cursor.matches(member, "metric"): return text(&metric)
    case 6 where cursor.matches(member, "status"):
      guard let v = cursor.text() else { return false }
      if cursor.matches(v, "firing") {
        status = .firing
        return true
      }
      status = .resolved
      return cursor.matches(v, "resolved")
    case 6 where cursor.matches(member, "labels"): return AnomalyScanner.scan(&labels, &cursor, &shape)
    case 6 where cursor.matches(member, "window"): return scanWindow(&cursor, now)
    case 7 where cursor.matches(member, "summary"):
      guard let v = cursor.text() else { return false }
      shape.gap(v, .text)
      return true
    case 8 where cursor.matches(member, "detector"): return text(&detector)
    case 8 where cursor.matches(member, "severity"):
      guard let v = cursor.text() else { return false }
      severity = AnomalyScanner.severity(v, cursor)
      return severity != nil
    case 9 where cursor.matches(member, "dedup_key"): return text(&givenKey)
    case 10 where cursor.matches(member, "event_type"): return text(&eventType)
    case 10 where cursor.matches(member, "dimensions"): return AnomalyScanner.scan(&dimensions, &cursor, &shape)
    default: return cursor.value(depth: 2) != nil
    }
  }

  private static func severity(_ v: Span, _ cursor: TextCursor) -> Severity? {
    if cursor.matches(v, "critical") { return .critical }
    if cursor.matches(v, "high") { return .high }
    if cursor.matches(v, "medium") { return .medium }
    if cursor.matches(v, "low") { return .low }
    return nil
  }

  private mutating func scanWindow(_ cursor: inout TextCursor, _ now: Timestamp) -> Bool {
    var start: Timestamp?
    var end: Timestamp?
    guard cursor.take(UInt8(ascii: "{")) else { return false }
    repeat {
      guard let member = cursor.text(), cursor.take(UInt8(ascii: ":")), let v = cursor.text(),
        let t = Timestamp.parse(cursor.slice(v))
      else { return false }
      if start == nil, cursor.matches(member, "start") {
        start = t
        shape.gap(v, .start)
      } else if end == nil, cursor.matches(member, "end") {
        end = t
        shape.gap(v, .end)
      } else {
        return false
      }
    } while cursor.take(UInt8(ascii: ","))
    guard cursor.take(UInt8(ascii: "}")), let start, let end else { return false }
    return start <= end && isPlausible(start, now)
  }

  /// An object of texts and whole numbers, whose names may be asked for as they stand.
  private static func scan(_ pairs: inout [Pair], _ cursor: inout TextCursor, _ shape: inout AnomalyShape) -> Bool {
    pairs.removeAll(keepingCapacity: true)
    guard cursor.take(UInt8(ascii: "{")) else { return false }
    if cursor.take(UInt8(ascii: "}")) { return true }
    repeat {
      guard let name = cursor.text(), cursor.take(UInt8(ascii: ":")) else { return false }
      for c in cursor.slice(name) where c >= 0x80 || c == UInt8(ascii: "=") { return false }
      var value: Span?
      if cursor.peek() == UInt8(ascii: "\"") {
        value = cursor.text()
        if let value { shape.gap(value, .text) }
      } else if let number = cursor.number(), number.count <= 18 {
        for c in cursor.slice(number) where c &- 48 > 9 { return false }
        value = number
      }
      guard let value else { return false }
      pairs.append(Pair(name: name, value: value))
    } while cursor.take(UInt8(ascii: ","))
    return cursor.take(UInt8(ascii: "}"))
  }

  // MARK: - Hashes

  private mutating func hash(_ cursor: TextCursor) {
    let sourceText = cursor.slice(sourceSpan)
    if !isLastSource(sourceText) {
      source = cursor.string(sourceSpan)
      sourceBytes = Array(sourceText)
      sourceHead = Array("\(sourceText.count):".utf8) + sourceBytes
    }
    out.removeAll(keepingCapacity: true)
    out.append(contentsOf: sourceHead)
    out.append(contentsOf: cursor.slice(id))
    name = out.withUnsafeBytes { StableHash($0) }
    sortDimensions(cursor)
    writeKey(cursor)
    key = out.withUnsafeBytes { StableHash($0) }
  }

  private func isLastSource(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard sourceBytes.count == text.count else { return false }
    for i in 0..<text.count where sourceBytes[i] != text[i] { return false }
    return true
  }

  /// The dedup key, as ``Anomaly/dedupKey`` writes it.
  private mutating func writeKey(_ cursor: TextCursor) {
    out.removeAll(keepingCapacity: true)
    if tenant.isAbsent { out.append(contentsOf: "default".utf8) } else { out.append(contentsOf: cursor.slice(tenant)) }
    out.append(UInt8(ascii: "|"))
    if givenKey.count > 0 {
      out.append(UInt8(ascii: "="))
      out.append(contentsOf: cursor.slice(givenKey))
      return
    }
    out.append(contentsOf: cursor.slice(eventType))
    out.append(UInt8(ascii: "|"))
    out.append(contentsOf: cursor.slice(metric))
    for d in dimensions {
      out.append(UInt8(ascii: "|"))
      out.append(contentsOf: cursor.slice(d.name))
      out.append(UInt8(ascii: "="))
      out.append(contentsOf: cursor.slice(d.value))
    }
  }

  /// By name; those of the same name stay in order. There are few, and most come sorted.
  private mutating func sortDimensions(_ cursor: TextCursor) {
    for i in dimensions.indices.dropFirst() {
      var k = i
      while k > 0,
        cursor.slice(dimensions[k].name).lexicographicallyPrecedes(cursor.slice(dimensions[k - 1].name))
      {
        dimensions.swapAt(k, k - 1)
        k -= 1
      }
    }
  }

  // MARK: - What a new alert needs

  /// The dedup key of the text that was scanned last, which must still stand there.
  package mutating func dedupKey(_ text: UnsafeBufferPointer<UInt8>) -> String {
    guard let base = text.baseAddress else { return "" }
    writeKey(TextCursor(text, at: base))
    return String(decoding: out, as: UTF8.self)
  }

  /// What matchers may ask of the text that was scanned last, which must still stand there.
  package mutating func packedLabels(_ text: UnsafeBufferPointer<UInt8>) -> PackedLabels {
    guard let base = text.baseAddress else { return PackedLabels() }
    let cursor = TextCursor(text, at: base)
    out.removeAll(keepingCapacity: true)
    put("tenant", tenant, cursor)
    put("event_type", eventType, cursor)
    put("metric", metric, cursor)
    put("source", sourceSpan, cursor)
    if !detector.isAbsent { put("detector", detector, cursor) }
    let common = out.count
    for d in dimensions { put(d, cursor) }
    for l in labels { put(l, cursor) }
    return out.withUnsafeBufferPointer { b in
      let bytes = UnsafeBufferPointer(rebasing: b[..<common])
      if !commonBytes.elementsEqual(bytes) {
        commonBytes = Array(bytes)
        commonText = String(decoding: bytes, as: UTF8.self)
      }
      return PackedLabels(
        common: commonText, own: String(decoding: UnsafeBufferPointer(rebasing: b[common...]), as: UTF8.self))
    }
  }

  private mutating func put(_ name: StaticString, _ value: Span, _ cursor: TextCursor) {
    out.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    out.append(UInt8(ascii: "="))
    if value.isAbsent { out.append(contentsOf: "default".utf8) } else { out.append(contentsOf: cursor.slice(value)) }
    out.append(PackedLabels.between)
  }

  private mutating func put(_ pair: Pair, _ cursor: TextCursor) {
    out.append(contentsOf: cursor.slice(pair.name))
    out.append(UInt8(ascii: "="))
    out.append(contentsOf: cursor.slice(pair.value))
    out.append(PackedLabels.between)
  }
}
