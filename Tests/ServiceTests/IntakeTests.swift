import Alerts
import Testing

@testable import Service

/// An intake that can be asked inside an expectation.
private final class Known {
  private var intake: Intake
  init(capacity: Int = Intake.standardCapacity) { intake = Intake(capacity: capacity) }
  func insert(_ hash: StableHash) -> Bool { intake.insert(hash) }
  func recall(_ bytes: UnsafeRawBufferPointer) -> Bool { intake.recall(bytes) }
  var count: Int { intake.count }
  var memory: Int { intake.memory }
}

/// What makes a repeat a repeat, within a bound.
@Suite struct IntakeTests {
  private func hash(_ n: Int) -> StableHash { StableHash(source: "detector/test", id: "\(n)") }

  @Test func aRepeatIsRecognised() {
    let intake = Known()
    #expect(intake.insert(hash(1)))
    #expect(!intake.insert(hash(1)))
    #expect(intake.insert(hash(2)))
    #expect(!intake.insert(hash(1)))
    #expect(intake.count == 2)
  }

  @Test func thePairCountsAndNotItsText() {
    let intake = Known()
    #expect(intake.insert(StableHash(source: "a", id: "bc")))
    #expect(intake.insert(StableHash(source: "ab", id: "c")))
  }

  @Test func theNewestAreAlwaysKnownAndMemoryIsBounded() {
    let capacity = 1000
    let intake = Known(capacity: capacity)
    for n in 0..<10_000 {
      #expect(intake.insert(hash(n)))
      #expect(intake.count <= 2 * capacity)
      if n >= capacity, n % 97 == 0 {
        for known in [n, n - 1, n - capacity / 2, n - capacity + 1] {
          #expect(!intake.insert(hash(known)), "\(known) was forgotten at \(n)")
        }
      }
    }
    #expect(intake.insert(hash(0)))
  }

  @Test func hundredsOfThousandsAreToldApart() {
    let intake = Known()
    var wrong = 0
    for n in 0..<200_000 where !intake.insert(hash(n)) { wrong += 1 }
    for n in 0..<200_000 where intake.insert(hash(n)) { wrong += 1 }
    #expect(wrong == 0)
    #expect(intake.count == 200_000)
    // A table of 2^19 slots; a set of the standard library takes more than twice as much.
    #expect(intake.memory < 10 << 20)
  }

  @Test func theNewestAreRecalledFirst() {
    let intake = Known(capacity: 100)
    var goesOn = true
    // Commits of ten, newest first, as the log gives them; within a commit the newest stands last.
    for commit in (0..<30).reversed() where goesOn {
      var bytes: [UInt8] = []
      for n in 0..<10 { Intake.write(hash(commit * 10 + n), to: &bytes) }
      goesOn = bytes.withUnsafeBytes { intake.recall($0) }
    }
    #expect(!goesOn)
    for n in 201..<300 { #expect(!intake.insert(hash(n)), "\(n) was not recalled") }
    #expect(intake.insert(hash(150)))
  }

  @Test func aHashOfZeroesIsLikeAnyOther() {
    let intake = Known()
    let zero = StableHash(high: 0, low: 0)
    #expect(intake.insert(zero))
    #expect(!intake.insert(zero))
    #expect(intake.count == 1)
  }
}
