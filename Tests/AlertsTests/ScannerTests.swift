import Testing

@testable import Alerts

@Suite struct ScannerTests {
  static let now = Timestamp(rfc3339: "2026-11-20T12:00:00Z") ?? .epoch

  /// What the scanner says of a text, or nil where it leaves it to the long way.
  static func scan(_ bytes: [UInt8]) -> (AnomalyScanner, PackedLabels, String)? {
    var scanner = AnomalyScanner()
    return bytes.withUnsafeBufferPointer { b in
      guard scanner.scan(b, now: now) else { return nil }
      let labels = scanner.packedLabels(b)
      return (scanner, labels, scanner.dedupKey(b))
    }
  }

  /// A scanner that has read `before` sees in a text what one that has read nothing sees. Returns whether it knew the shape.
  @discardableResult
  static func checkAfter(_ before: [UInt8], _ bytes: [UInt8], _ comment: Comment? = nil) -> Bool {
    var scanner = AnomalyScanner()
    #expect(before.withUnsafeBufferPointer { scanner.scan($0, now: now) })
    let fresh = scan(bytes)
    bytes.withUnsafeBufferPointer { b in
      #expect(scanner.scan(b, now: now) == (fresh != nil), comment)
      guard let (other, labels, key) = fresh else { return }
      #expect(scanner.name == other.name && scanner.key == other.key && scanner.source == other.source, comment)
      #expect(scanner.status == other.status && scanner.severity == other.severity, comment)
      #expect(scanner.time == other.time, comment)
      #expect(scanner.packedLabels(b) == labels && scanner.dedupKey(b) == key, comment)
    }
    return scanner.isOfKnownShape
  }

  @Test func whatIsOfTheSameShapeMeansTheSameAsReadInFull() {
    let whole = Array(Self.whole.utf8)
    for (old, new) in [
      ("2026-11-20/listing_views/mobile", "x"), ("2026-11-20T06:02:11.25Z", "2026-11-20T11:00:00+02:00"),
      ("245", "-1.75"), ("1850", "123456789012345678"), (#""mobile""#, #""Größe""#), (#""mobile""#, #""""#),
      ("total_views fell 87% below the 7-day mean", ""), ("\"bi\"", "\"a much longer team\""),
      ("2026-11-19T00:00:00Z", "2026-11-19T23:00:00Z"), ("-0.868", "   12"),
    ] {
      let text = Self.whole.replacing(old, with: new)
      #expect(text != Self.whole)
      #expect(Self.checkAfter(whole, Array(text.utf8)), "\(new)")
    }
    // Another shape, or no value that could stand there.
    for (old, new) in [
      ("firing", "resolved"), ("critical", "low"), ("detector/warehouse-1", "s"), ("total_views", "m"),
      (#""tenant":"default""#, #""tenant":"other""#), (#""shop":12"#, #""shop":13"#), (#""team":"#, #""crew":"#),
      (#""mobile""#, #""mo\"bile""#), ("245", "2.45e2"), ("245", "null"), ("245", "0245"),
      ("2026-11-20T06", "1999-11-20T06"), ("2026-11-20T06", "2026-11-22T06"),
      (#""start":"2026-11-19"#, #""start":"2026-11-21"#),
      (#""id":"2026-11-20/listing_views/mobile""#, #""id":"""#), ("Köln", "Bonn"), (#"null}}"#, #"null}} "#),
      (#"null}}"#, #"null}"#), (#"null}}"#, #"null}}x"#), (#""dedup_key":null"#, #""dedup_key":"mine""#),
    ] {
      let text = Self.whole.replacing(old, with: new)
      #expect(text != Self.whole)
      #expect(!Self.checkAfter(whole, Array(text.utf8)), "\(new)")
    }
    let long = String(repeating: "a", count: Anomaly.stringLimit + 1)
    #expect(!Self.checkAfter(whole, Array(Self.whole.replacing("mobile", with: long).utf8)))
    // The second of two of the same name counts, and of two windows each is judged.
    let twice = Self.whole.replacing(#""value":245"#, with: #""dimensions":{"b":"2","a":"1"},"value":245,"tenant":"t""#)
    #expect(Self.checkAfter(Array(twice.utf8), Array(twice.replacing(#""b":"2""#, with: #""b":"22""#).utf8)))
    let windows = Self.whole.replacing(
      #""value":245"#, with: #""window":{"start":"2026-11-18T00:00:00Z","end":"2026-11-18T01:00:00Z"},"value":245"#)
    let wrong = windows.replacing("2026-11-18T00", with: "2026-11-18T02")
    #expect(!Self.checkAfter(Array(windows.utf8), Array(wrong.utf8)))
    // Of a text with very many values no shape is kept.
    let labels = (0...AnomalyShape.gapLimit).map { "\"l\($0)\":\"x\"" }.joined(separator: ",")
    let many = Array(Self.whole.replacing(#""team":"bi""#, with: labels).utf8)
    #expect(!Self.checkAfter(many, many))
  }

  /// The scanner may leave a text to the long way, but what it takes the long way must take, and see the same in it.
  static func check(_ bytes: [UInt8], _ comment: Comment? = nil) -> Bool {
    guard let (scanner, labels, key) = scan(bytes) else { return false }
    guard case .success(let a) = Anomaly.parse(bytes, now: now) else {
      Issue.record("taken by the scanner, refused by the long way: \(String(decoding: bytes, as: UTF8.self))")
      return true
    }
    #expect(scanner.name == StableHash(source: a.source, id: a.id), comment)
    #expect(key == a.dedupKey, comment)
    #expect(scanner.key == StableHash(a.dedupKey), comment)
    #expect(scanner.status == a.status && scanner.severity == a.severity && scanner.time == a.time, comment)
    #expect(scanner.source == a.source, comment)
    #expect(labels == PackedLabels(a), comment)
    return true
  }

  static let whole = #"""
    {"specversion":"1.0","id":"2026-11-20/listing_views/mobile","source":"detector/warehouse-1",
     "type":"tocsin.anomaly.v1","time":"2026-11-20T06:02:11.25Z","subject":["x",{"y":null}],
     "data":{"tenant":"default","event_type":"listing_views","metric":"total_views","dimensions":{"shop":12,"device":"mobile"},
      "status":"firing","severity":"critical","detector":"percentage_change",
      "window":{"start":"2026-11-19T00:00:00Z","end":"2026-11-20T00:00:00Z"},
      "value":245,"expected":1850,"lower":-1500.5,"upper":2200,"deviation":-0.868,"score":0.93,
      "summary":"total_views fell 87% below the 7-day mean","labels":{"team":"bi"},"ort":"Köln",
      "explanation":{"spend":0.45},"root_causes":[{"entity":"campaign/45","score":0.8,"why":"parent"}],"dedup_key":null}}
    """#

  @Test func plainTextsAreUnderstoodAsTheLongWayDoes() {
    #expect(Self.check(Array(Self.whole.utf8)))
    let small = #"{"id":"1","source":"s","data":{"metric":"m","event_type":"e"}}"#
    #expect(Self.check(Array(small.utf8)))
    for (old, new) in [
      (#""dedup_key":null"#, #""dedup_key":"mine""#), (#""dedup_key":null"#, #""dedup_key":"""#),
      (#""status":"firing""#, #""status":"resolved""#), (#""severity":"critical""#, #""severity":"low""#),
      (#""tenant":"default""#, #""tenant":"""#), (#""tenant":"default","#, ""), (#""mobile""#, #""Größe""#),
      (#"{"shop":12,"device":"mobile"}"#, "{}"), (#""shop":12"#, #""a":"2","a":"1""#), (#""team":"bi""#, ""),
      (#""score":0.93"#, #""score":null"#),
    ] {
      let text = Self.whole.replacing(old, with: new)
      #expect(text != Self.whole)
      #expect(Self.check(Array(text.utf8)), "\(new)")
    }
  }

  @Test func whatIsUnusualOrWrongIsLeftToTheLongWay() {
    for (old, new) in [
      (#""mobile""#, #""mo\"bile""#), ("245", "2.45e2"), (#""critical""#, #""Critical""#), (#""critical""#, #""bad""#),
      ("245", "0245"), ("245", "-"), ("245", #""245""#), ("2026-11-20T06", "1999-11-20T06"),
      ("2026-11-20T06", "2026-11-22T06"), (#""type":"tocsin.anomaly.v1""#, #""type":"x""#), ("1.0", "2.0"),
      (#""id":"2026-11-20/listing_views/mobile""#, #""id":"""#), (#""dedup_key":null}}"#, #""dedup_key":null}"#),
      (#""dedup_key":null}}"#, #""dedup_key":null}}x"#), (#""dedup_key":null}}"#, #""dedup_key":null,}}"#),
      (#""device":"#, #""de=vice":"#), (#""shop":12"#, #""shop":1.50"#),
      (#""start":"2026-11-19"#, #""start":"2026-11-21"#),
      (#""data":{"#, #""data":{},"data":{"#), ("Köln", "\u{7}"),
    ] {
      let text = Self.whole.replacing(old, with: new)
      #expect(text != Self.whole)
      #expect(!Self.check(Array(text.utf8)), "\(new)")
    }
    let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
    #expect(!Self.check(Array(Self.whole.replacing(#""x""#, with: deep).utf8)))
    let long = String(repeating: "a", count: Anomaly.stringLimit + 1)
    #expect(!Self.check(Array(Self.whole.replacing("Köln", with: long).utf8)))
  }

  /// Bytes changed at random: whatever the scanner still takes, the long way takes too and sees the same.
  @Test func damagedTextsAreNeverTakenWrongly() {
    var random = SystemRandomNumberGenerator()
    let seed = UInt64.random(in: .min ... .max, using: &random)
    var state = seed
    func next(_ n: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(truncatingIfNeeded: (state >> 33) % UInt64(n))
    }
    let interesting = Array("\"\\{}[]:,0123456789.eE-+ntf \u{1}\u{1F}\n".utf8) + [0x80, 0xC3, 0xFF]
    var (taken, known) = (0, 0)
    for _ in 0..<4000 {
      var bytes = Array(Self.whole.utf8)
      for _ in 0...next(3) {
        let i = next(bytes.count)
        switch next(3) {
        case 0: bytes[i] = interesting[next(interesting.count)]
        case 1: bytes.remove(at: i)
        default: bytes.insert(interesting[next(interesting.count)], at: i)
        }
      }
      if Self.check(bytes, "seed \(seed)") { taken += 1 }
      if Self.checkAfter(Array(Self.whole.utf8), bytes, "seed \(seed)") { known += 1 }
    }
    #expect(taken > 100 && known > 100, "seed \(seed)")
  }

  @Test func whatIsKeptReadsBackWithItsTime() {
    let text = Array(#"{"id":"1","source":"s","data":{"metric":"m","event_type":"e"}}"#.utf8)
    let kept = KeptAnomaly(text: TextPiece(text), seenAt: Self.now)
    #expect(kept.anomaly.time == Self.now && kept.anomaly.metric == "m" && kept.anomaly.cloudEvent == text)
    #expect(kept.packedLabels["metric"] == "m" && kept.packedLabels["source"] == "s")
  }

  /// The two events that are written without a tree say what the tree says.
  @Test func eventsAreWrittenAsTheirTreesAre() throws {
    let anomaly = try Anomaly(parsing: JSON(parsing: Self.whole).bytes, now: Self.now)
    let route = RouteTaken(configuration: 1, index: 0, match: "a=\"b\"", policy: "critical", also: [2])
    for event: AlertEvent in [
      .detected(
        Detected(
          generation: 2, previous: AlertID(17), dedupKey: "de\"fault|ö", severity: .high, route: route, anomaly: anomaly
        )),
      .detected(
        Detected(generation: 1, previous: nil, dedupKey: "k", severity: .low, route: route, anomaly: anomaly)),
      .deduplicated(
        Deduplicated(count: 12, firstTime: Self.now, lastTime: Self.now, worst: .medium, last: anomaly)),
    ] {
      var text: [UInt8] = []
      event.write(to: &text)
      #expect(text == event.data.bytes)
      #expect(try AlertEvent(type: event.type, data: JSON(parsing: text)) == event)
    }
  }
}
