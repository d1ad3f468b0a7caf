package import Alerts
import Foundation
import GRDB

/// What a log on disk remembers of the anomalies that it took in, numbered from 1 in the order in which they came.
package protocol IntakeRecord: AnyObject {
  /// How many were ever taken in.
  var intakeSeen: Int64 { get }
  /// How many of the oldest are forgotten.
  var intakeForgotten: Int64 { get }
  /// The hashes that were taken in after the commit that ends at `position`, oldest first, a commit at a time: what the commit took in, how
  /// many had been taken in then, and where the commit ends. Until the closure returns false. The log must not be asked anything meanwhile.
  func intake(
    after position: Int64, _ body: (_ hashes: UnsafeRawBufferPointer, _ seen: Int64, _ position: Int64) throws -> Bool
  ) throws
}

/// Segments beside the log, oldest first: together they know what no longer fits into memory.
package struct IntakeShelf: Sendable {
  /// So many hashes make a segment: 18 MB on disk, of which 2 MB are in memory.
  package static let segmentSize = 1_000_000

  package let folder: String
  private let logPath: String
  package private(set) var segments: [IntakeSegment] = []

  package init(logPath: String) {
    self.logPath = logPath
    folder = logPath + ".intake"
  }

  package func contains(_ hash: StableHash) -> Bool {
    // A repeat is most often one of what came of late.
    for segment in segments.reversed() {
      switch segment.look(for: hash) {
      case .absent: continue
      case .present: return true
      case .unreadable:
        // A tenth of a second, until the segment is made again. If the log can't be read either, it counts as new: better twice than lost.
        if (try? hashes(of: segment))?.contains(hash) == true { return true }
      }
    }
    return false
  }

  /// A segment of which a block has rotted, if there is one.
  package var rotten: IntakeSegment? { segments.first { $0.isRotten } }

  /// Makes a segment again from what the log remembers of it, over a connection of its own. May run on any thread.
  package func remade(_ segment: IntakeSegment) throws(EventLogError) -> IntakeSegment {
    let hashes = try hashes(of: segment)
    return try IntakeSegment.write(
      hashes, from: segment.from, to: segment.to, position: segment.position, chain: segment.chain, in: folder)
  }

  /// Puts a segment in the place of the one that holds the same.
  package mutating func replace(with segment: IntakeSegment) {
    if let i = segments.firstIndex(where: { $0.from == segment.from && $0.to == segment.to }) { segments[i] = segment }
  }

  /// What the log remembers of a segment: all of it, but for what the log has forgotten since.
  private func hashes(of segment: IntakeSegment) throws(EventLogError) -> [StableHash] {
    var hashes: [StableHash] = []
    do {
      var configuration = GRDB.Configuration()
      configuration.readonly = true
      configuration.busyMode = .timeout(5)
      let queue = try DatabaseQueue(path: logPath, configuration: configuration)
      try queue.inDatabase { db in
        let rows = try Row.fetchCursor(
          db, sql: "SELECT hashes FROM intake WHERE last_position <= ? AND seen > ? ORDER BY last_position",
          arguments: [segment.position, segment.from])
        while let row = try rows.next() {
          try row.withUnsafeData(atIndex: 0) { data in
            data?.withUnsafeBytes { IntakeShelf.each($0) { hashes.append($0) } }
          }
        }
      }
      try queue.close()
    } catch { throw EventLogError.explain(error, logPath) }
    return hashes
  }

  package var memory: Int { segments.reduce(0) { $0 + $1.memory } }
  /// Up to which of the anomalies taken in the segments know.
  package var reached: Int64 { segments.last?.to ?? 0 }

  package mutating func add(_ segment: IntakeSegment) { segments.append(segment) }

  /// Lets go of segments all of whose anomalies the log has forgotten.
  package mutating func forget(upTo forgotten: Int64) {
    while let first = segments.first, first.to <= forgotten {
      unlink(first.path)
      segments.removeFirst()
    }
  }

  /// Takes up the segments that are there, and makes again those that are not: from what the log remembers.
  ///
  /// - Parameter rest: takes each hash that came after the last segment: at most ``segmentSize`` of them, and one commit's.
  /// - Parameter report: told of each file that was thrown away, and why.
  package mutating func load(
    _ log: some EventLog & IntakeRecord, segmentSize: Int = IntakeShelf.segmentSize,
    report: (String) -> Void, rest: (StableHash) -> Void
  ) throws {
    segments = []
    var reached = Reached(seen: log.intakeForgotten, position: 0)
    for segment in found(report) {
      guard segment.to <= log.intakeSeen, try log.hash(at: segment.position) == segment.chain else {
        report("\(segment.path) is not of this log")
        unlink(segment.path)
        continue
      }
      if segment.to <= reached.seen {
        unlink(segment.path)
        continue
      }
      // What is missing before it is made again.
      if segment.from > reached.seen { reached = try build(log, after: reached, upTo: segment.from, segmentSize) }
      segments.append(segment)
      reached = Reached(seen: segment.to, position: segment.position)
    }
    while log.intakeSeen - reached.seen >= Int64(segmentSize) {
      let before = reached.seen
      reached = try build(log, after: reached, upTo: min(log.intakeSeen, before + Int64(segmentSize)), segmentSize)
      if reached.seen == before { break }
    }
    try log.intake(after: reached.position) { bytes, _, _ in
      IntakeShelf.each(bytes, rest)
      return true
    }
  }

  /// How far segments reach: so many were taken in, at the end of which commit.
  private struct Reached {
    var seen: Int64
    var position: Int64
  }

  private func found(_ report: (String) -> Void) -> [IntakeSegment] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var found: [IntakeSegment] = []
    for name in names {
      let path = (folder as NSString).appendingPathComponent(name)
      if name.hasSuffix(".partial") {
        unlink(path)
      } else if name.hasSuffix(".hashes") {
        if let segment = IntakeSegment(path: path) {
          found.append(segment)
        } else {
          report("\(path) is damaged")
          unlink(path)
        }
      }
    }
    return found.sorted { $0.from < $1.from }
  }

  /// Makes segments of whole commits, up to the one that took in number `end`. Returns how far they reach.
  private mutating func build(
    _ log: some EventLog & IntakeRecord, after start: Reached, upTo end: Int64, _ segmentSize: Int
  ) throws -> Reached {
    var reached = start
    while reached.seen < end {
      var hashes: [StableHash] = []
      var last = reached
      try log.intake(after: reached.position) { bytes, seen, position in
        IntakeShelf.each(bytes) { hashes.append($0) }
        last = Reached(seen: seen, position: position)
        return hashes.count < segmentSize && seen < end
      }
      // Nothing came, or the commit is none: then the log contradicts itself, which `log verify` tells.
      guard last.seen > reached.seen, let chain = try log.hash(at: last.position) else { return reached }
      segments.append(
        try IntakeSegment.write(
          hashes, from: reached.seen, to: last.seen, position: last.position, chain: chain, in: folder))
      reached = last
    }
    return reached
  }

  private static func each(_ bytes: UnsafeRawBufferPointer, _ body: (StableHash) -> Void) {
    for i in stride(from: 0, to: bytes.count / 16 * 16, by: 16) {
      body(
        StableHash(
          high: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)),
          low: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i + 8, as: UInt64.self))))
    }
  }
}
