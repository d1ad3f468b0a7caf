import Alerts
import Crypto
import Foundation
import GRDB

/// What `tocsin log verify` finds.
package struct LogReport: Sendable {
  /// Something that is wrong, and where.
  package struct Problem: Sendable, Equatable {
    /// The position that it concerns, or the first of several; nil where it is the file as a whole.
    package var position: Int64?
    package var message: String
  }
  /// The last committed position.
  package var head: Int64 = 0
  /// The chain's hash at ``head``: kept elsewhere, it proves later that this much of the log is what it was.
  package var headHash: [UInt8] = CommitHash.start
  package var events: Int64 = 0
  package var commits: Int64 = 0
  package var archives: Int64 = 0
  package var subjects = 0
  /// At most ``problemLimit``; ``problemCount`` says how many there are.
  package var problems: [Problem] = []
  package var problemCount = 0

  /// So many problems are told one by one: a log with more is to be restored, not read.
  package static let problemLimit = 100

  package var isSound: Bool { problemCount == 0 }

  mutating func add(_ position: Int64?, _ message: String) {
    problemCount += 1
    if problems.count < LogReport.problemLimit { problems.append(Problem(position: position, message: message)) }
  }
}

extension EventLogReader {
  /// Reads everything, and checks that it holds together: the files' structure, positions without gaps, versions from 1 for each
  /// subject, causes that are earlier, data that can be read, the hash chain, the archives.
  ///
  /// Sees the log as it was at one moment, while the service goes on. Takes memory for each subject: about 60 bytes.
  ///
  /// - Throws: ``EventLogError`` if it can't be read at all.
  package func verify(progress: ((_ position: Int64, _ head: Int64) -> Void)? = nil) throws -> LogReport {
    try read { log in
      try LogVerification(log).run(progress)
    }
  }

  /// Adds a problem to the report unless the commit that ends at `position` has this hash: then nothing up to there was replaced since the hash
  /// was noted.
  package func check(_ position: Int64, _ hash: [UInt8], _ report: inout LogReport) throws {
    let found = try read { log in
      try Data.fetchOne(log.db, sql: "SELECT hash FROM commits WHERE last_position = ?", arguments: [position])
    }
    if found.map({ [UInt8]($0) }) == hash || (position == 0 && hash == CommitHash.start) { return }
    report.add(
      position,
      found == nil
        ? "no commit ends at position \(position), and one did: events were taken away, or it is another log"
        : "the log up to position \(position) is not the one that the hash was noted of")
  }
}

private final class LogVerification {
  private let log: WholeLog
  private var report = LogReport()
  private var versions: [Subject: Int] = [:]
  private var commits: RowCursor?
  /// The commit whose rows come now; nil beyond the last.
  private var commit: CommitRow?
  private var chain = CommitHash(after: CommitHash.start, intakeHash: [])
  /// A row of the commit is missing or can't be read: its hash can't be right, and that was said already.
  private var isBroken = false

  private struct CommitRow {
    var first: Int64
    var last: Int64
    var intakeHash: [UInt8]
    var hash: [UInt8]
  }

  init(_ log: WholeLog) { self.log = log }

  func run(_ progress: ((Int64, Int64) -> Void)?) throws -> LogReport {
    try checkFile(log.db, log.path, triggers: Set(LogSchema.triggers.map { $0.0 }))
    report.head = try log.head()
    report.commits = try Int64.fetchOne(log.db, sql: "SELECT count(*) FROM commits") ?? 0
    try checkArchives()
    try checkIntake()
    commits = try Row.fetchCursor(log.db, sql: "SELECT * FROM commits ORDER BY last_position")
    try beginCommit(after: 0, CommitHash.start)
    do {
      try walk(progress)
    } catch let error as EventLogError {
      // An archive that is not there, or no archive: said already, and nothing behind it can be placed.
      report.add(commit?.first, "the events from here on can't be checked: \(error.message)")
      return report
    }
    try lose(upTo: report.head)
    report.subjects = versions.count
    return report
  }

  private func walk(_ progress: ((Int64, Int64) -> Void)?) throws {
    try log.each(
      after: 0, missing: { try self.missing($0) },
      broken: { error in
        try self.lose(upTo: error.position ?? 0)
        self.report.add(error.position, error.message)
      }
    ) { e in
      try self.take(e)
      self.report.events += 1
      if self.report.events % 100_000 == 0 { progress?(e.position, self.report.head) }
      return true
    }
  }

  // MARK: - Files

  private func checkFile(_ db: Database, _ path: String, triggers: Set<String>) throws {
    for line in try String.fetchAll(db, sql: "PRAGMA integrity_check(20)") where line != "ok" {
      report.add(nil, "\(path): \(line)")
    }
    let found = try Set(String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'trigger'"))
    for name in triggers.subtracting(found).sorted() {
      report.add(nil, "\(path): the trigger \(name) is gone: somebody has opened the way to change events")
    }
  }

  private func checkIntake() throws {
    let rows = try Row.fetchCursor(
      log.db,
      sql: """
        SELECT i.last_position, i.hashes, c.intake_hash FROM intake i LEFT JOIN commits c USING (last_position)
        ORDER BY i.last_position
        """)
    while let row = try rows.next() {
      let position: Int64 = row["last_position"]
      if (row["intake_hash"] as Data?).map({ [UInt8]($0) }) != CommitHash.intake([UInt8](row["hashes"] as Data)) {
        report.add(position, "what the commit that ends at \(position) took in was changed")
      }
    }
  }

  private func checkArchives() throws {
    for archive in try log.shelf.archives(log.db) {
      report.archives += 1
      let path = log.shelf.path(archive.file)
      do {
        let (count, hash) = try log.shelf.read(archive) { db in
          try checkFile(db, path, triggers: LogSchema.archiveTriggers)
          return try ArchiveHash.of(db)
        }
        if count != archive.count {
          report.add(archive.range.lowerBound, "\(path) holds \(count) events; \(archive.count) were moved to it")
        } else if hash != archive.hash {
          report.add(archive.range.lowerBound, "\(path) was changed after the events were moved to it")
        }
      } catch { report.add(archive.range.lowerBound, "\(EventLogError.explain(error, path))") }
    }
  }

  // MARK: - Events

  private func take(_ e: StoredEvent) throws {
    if let commit, commit.last < e.position { try lose(upTo: e.position - 1) }
    if commit == nil { report.add(e.position, "event \(e.position) stands in the log without a commit") }
    chain.add(e)
    let version = versions[e.subject] ?? 0
    if e.version != version + 1 {
      report.add(
        e.position, "event \(e.position) is version \(e.version) of \(e.subject), which was at version \(version)")
    }
    versions[e.subject] = max(version, e.version)
    if let cause = e.cause, cause < 1 || cause >= e.position {
      report.add(e.position, "event \(e.position) names \(cause) as its cause, which is not earlier")
    }
    do { _ = try e.read() } catch { report.add(e.position, error.message) }
    if e.position == commit?.last { try endCommit() }
  }

  private func missing(_ range: ClosedRange<Int64>) throws {
    try lose(upTo: range.upperBound)
    report.add(
      range.lowerBound,
      range.count == 1
        ? "event \(range.lowerBound) is missing" : "events \(range.lowerBound) to \(range.upperBound) are missing")
  }

  /// Something up to there is missing or can't be read: the commits that it belongs to can't be hashed.
  private func lose(upTo position: Int64) throws {
    while let commit, commit.first <= position {
      isBroken = true
      guard commit.last <= position else { return }
      try endCommit()
    }
  }

  private func beginCommit(after last: Int64, _ hash: [UInt8]) throws {
    isBroken = false
    guard let row = try commits?.next() else { return commit = nil }
    let next = CommitRow(
      first: row["first_position"], last: row["last_position"],
      intakeHash: (row["intake_hash"] as Data?).map { [UInt8]($0) } ?? [], hash: [UInt8](row["hash"] as Data))
    if next.first != last + 1 || next.last < next.first {
      report.add(
        next.first, "the commit of positions \(next.first) to \(next.last) does not follow the one that ends at \(last)"
      )
      isBroken = true
    }
    chain = CommitHash(after: hash, intakeHash: next.intakeHash)
    commit = next
  }

  /// Goes on from the stored hash, so that one change shows once, in its own place.
  private func endCommit() throws {
    guard let commit else { return }
    if !isBroken, chain.finish() != commit.hash {
      report.add(
        commit.first,
        commit.first == commit.last
          ? "event \(commit.first) was changed, or its commit was: the hash chain does not hold there"
          : "something in positions \(commit.first) to \(commit.last), one commit, was changed: the hash chain does not hold there"
      )
    }
    if commit.last == report.head { report.headHash = commit.hash }
    try beginCommit(after: commit.last, commit.hash)
  }
}

/// What an archive holds, in one number.
enum ArchiveHash {
  static func of(_ db: Database) throws -> (count: Int64, hash: [UInt8]) {
    var count: Int64 = 0
    var hash = CommitHash(after: CommitHash.start, intakeHash: [])
    try EventRows.each(db, in: 1...Int64.max) { e in
      count += 1
      hash.add(e)
      return true
    }
    return (count, hash.finish())
  }
}
