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

  /// A bit that rots among the hashes makes no repeat new, and no new anomaly a repeat; and the file is made again while the service goes on.
  @Test func aBitThatRotsIsFoundWhenItMattersAndMended() throws {
    let w = try World(segmentSize: 300)
    try publish(w, 0..<400)
    try waitForSegments(w, 1)
    let file = w.path + ".intake/" + (try #require(files(w).first))
    let whole = try Data(contentsOf: URL(fileURLWithPath: file))
    // In place, as a disk does: the service has the file open. One bit in every hash.
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
    let count = whole[32..<36].enumerated().reduce(0) { $0 + Int($1.element) << ($1.offset * 8) }
    for offset in stride(from: whole.count - count * 16, to: whole.count, by: 16) {
      try handle.seek(toOffset: UInt64(offset))
      try handle.write(contentsOf: Data([whole[offset] ^ 4]))
    }
    try handle.close()
    let answer = try w.publish([w.anomaly("7", "k7", .low), w.anomaly("new", "k1", .low)])
    #expect(answer["duplicates"]?.int == 1 && answer["accepted"]?.int == 1, "\(answer.text)")
    for _ in 0..<500 where try Data(contentsOf: URL(fileURLWithPath: file)) != whole {
      try w.service.step()
      usleep(10_000)
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == whole)
    for _ in 0..<10 { try w.service.step() }
    try expectAllKnown(w, 400)
    try w.restarts(inGoodOrder: false)
    try expectAllKnown(w, 400)
  }

  /// Wherever in the file a byte is another, nobody is told anything wrong: the file is not opened, or the place is not believed.
  @Test func aByteThatIsAnotherIsNoticedWhereverItStands() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-segment-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let hashes = (0..<1000).map { StableHash(source: "d", id: "\($0)") }
    let segment = try IntakeSegment.write(
      hashes, from: 0, to: 1000, position: 1, chain: [UInt8](repeating: 7, count: 32), in: folder)
    let whole = try Data(contentsOf: URL(fileURLWithPath: segment.path))
    let copy = folder + "/copy.hashes"
    // The chain's hash (bytes 40 to 71) is compared with the log by whoever opens it.
    for offset in stride(from: 0, to: whole.count, by: 37) where !(40..<72).contains(offset) {
      var bytes = whole
      bytes[offset] ^= 16
      try bytes.write(to: URL(fileURLWithPath: copy))
      guard let damaged = IntakeSegment(path: copy) else { continue }
      let answers = hashes.map { damaged.look(for: $0) }
      #expect(!answers.contains(.absent) && answers.contains(.unreadable) && damaged.isRotten, "byte \(offset)")
    }
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
    #expect(hashes.allSatisfy { segment.look(for: $0) == .present })
    let others = (0..<20_000).map { StableHash(source: "other", id: "\($0)") }
    #expect(others.allSatisfy { segment.look(for: $0) == .absent })
    #expect(segment.look(for: StableHash(high: 5, low: 2000)) == .absent)
    #expect(segment.memory < hashes.count * 3)
  }
}
