import Alerts
import Foundation
import Testing

@testable import EventLog

/// What an older Tocsin wrote is read for ever. `Samples` holds, for every form that a type ever had, data as it was written then, and beside a
/// form that is no longer written (`….then.json`) what it must read as today (`….now.json`). A member that came later and may be absent needs no new form:
/// `TYPE.v1+WHAT.json` is data that has it. Samples are never changed, only added.
@Suite struct UpcastingTests {
  private static func sample(_ name: String) -> [UInt8]? {
    guard let url = Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Samples"),
      let data = try? Data(contentsOf: url)
    else { return nil }
    return Array(String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines).utf8)
  }

  private static func stored(_ type: EventType, _ data: [UInt8]) -> StoredEvent {
    StoredEvent(
      position: 7, subject: Subject(.alert, 1), version: 1, type: type, occurredAt: .epoch, recordedAt: .epoch,
      actor: "tocsin", cause: nil, data: data)
  }

  @Test(arguments: EventType.allCases) func everyFormThatWasEverWrittenIsRead(_ type: EventType) throws {
    let newest = Upcasting.standard.form(of: type)
    for form in 1...newest {
      let name = "\(type.rawValue).v\(form)"
      let written = try #require(UpcastingTests.sample(name), "there is no sample \(name).json")
      let read = try UpcastingTests.stored(type, written).read()
      #expect(read.event.type == type)
      let expected = form == newest ? written : try #require(UpcastingTests.sample(name + ".now"))
      #expect(
        String(decoding: StoredEvent(read).data, as: UTF8.self) == String(decoding: expected, as: UTF8.self),
        "\(type.rawValue) is not written as its sample: if its form has changed, give it a new one in Upcasting")
    }
  }

  /// All samples of a type's newest form, by name.
  private static func samples(of type: EventType) throws -> [(name: String, data: [UInt8])] {
    let folder = try #require(Bundle.module.url(forResource: "Samples", withExtension: nil))
    let form = "\(type.rawValue).v\(Upcasting.standard.form(of: type))"
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { $0 == form + ".json" || $0.hasPrefix(form + "+") }
      .map { name in (name, try #require(sample(String(name.dropLast(5))))) }
  }

  @Test(arguments: EventType.allCases) func membersThatCameLaterAreReadAndWrittenAsTheyWere(_ type: EventType) throws {
    for (name, written) in try UpcastingTests.samples(of: type) {
      let read = try UpcastingTests.stored(type, written).read()
      #expect(
        String(decoding: StoredEvent(read).data, as: UTF8.self) == String(decoding: written, as: UTF8.self), "\(name)")
    }
  }

  /// A member that is added to an event and stands in no sample fails here, so that what is written today is read for ever.
  @Test(arguments: EventType.allCases) func everyMemberStandsInASample(_ type: EventType) throws {
    var all: Set<String> = []
    var found: Set<String> = []
    for (_, written) in try UpcastingTests.samples(of: type) {
      let event = try UpcastingTests.stored(type, written).read().event
      let payload = try #require(Mirror(reflecting: event).children.first?.value)
      for (label, value) in Mirror(reflecting: payload).children {
        guard let label else { continue }
        all.insert(label)
        let inside = Mirror(reflecting: value)
        let mayBeEmpty = inside.displayStyle == .optional || inside.displayStyle == .collection
        if value as? Bool != false, !(mayBeEmpty && inside.children.isEmpty) { found.insert(label) }
      }
    }
    #expect(found == all, "add a sample \(type.rawValue).v1+….json that has \(all.subtracting(found).sorted())")
  }

  /// A type that has changed twice: the mechanism, since no real one has yet.
  private static let changed = Upcasting([
    .commented: [
      { data in JSON.object([.init("text", data["body"] ?? "")]) },
      { data in JSON.object((data.members ?? []) + [.init("loud", true)]) },
    ]
  ])

  @Test(arguments: [
    (#"{"body":"a"}"#, #"{"text":"a","loud":true}"#), (#"{"v":2,"text":"b"}"#, #"{"v":2,"text":"b","loud":true}"#),
    (#"{"v":3,"text":"c","loud":false}"#, #"{"v":3,"text":"c","loud":false}"#),
  ]) func eachFormTakesTheStepsThatItLacks(_ written: String, _ expected: String) throws {
    let data = try UpcastingTests.changed.current(try JSON(parsing: written), of: .commented)
    #expect(data.text == expected)
  }

  @Test func theEventIsReadInItsNewForm() throws {
    let old = UpcastingTests.stored(.commented, Array(#"{"body":"from long ago"}"#.utf8))
    #expect(try old.read(UpcastingTests.changed).event == .commented(Commented(text: "from long ago")))
  }

  @Test func whatIsWrittenCarriesItsFormUnlessItIsTheFirst() {
    let data: JSON = ["text": "x"]
    #expect(UpcastingTests.changed.marked(data, as: .commented).text == #"{"v":3,"text":"x"}"#)
    #expect(UpcastingTests.changed.marked(data, as: .resolved).text == #"{"text":"x"}"#)
    #expect(UpcastingTests.changed.form(of: .commented) == 3)
    #expect(UpcastingTests.changed.form(of: .resolved) == 1)
  }

  @Test(arguments: [0, 4, -1]) func aFormFromTheFutureIsRefused(_ form: Int) {
    let newer = UpcastingTests.stored(.commented, Array(#"{"v":\#(form),"text":"x"}"#.utf8))
    let error = logError { _ = try newer.read(UpcastingTests.changed) }
    #expect(error?.kind == .unreadable)
    #expect(error?.position == 7)
    #expect(error?.mend?.contains("newer") == true)
  }
}
