import Alerts
import Foundation
import Testing

@testable import Lifecycle

/// What is taken from a row's bytes is what the whole event says. Every history of the other tests is read so as well: see ``Given``.
@Suite struct FactReaderTests {
  private func opening(_ json: String) throws -> (quick: Fact?, whole: Fact) {
    let data = Array(
      #"{"generation":3,"previous":"A-7","dedup_key":"default|host|cpu","severity":"high","route":{"configuration":1,"index":0,"match":"x","policy":"p"},"anomaly":\#(json)}"#
        .utf8)
    let event = try AlertEvent(type: .detected, data: JSON(parsing: data))
    let whole = Fact(
      RecordedEvent(
        position: 9, subject: Subject(.alert, 8), version: 1, occurredAt: .epoch, recordedAt: .epoch, actor: "d",
        cause: nil, event: event))
    var reader = FactReader()
    let actor = Array("d".utf8)
    let quick = data.withUnsafeBufferPointer { data in
      actor.withUnsafeBufferPointer { actor in
        reader.read(
          EventView(
            position: 9, subject: Subject(.alert, 8), version: 1, type: .detected, occurredAt: .epoch,
            recordedAt: .epoch, actor: actor, cause: nil, data: data))
      }
    }
    return (quick, whole)
  }

  private static let start =
    #"{"specversion":"1.0","id":"1","source":"detector/a","type":"tocsin.anomaly.v1","time":"2026-03-02T10:00:00Z","data":"#

  @Test(arguments: [
    (#"{"event_type":"host","metric":"cpu"}}"#, true),
    (
      #"{ "metric" : "cpu" , "event_type":"host", "tenant":"t", "dimensions":{"a":"1","b":"2"}, "labels":{"z":"1","a":"2"} } }"#,
      true
    ),
    (
      #"{"event_type":"host","metric":"cpu","detector":null,"dimensions":{"a":null,"b":"2"},"explanation":{"labels":{"x":"y"}}}}"#,
      true
    ),
    (#"{"event_type":"höst","metric":"cpu","detector":"ü","labels":{"team":"bï"}}}"#, true),
    // The long way: out of order, escapes, numbers, names beyond ASCII.
    (#"{"event_type":"host","metric":"cpu","dimensions":{"b":"1","a":"2"}}}"#, false),
    (#"{"event_type":"host","metric":"c\"pu"}}"#, false),
    (#"{"event_type":"host","metric":"cpu","labels":{"a":"\u001f"}}}"#, false),
    (#"{"event_type":"host","metric":"cpu","labels":{"n":1.50}}}"#, false),
    (#"{"event_type":"host","metric":"cpu","labels":{"é":"1"}}}"#, false),
  ])
  func labelsAreTheSameWhicheverWayTheyAreRead(_ data: String, isQuick: Bool) throws {
    let (quick, whole) = try opening(FactReaderTests.start + data)
    #expect((quick != nil) == isQuick)
    if let quick { #expect(quick == whole) }
  }

  @Test func nothingThatIsCutIsReadBeyondItsEnd() throws {
    let text = Array(
      (#"{"generation":3,"dedup_key":"k","severity":"high","route":{"configuration":1},"anomaly":"#
        + FactReaderTests.start
        + #"{"event_type":"host","metric":"cpu","dimensions":{"a":"1"}}}}"#).utf8)
    for length in 0..<text.count {
      for type in EventType.allCases {
        let cut = Array(text.prefix(length))
        var reader = FactReader()
        let fact = cut.withUnsafeBufferPointer { data in
          reader.read(
            EventView(
              position: 1, subject: Subject(.alert, 1), version: 1, type: type, occurredAt: .epoch, recordedAt: .epoch,
              actor: UnsafeBufferPointer(start: nil, count: 0), cause: nil, data: data))
        }
        // Behind the anomaly nothing is looked for.
        if type == .detected, length < text.count - 1 { #expect(fact == nil, "cut at \(length)") }
      }
    }
  }

  /// The frozen samples of every form and member that was ever written: what decides is the same, whichever way it is read.
  @Test func whatWasEverWrittenIsReadBothWays() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("EventLogTests/Samples").path
    var quickly = 0
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      let type = try #require(EventType(rawValue: String(name.prefix { $0 != "." })))
      var data = [UInt8](try #require(FileManager.default.contents(atPath: folder + "/" + name)))
      data.removeAll { $0 == UInt8(ascii: "\n") }
      let subject = Subject(.alert, 1042)
      let whole = Fact(
        RecordedEvent(
          position: 9, subject: subject, version: 4, occurredAt: .epoch, recordedAt: .epoch, actor: "tocsin", cause: 3,
          event: try AlertEvent(type: type, data: JSON(parsing: data))))
      var reader = FactReader()
      let actor = Array("tocsin".utf8)
      let quick = data.withUnsafeBufferPointer { data in
        actor.withUnsafeBufferPointer { actor in
          reader.read(
            EventView(
              position: 9, subject: subject, version: 4, type: type, occurredAt: .epoch, recordedAt: .epoch,
              actor: actor, cause: 3, data: data))
        }
      }
      guard let quick else { continue }
      quickly += 1
      #expect(quick == whole, "\(name)")
    }
    #expect(quickly > 30, "\(quickly)")
  }

  @Test func aRowOfALaterFormIsReadTheLongWay() {
    let data = Array(#"{"v":2,"count":7}"#.utf8)
    var reader = FactReader()
    let fact = data.withUnsafeBufferPointer { data in
      reader.read(
        EventView(
          position: 1, subject: Subject(.alert, 1), version: 2, type: .deduplicated, occurredAt: .epoch,
          recordedAt: .epoch, actor: UnsafeBufferPointer(start: nil, count: 0), cause: nil, data: data))
    }
    #expect(fact == nil)
  }
}
