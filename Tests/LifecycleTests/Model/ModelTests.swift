import Alerts
import Lifecycle
import Testing

/// Random commands and inputs against an independent table of what may follow what.
@Suite struct ModelTests {
  static let fresh = UInt64.random(in: 1...1_000_000_000)
  static let steps = 120

  static func history(_ seed: UInt64) -> [ModelStep] {
    var d = Draw(state: seed)
    return (0..<steps).map { _ in ModelStep.random(&d) }
  }

  private static func told(_ steps: [ModelStep]) -> String {
    steps.enumerated().map { "\($0.offset + 1). \($0.element)" }.joined(separator: "\n")
  }

  @Test(arguments: Array(UInt64(1)...60) + [ModelTests.fresh])
  func theEngineDoesWhatTheTableSays(_ seed: UInt64) {
    let steps = ModelTests.history(seed)
    guard ModelRun.run(steps) != nil else { return }
    let fewest = ModelRun.shrunk(steps)
    let what = ModelRun.run(fewest)?.what ?? ""
    Issue.record("seed \(seed): after\n\(ModelTests.told(fewest))\n\(what)")
  }

  /// Each mutant is found, and what finds it is short.
  @Test(arguments: ModelRun.Mutant.allCases)
  func aWrongEngineIsFound(_ mutant: ModelRun.Mutant) throws {
    let seed = try #require(
      (UInt64(1)...200).first { ModelRun.run(ModelTests.history($0), mutant) != nil },
      "no history tells \(mutant) from the engine")
    let fewest = ModelRun.shrunk(ModelTests.history(seed), mutant)
    #expect(ModelRun.run(fewest, mutant) != nil)
    #expect(fewest.count <= 14, "\(mutant) needs\n\(ModelTests.told(fewest))")
    // It is the mutant that differs, and not the steps.
    #expect(ModelRun.run(fewest) == nil)
  }

  /// The table itself: every row is taken by some history, so that none stands there unread.
  @Test func everyRowOfTheTableIsMeant() {
    #expect(ModelTable.rows.count == 55, "the table has changed: look at what this test should say")
    let inputs = Set(ModelTable.rows.keys.compactMap { $0.split(separator: "|").last.map(String.init) })
    for state in ["new", "ack", "over"] {
      for input in inputs where !["a step is due", "the time is over"].contains(input) {
        let isTimed = ["the snooze is over", "nothing is heard", "a silence begins", "a silence ends"].contains(input)
        if state == "over", isTimed || input.hasSuffix("explained") { continue }
        #expect(ModelTable.rows["\(state)|\(input)"] != nil, "\(state)|\(input)")
      }
    }
  }
}
