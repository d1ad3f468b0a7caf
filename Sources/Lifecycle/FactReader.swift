package import Alerts
import Glibc

/// Takes facts straight from the log's rows: of each type only what the engine needs, without a tree of its JSON, and what many rows have in common
/// (routes, places) once in memory.
///
/// It understands rows as Tocsin writes them. Of any other (escapes in a label, an order of its own, a form of an older version) it says so, and the row
/// is read the long way; what comes out is the same. What stands in the row beside is not looked at: `tocsin log verify` does that.
package struct FactReader {
  private var actor = ""
  private var actorBytes: [UInt8] = []
  private var routes = Interned<FrozenRoute>()
  private var places = Interned<AlertState.Place>()
  private var occasions = Interned<Occasion>()
  private var labels: [UInt8] = []
  private var commons = Interned<String>()

  package init() {}

  /// Nil for a row that must be read the long way.
  package mutating func read(_ v: EventView) -> Fact? {
    guard let event = what(v) else { return nil }
    if !actorBytes.isSame(as: v.actor) {
      actor = String(decoding: v.actor, as: UTF8.self)
      actorBytes = Array(v.actor)
    }
    return Fact(
      position: v.position, subject: v.subject, version: v.version, recordedAt: v.recordedAt, actor: actor,
      type: v.type, event: event)
  }

  private mutating func what(_ v: EventView) -> Fact.What? {
    // Data of a later form than the first begins with its mark: see Upcasting.
    guard !FactReader.isMarked(v.data) else { return nil }
    switch v.type {
    case .detected: return detected(v.data)
    case .deduplicated:
      return FactReader.first("count", v.data)?.int.map { .deduplicated(Fact.Repeated(count: Int($0))) }
    case .cleared: return .cleared
    case .reopened:
      return FactReader.first("severity", v.data).flatMap { FactReader.severity($0) }.map {
        .reopened(Fact.Refiring(severity: $0))
      }
    case .commented: return .commented
    case .labelled: return .labelled
    case .unacknowledged: return .unacknowledged
    case .unsnoozed: return .unsnoozed
    case .uninhibited: return .uninhibited
    case .flapping: return .flapping
    case .steady: return .steady
    case .exhausted: return .exhausted
    case .notification_requested: return requested(v.data)
    case .notification_delivered: return delivered(v.data)
    case .notification_failed: return FactReader.first("key", v.data)?.string.map { .notificationFailed(key: $0) }
    case .notification_cancelled: return cancelled(v.data)
    case .resolved: return resolved(v.data)
    default:
      // Seldom, and small.
      guard let json = try? JSON(parsing: v.data), let event = try? AlertEvent(type: v.type, data: json) else {
        return nil
      }
      return Fact.What(event)
    }
  }

  // MARK: - Of each type

  private mutating func detected(_ data: UnsafeBufferPointer<UInt8>) -> Fact.What? {
    var scanner = JSONScanner(data)
    var generation: Int64?
    var key: StableHash?
    var severity: Severity?
    var route: FrozenRoute?
    var labels: PackedLabels?
    while let name = scanner.nextName() {
      if name.is("anomaly") {
        // It comes last, and is walked through once. What stands behind it is not looked for.
        labels = packed(&scanner)
        break
      }
      guard let value = scanner.value() else { return nil }
      if name.is("generation") {
        generation = value.int
      } else if name.is("dedup_key") {
        key = value.plain.map { StableHash(UnsafeRawBufferPointer($0)) }
      } else if name.is("severity") {
        severity = FactReader.severity(value)
      } else if name.is("route") {
        route = routes.find(value.bytes) { (try? JSON(parsing: value.bytes)).map { FrozenRoute(RouteTaken(json: $0)) } }
      }
    }
    guard !scanner.isLost, let generation, let key, let severity, let route, let labels else { return nil }
    return .detected(
      Fact.Opening(generation: Int(generation), key: key, severity: severity, labels: labels, route: route))
  }

  private mutating func requested(_ data: UnsafeBufferPointer<UInt8>) -> Fact.What? {
    var scanner = JSONScanner(data)
    var key: String?
    var purpose: Purpose?
    var place: (start: UnsafePointer<UInt8>, receiver: JSONScanner.Value)?
    var channel: JSONScanner.Value?
    var destination: JSONScanner.Value?
    var request = Fact.Request(
      key: "", purpose: .firing, place: .init(receiver: "", target: .init(channel: "", destination: "")), members: [])
    while let m = scanner.next() {
      if m.is("key") {
        key = m.value.string
      } else if m.is("purpose") {
        purpose = FactReader.purpose(m.value)
      } else if m.is("receiver") {
        place = m.name.baseAddress.map { ($0, m.value) }
      } else if m.is("channel") {
        channel = m.value
      } else if m.is("destination") {
        destination = m.value
      } else if m.is("step") {
        request.step = m.value.int.map { Int($0) }
      } else if m.is("round") {
        request.round = m.value.int.map { Int($0) }
      } else if m.is("members") {
        guard let json = try? JSON(parsing: m.value.bytes) else { return nil }
        request.members = (json.array ?? []).compactMap { $0.string.flatMap { AlertID($0) } }
      } else if m.is("not_before") {
        request.notBefore = m.value.int.map { Timestamp(microseconds: $0) }
      } else if m.is("why") {
        let why = occasions.find(m.value.bytes) { (try? JSON(parsing: m.value.bytes)).flatMap { Occasion(json: $0) } }
        guard let why else { return nil }
        request.occasion = why
      }
    }
    guard !scanner.isLost, let key, let purpose, let place, let channel, let destination,
      let end = destination.bytes.baseAddress.map({ $0 + destination.bytes.count }), end > place.start
    else { return nil }
    // The three stand side by side: together they name the place.
    request.place =
      places.find(UnsafeBufferPointer(start: place.start, count: end - place.start)) {
        guard let receiver = place.receiver.string, let channel = channel.string,
          let destination = destination.string
        else { return nil }
        return AlertState.Place(receiver: receiver, target: .init(channel: channel, destination: destination))
      } ?? request.place
    guard !request.place.target.channel.isEmpty else { return nil }
    request.key = key
    request.purpose = purpose
    return .notificationRequested(request)
  }

  private func delivered(_ data: UnsafeBufferPointer<UInt8>) -> Fact.What? {
    var scanner = JSONScanner(data)
    var key: String?
    var provider: [UInt8]?
    while let m = scanner.next() {
      if m.is("key") {
        key = m.value.string
      } else if m.is("provider") {
        provider = Array(m.value.bytes)
      }
    }
    guard !scanner.isLost, let key else { return nil }
    return .notificationDelivered(Fact.Delivery(key: key, provider: provider))
  }

  private func cancelled(_ data: UnsafeBufferPointer<UInt8>) -> Fact.What? {
    var scanner = JSONScanner(data)
    var key: String?
    var into: Subject?
    while let m = scanner.next() {
      if m.is("key") {
        key = m.value.string
      } else if m.is("into") {
        into = m.value.string.flatMap { Subject($0) }
      }
    }
    guard !scanner.isLost, let key else { return nil }
    return .notificationCancelled(key: key, into: into)
  }

  private func resolved(_ data: UnsafeBufferPointer<UInt8>) -> Fact.What? {
    var scanner = JSONScanner(data)
    var how: Resolved.How?
    var seen = false
    while let m = scanner.next() {
      if m.is("how") {
        how = m.value.plain.flatMap { Resolved.How(rawValue: String(decoding: $0, as: UTF8.self)) }
      } else if m.is("seen") {
        seen = m.value.is("true")
      }
    }
    guard !scanner.isLost, let how else { return nil }
    return .resolved(Resolved(how: how, seen: seen))
  }

  // MARK: - Labels

  /// As ``PackedLabels/init(_:)`` of the whole anomaly, which the scanner stands before. Nil where it says something in a way that only the long
  /// way reads.
  private mutating func packed(_ scanner: inout JSONScanner) -> PackedLabels? {
    guard scanner.enter() else { return nil }
    var source: UnsafeBufferPointer<UInt8>?
    while let name = scanner.nextName() {
      if name.is("data") { break }
      guard let value = scanner.value() else { return nil }
      if name.is("source") { source = value.plain }
    }
    // The envelope stands before the data, or it takes the long way.
    guard let source, scanner.enter() else { return nil }
    var tenant: UnsafeBufferPointer<UInt8>?
    var eventType: UnsafeBufferPointer<UInt8>?
    var metric: UnsafeBufferPointer<UInt8>?
    var detector: UnsafeBufferPointer<UInt8>?
    var dimensions: UnsafeBufferPointer<UInt8>?
    var tags: UnsafeBufferPointer<UInt8>?
    while let m = scanner.next() {
      if m.value.isNull { continue }
      if m.is("tenant") {
        guard let text = m.value.plain else { return nil }
        tenant = text
      } else if m.is("event_type") {
        guard let text = m.value.plain else { return nil }
        eventType = text
      } else if m.is("metric") {
        guard let text = m.value.plain else { return nil }
        metric = text
      } else if m.is("detector") {
        guard let text = m.value.plain else { return nil }
        detector = text
      } else if m.is("dimensions") {
        dimensions = m.value.bytes
      } else if m.is("labels") {
        tags = m.value.bytes
      }
    }
    // A source behind the data would count instead of the one before it.
    while let m = scanner.next() { if m.is("source") || m.is("data") { return nil } }
    guard !scanner.isLost, let eventType, let metric else { return nil }
    labels.removeAll(keepingCapacity: true)
    if let tenant { add("tenant", tenant) } else { labels.append(contentsOf: "tenant=default\u{1F}".utf8) }
    add("event_type", eventType)
    add("metric", metric)
    add("source", source)
    if let detector { add("detector", detector) }
    let common = commons.find(labels) { String(decoding: $0, as: UTF8.self) }
    guard let common else { return nil }
    labels.removeAll(keepingCapacity: true)
    if let dimensions, !add(object: dimensions, mustBeSorted: true) { return nil }
    if let tags, !add(object: tags, mustBeSorted: false) { return nil }
    return PackedLabels(common: common, own: String(decoding: labels, as: UTF8.self))
  }

  private mutating func add(_ name: StaticString, _ value: UnsafeBufferPointer<UInt8>) {
    add(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value)
  }

  private mutating func add(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    labels.append(contentsOf: name)
    labels.append(UInt8(ascii: "="))
    labels.append(contentsOf: value)
    labels.append(0x1F)
  }

  /// False where it takes the long way: values that are no plain texts, or names that are not in order.
  private mutating func add(object: UnsafeBufferPointer<UInt8>, mustBeSorted: Bool) -> Bool {
    var scanner = JSONScanner(object)
    var before: UnsafeBufferPointer<UInt8>?
    while let m = scanner.next() {
      if m.value.isNull { continue }
      guard let value = m.value.plain else { return false }
      for c in m.name where c == UInt8(ascii: "\\") || c >= 0x80 { return false }
      if mustBeSorted, let before, !before.lexicographicallyPrecedes(m.name) { return false }
      before = m.name
      add(m.name, value)
    }
    return !scanner.isLost
  }

  // MARK: - Words

  private static func isMarked(_ data: UnsafeBufferPointer<UInt8>) -> Bool {
    data.count > 4 && data[1] == UInt8(ascii: "\"") && data[2] == UInt8(ascii: "v") && data[3] == UInt8(ascii: "\"")
  }

  private static func first(_ name: StaticString, _ data: UnsafeBufferPointer<UInt8>) -> JSONScanner.Value? {
    var scanner = JSONScanner(data)
    while let m = scanner.next() { if m.is(name) { return m.value } }
    return nil
  }

  private static func severity(_ v: JSONScanner.Value) -> Severity? {
    if v.is("\"critical\"") { return .critical }
    if v.is("\"high\"") { return .high }
    if v.is("\"medium\"") { return .medium }
    if v.is("\"low\"") { return .low }
    return nil
  }

  private static func purpose(_ v: JSONScanner.Value) -> Purpose? {
    if v.is("\"firing\"") { return .firing }
    if v.is("\"resolved\"") { return .resolved }
    return v.plain.flatMap { Purpose(rawValue: String(decoding: $0, as: UTF8.self)) }
  }
}

extension [UInt8] {
  fileprivate func isSame(as bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard count == bytes.count else { return false }
    return withUnsafeBytes { own in
      guard let a = own.baseAddress, let b = bytes.baseAddress else { return true }
      return memcmp(a, b, bytes.count) == 0
    }
  }
}

/// Values by the bytes that they were read from.
private struct Interned<Value> {
  /// So many are kept at once; beyond, all are forgotten and met anew.
  private static var limit: Int { 50_000 }
  private var known: [StableHash: Value] = [:]
  private var lastBytes: [UInt8] = []
  private var last: Value?

  mutating func find(_ bytes: [UInt8], make: ([UInt8]) -> Value?) -> Value? {
    bytes.withUnsafeBufferPointer { b in find(b) { make(bytes) } }
  }

  mutating func find(_ bytes: UnsafeBufferPointer<UInt8>, make: () -> Value?) -> Value? {
    if let last, lastBytes.isSame(as: bytes) { return last }
    let hash = StableHash(UnsafeRawBufferPointer(bytes))
    let value: Value
    if let found = known[hash] {
      value = found
    } else {
      guard let made = make() else { return nil }
      if known.count >= Interned.limit { known.removeAll() }
      known[hash] = made
      value = made
    }
    lastBytes.removeAll(keepingCapacity: true)
    lastBytes.append(contentsOf: bytes)
    last = value
    return value
  }
}
