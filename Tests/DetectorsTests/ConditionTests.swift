import Testing

@testable import Detectors

@Suite struct ConditionTests {
  private let facts: [String: Condition.Value] = [
    "deviation": .number(0.6), "change": .number(-0.6), "value": .number(245), "rate": .number(0.75), "z": .number(3),
    "device": .text("mobile"), "floor": .text("3"), "open": .truth(true),
  ]

  @Test(arguments: [
    ("deviation > 0.5", true), ("deviation > 60%", false), ("deviation >= 60%", true), ("change < -0.5", true),
    ("z > 2.5 and rate > 0.7", true), ("z > 2.5 AND rate > 0.8", false), ("z > 9 or rate > 0.7", true),
    ("not z > 9", true), ("not (z > 9 or rate > 0.7)", false), ("!(z > 9) && rate > .7", true),
    ("device == \"mobile\"", true), ("device = 'desktop'", false), ("device != 'desktop'", true),
    ("device in ('tablet', 'mobile')", true), ("device not in (\"mobile\")", false), ("floor > 2", true),
    ("value * 2 + 10 == 500", true), ("value - 200 > 40 and 10 - 2 - 3 == 5", true), ("2 + 3 * 4 == 14", true),
    ("(2 + 3) * 4 == 20", true), ("-change > 0.5", true), ("abs(change) > 0.5", true), ("max(1, z, 2) == 3", true),
    ("value > 1e2", true), ("true", true), ("false or true", true),
    // Not known is neither true nor false.
    ("score > 0.5", false), ("not score > 0.5", false), ("score > 0.5 or z > 2", true),
    ("score > 0.5 and z > 2", false),
    ("value / 0 > 1", false), ("not value / 0 > 1", false), ("device > 3", false),
    // and binds tighter than or.
    ("z > 9 and z > 9 or z > 2", true), ("z > 2 or z > 9 and z > 9", true),
  ])
  func holds(_ text: String, _ expected: Bool) throws {
    let condition = try Condition(text)
    #expect(condition.holds { facts[$0] } == expected)
  }

  @Test(arguments: [
    ("deviation >", 12, "ends"), ("deviation > 0.5 and", 20, "ends"), ("deviation", 1, "not a condition"),
    ("deviaton > 0.5", 1, "did you mean deviation"), ("z > 2 and rat > 1", 11, "not known"),
    ("(z > 2", 7, "expected )"),
    ("z > 2)", 6, "expected and"), ("z >> 2", 4, "expected a value"), ("1 < z < 3", 7, "chain"),
    ("z > #", 5, "unexpected"),
    ("device == \"mobile", 11, "closing"), ("", 1, "empty"), ("z and rate > 1", 1, "join comparisons"),
    ("rate > 1 and z", 14, "join comparisons"), ("rate > 1 or not z", 17, "join comparisons"),
    ("(z > 1) > 2", 1, "not a value"), ("2 * (z > 1) > 2", 5, "not a value"),
    ("deviation == \"high\"", 14, "is a text"), ("\"high\" == z + 1", 1, "is a text"),
    ("z in (1, \"two\")", 10, "is a text"),
    ("sqrt(z) > 1", 1, "not a function"), ("device in mobile", 11, "expected ("), ("z > 1.2.3", 5, "not a number"),
  ])
  func faults(_ text: String, _ column: Int, _ word: String) {
    let error = #expect(throws: ConditionError.self) {
      try Condition(text, known: ["deviation", "z", "rate", "device"], numbers: ["deviation", "z", "rate"])
    }
    #expect(error?.column == column, "\(text): \(error?.description ?? "")")
    #expect(error?.message.contains(word) == true, "\(text): \(error?.description ?? "")")
  }

  @Test func `deep nesting is refused, not followed`() {
    let deep = String(repeating: "(", count: 10_000) + "z > 1" + String(repeating: ")", count: 10_000)
    #expect(throws: ConditionError.self) { try Condition(deep) }
    let nots = String(repeating: "not ", count: 10_000) + "z > 1"
    #expect(throws: ConditionError.self) { try Condition(nots) }
    let minus = "z > " + String(repeating: "-", count: 10_000) + "1"
    #expect(throws: ConditionError.self) { try Condition(minus) }
  }
}
