import Testing

@testable import Alerts

@Suite struct AnomalyTests {
  static let now = Timestamp(rfc3339: "2026-11-20T12:00:00Z") ?? .epoch

  static func event(_ data: String, envelope: String = "") -> [UInt8] {
    Array(
      #"{"specversion":"1.0","id":"1","source":"detector/w","type":"tocsin.anomaly.v1","time":"2026-11-20T06:02:11Z"\#(envelope),"data":\#(data)}"#
        .utf8)
  }

  @Test func theContractsExample() throws {
    let bytes = Self.event(
      #"""
      {"tenant":"default","event_type":"listing_views","metric":"total_views","dimensions":{"device":"mobile"},
      "status":"firing","severity":"critical","detector":"percentage_change",
      "window":{"start":"2026-11-19T00:00:00Z","end":"2026-11-20T00:00:00Z"},
      "value":245,"expected":1850,"lower":1500,"upper":2200,"deviation":-0.868,"score":0.93,
      "summary":"total_views fell 87% below the 7-day mean","labels":{"team":"bi"},
      "explanation":{"spend":0.45},"links":{"runbook":"https://x"},"dedup_key":null}
      """#)
    let a = try Anomaly(parsing: bytes, now: Self.now)
    #expect(a.severity == .critical && a.value == 245 && a.label("device") == "mobile" && a.label("team") == "bi")
    #expect(a.dedupKey == "default|listing_views|total_views|device=mobile")
    #expect(a.more.map(\.name) == ["explanation", "links"])
    #expect(a.cloudEvent == bytes, "kept as it came")
    var own = a
    own.raw = nil
    var again = try Anomaly(parsing: own.cloudEvent, now: Self.now)
    again.raw = nil
    #expect(again == own)
  }

  @Test(arguments: [
    (#"{"metric":"m"}"#, "event_type"), (#"{"event_type":"e"}"#, "metric"),
    (#"{"event_type":"e","metric":"m","severity":"bad"}"#, "severity"),
    (#"{"event_type":"e","metric":"m","value":"12"}"#, "value"),
    (#"{"event_type":"e","metric":"m","value":1e999}"#, "beyond"),
    (#"{"event_type":"e","metric":"m","status":"maybe"}"#, "status"),
    (#"{"event_type":"e","metric":"m","dimensions":[]}"#, "dimensions"),
    (#"{"event_type":"e","metric":"m","window":{"start":"2026-01-02","end":"2026-01-01"}}"#, "window"),
    (#"[]"#, "data"),
  ])
  func whatIsWrongIsNamed(_ data: String, _ word: String) {
    #expect {
      try Anomaly(parsing: Self.event(data), now: Self.now)
    } throws: { "\($0)".contains(word) }
  }

  @Test func timesAndSizesAreBounded() {
    func refused(_ bytes: [UInt8]) -> Bool { (try? Anomaly(parsing: bytes, now: Self.now)) == nil }
    let ok = #"{"event_type":"e","metric":"m"}"#
    #expect(!refused(Self.event(ok)))
    let text = String(decoding: Self.event(ok), as: UTF8.self)
    #expect(refused(Array(text.replacing("2026-11-20T06", with: "1999-11-20T06").utf8)))
    #expect(refused(Array(text.replacing("2026-11-20T06", with: "2026-11-22T06").utf8)))
    #expect(refused(Array(text.replacing(#""id":"1""#, with: #""id":"""#).utf8)))
    #expect(refused(Array(text.replacing("1.0", with: "2.0").utf8)))
    #expect(
      refused(Self.event(#"{"event_type":"e","metric":"m","x":{"y":["\#(String(repeating: "a", count: 16_385))"]}}"#)))
    #expect(!refused(Self.event(#"{"event_type":"e","metric":"m","x":"\#(String(repeating: "a", count: 16_384))"}"#)))
  }

  @Test func otherToolsSeverities() throws {
    for (name, severity) in [("error", Severity.high), ("Warning", .medium), ("info", .low), ("CRITICAL", .critical)] {
      #expect(Severity(name: name) == severity)
    }
    #expect(Severity.allCases.sorted() == [.low, .medium, .high, .critical])
  }
}
