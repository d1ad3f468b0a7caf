import Alerts
import EventLog
import Foundation
import Testing

@testable import Service

/// What no longer fits into memory is recognised all the same, and after a restart too.
@Suite struct SegmentTests {
  /// Every anomaly up to `count`, ten in a message, is a repeat.
  private func expectAllKnown(_ w: World, _ count: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
    for first in stride(from: 0, to: count, by: 100) {
      let answer = try w.publish((first..<first + 100).map { w.anomaly("\($0)", "k\($0 % 40)", .low) })
      #expect(answer["duplicates"]?.int == 100, "\(first): \(answer.text)", sourceLocation: sourceLocation)
    }
  }

  private func publish(_ w: World, _ range: Range<Int>) throws {
    for first in stride(from: range.lowerBound, to: range.upperBound, by: 50) {
      try w.publish((first..<first + 50).map { w.anomaly("\($0)", "k\($0 % 40)", .low) })
    }
  }

  /// A segment is written on another thread: until there are so many.
  private func waitForSegments(_ w: World, _ count: Int) throws {
    for _ in 0..<500 where w.service.intake.segmentCount < count {
      try w.service.step()
      usleep(10_000)
    }
    #expect(w.service.intake.segmentCount >= count)
  }

  private func files(_ w: World) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: w.path + ".intake")) ?? []).sorted()
  }

  @Test func aFullTableBecomesASegmentAndARepeatIsFoundThere() throws {
    let w = try World(segmentSize: 300)
    try publish(w, 0..<400)
    try waitForSegments(w, 1)
    try publish(w, 400..<800)
    try waitForSegments(w, 2)
    #expect(w.service.intake.count < 400)
    try expectAllKnown(w, 800)
    #expect(try w.publish([w.anomaly("new", "k1", .low)])["accepted"]?.int == 1)
  }

  @Test func aRestartFindsWhatIsThere() throws {
    let w = try World(segmentSize: 300)
    try publish(w, 0..<400)
    try waitForSegments(w, 1)
    try publish(w, 400..<500)
    try w.restarts(inGoodOrder: false)
    #expect(w.service.intake.segmentCount == 1)
    #expect(w.service.intake.count < 300)
    try expectAllKnown(w, 500)
  }

  @Test(arguments: ["gone", "damaged", "of another log", "half written"])
  func whatIsMissingIsMadeAgainFromTheLog(_ what: String) throws {
    let w = try World(segmentSize: 300)
    for end in [400, 800, 1200] {
      try publish(w, end - 400..<end)
      try waitForSegments(w, end / 400)
    }
    #expect(files(w).count >= 3)
    let folder = w.path + ".intake/"
    try w.stop()
    // The one in the middle.
    let file =
      folder
      + (try #require(
        files(w).sorted { Int($0.prefix { $0 != "-" })! < Int($1.prefix { $0 != "-" })! }.dropFirst().first))
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    try FileManager.default.removeItem(atPath: file)
    switch what {
    case "damaged":
      bytes[200] ^= 4
      try bytes.write(to: URL(fileURLWithPath: file))
    case "of another log":
      bytes[45] ^= 4
      try bytes.write(to: URL(fileURLWithPath: file))
    case "half written": try bytes.prefix(500).write(to: URL(fileURLWithPath: file + ".partial"))
    default: break
    }
    try w.reopen()
    #expect(w.service.intake.segmentCount >= 3)
    try expectAllKnown(w, 1200)
    #expect(files(w).allSatisfy { $0.hasSuffix(".hashes") })
  }

  @Test func allOfThemGoneIsALongerStart() throws {
    let w = try World(segmentSize: 300)
    try publish(w, 0..<1000)
    try w.stop()
    try? FileManager.default.removeItem(atPath: w.path + ".intake")
    try w.reopen()
    #expect(w.service.intake.segmentCount == 3)
    try expectAllKnown(w, 1000)
  }

  /// A disk that can't take a segment costs memory, no repeat.
  @Test func aSegmentThatCannotBeWrittenStaysInMemory() throws {
    let w = try World(segmentSize: 300)
    try Data("in the way".utf8).write(to: URL(fileURLWithPath: w.path + ".intake"))
    try publish(w, 0..<1000)
    for _ in 0..<20 {
      try w.service.step()
      usleep(5000)
    }
    #expect(w.service.intake.segmentCount == 0)
    try expectAllKnown(w, 1000)
    try FileManager.default.removeItem(atPath: w.path + ".intake")
    w.clock.time = w.clock.time + Intake.retryInterval + .seconds(1)
    try waitForSegments(w, 1)
    try expectAllKnown(w, 1000)
  }

  @Test func hashesAreFoundWhereverTheyStand() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-segment-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var hashes = (0..<20_000).map { StableHash(source: "d", id: "\($0)") }
    // Not evenly spread at all.
    hashes += (0..<2000).map { StableHash(high: 5, low: UInt64($0)) }
    hashes += [StableHash(high: 0, low: 0), StableHash(high: .max, low: .max)]
    let segment = try IntakeSegment.write(
      hashes, from: 0, to: 22_002, position: 1, chain: [UInt8](repeating: 7, count: 32), in: folder)
    #expect(hashes.allSatisfy { segment.contains($0) })
    let others = (0..<20_000).map { StableHash(source: "other", id: "\($0)") }
    #expect(others.allSatisfy { !segment.contains($0) })
    #expect(!segment.contains(StableHash(high: 5, low: 2000)))
    #expect(segment.memory < hashes.count * 3)
  }
}
