import Alerts
import ArgumentParser
import EventLog
import Foundation
import TocsinConfiguration

/// `tocsin log verify`, `backup`, `export` and `archive`.
struct LogVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Checks, copies, exports and archives the event log, while the service runs.",
    subcommands: [Verify.self, Backup.self, Export.self, Archive.self])

  /// Which log: the configuration's, or a file of one's own choice.
  struct Source: ParsableArguments {
    @OptionGroup var folder: ConfigVerb.Folder
    @ArgumentParser.Option(help: "A log's file, such as a backup, instead of the configuration's.") var log: String?

    func path() throws -> String { try log ?? folder.load().logPath }
    func reader() throws -> EventLogReader {
      let path = try path()
      return try LogVerb.orFail { try EventLogReader(path: path) }
    }
  }

  /// Prints what went wrong, with its mend, and ends with code 1.
  static func orFail<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let error as EventLogError {
      complain("\(error)")
      throw ExitCode.failure
    }
  }

  static func complain(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count < 2 ? "0\(digits)" : digits
    }.joined()
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks that the log holds together; exits 1 if it does not.",
      discussion: """
        Reads every event, in the log and in its archives: the files' structure, positions without gaps, versions from 1, causes that are
        earlier, data that can be read, and the chain of hashes that shows a byte changed anywhere, and where. Sees the log as it is at one
        moment, while the service goes on.

        Keep the hash that it prints somewhere else: given back with --expect, it proves later that nothing up to there was replaced.
        """)
    @OptionGroup var source: Source
    @ArgumentParser.Option(help: "POSITION:HASH as an earlier run printed it: the log must still contain it.")
    var expect: String?
    @Flag(help: "One JSON document.") var json = false

    func run() throws {
      let expected = try expect.map { try Verify.parse($0) }
      let reader = try source.reader()
      var report = try LogVerb.orFail { try reader.verify(progress: Verify.progress()) }
      if let expected { try LogVerb.orFail { try reader.check(expected.position, expected.hash, &report) } }
      print(json ? report.json.pretty : report.text(reader.path))
      if !report.isSound { throw ExitCode.failure }
    }

    private static func parse(_ text: String) throws -> (position: Int64, hash: [UInt8]) {
      let parts = text.split(separator: ":", maxSplits: 1)
      if parts.count == 2, let position = Int64(parts[0]), parts[1].utf8.count == 64 {
        let digits = Array(parts[1])
        let bytes = stride(from: 0, to: 64, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
        if bytes.count == 32 { return (position, bytes) }
      }
      throw ValidationError("--expect must be POSITION:HASH as `tocsin log verify` prints it, not \"\(text)\"")
    }

    /// A line that grows old in place, where somebody watches.
    static func progress() -> ((Int64, Int64) -> Void)? {
      guard isatty(2) == 1 else { return nil }
      return { position, head in
        FileHandle.standardError.write(Data("\r\(position) of \(head)\u{1B}[K".utf8))
        if position >= head { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
      }
    }
  }

  struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes a consistent copy while the service runs, and verifies it.",
      discussion: "The archives are copied beside it. To restore, stop the service and put the files where `log:` says."
    )
    @OptionGroup var source: Source
    @Argument(help: "The file to make.") var file: String
    @Flag(help: "Replace a file that is there, once the copy is whole.") var replace = false
    @Flag(help: "One JSON document.") var json = false

    func run() throws {
      let reader = try source.reader()
      let report = try LogVerb.orFail { try reader.backup(to: file, overwrites: replace) }
      guard report.isSound else {
        print(json ? report.json.pretty : report.text(file + ".partial"))
        LogVerb.complain(
          "the copy is not sound, and is left as \(file).partial\n  run `tocsin log verify` on the log itself")
        throw ExitCode.failure
      }
      print(json ? report.json.pretty : "\(file): \(report.events) events, verified\n\(report.proof)")
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes the log as CloudEvents, one JSON line each, archived events in their places.")
    @OptionGroup var source: Source
    @ArgumentParser.Option(
      help: "A position (what came after it), a time such as 2026-11-20T06:00:00Z, or an age such as 2h.")
    var since: String?
    @ArgumentParser.Option(help: "Only this alert (or silence, group, …), such as A-1042.") var alert: String?

    func run() throws {
      let now = wallClock()
      let filter = try EventFilter(since: since, alert: alert, types: [], now: now)
      let reader = try source.reader()
      try LogVerb.orFail {
        var out = LineWriter()
        if let subject = alert.flatMap({ Subject($0) ?? AlertID($0)?.subject }) {
          let life = try reader.life(of: subject)
          guard !life.isEmpty else {
            throw EventLogError(
              .unreadable, "nothing in the log is about \(subject)",
              mend: "`tocsin alerts list --all` shows what there is")
          }
          for e in life where e.position > filter.after && filter.takes(e) {
            out.write(e.cloudEvent)
          }
        } else {
          try reader.each(after: filter.after) { e in
            if filter.takes(e) { out.write(e.cloudEvent) }
            return true
          }
        }
        out.flush()
      }
    }
  }

  struct Archive: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Moves finished lives into a file beside the log, which everything still reads.",
      discussion: """
        A life moves when it has ended, nothing is owed any more, and nothing about it is as new as the date. An open alert, a configuration and
        a silence that has not ended never move. The log's own rows go only after the archive has been synced, read back and compared with them.
        Keep archives beside the log: it needs them, and `log backup` takes them along. The log's file does not shrink: its room is used again.
        """)
    @OptionGroup var source: Source
    @ArgumentParser.Option(help: "A date or time such as 2026-08-01. Without it: 90 days ago.") var before: String?
    @Flag(help: "One JSON document.") var json = false

    /// Days that stay in the log, unless a date is given.
    static let retention = Interval.days(90)

    func run() throws {
      let now = wallClock()
      let date = try before.map { text in
        guard let date = Timestamp(rfc3339: text) else {
          throw ValidationError("--before must be a date or time such as 2026-08-01, not \"\(text)\"")
        }
        // What ended a moment ago may still reopen.
        guard date <= now - .days(1) else { throw ValidationError("--before must be at least a day ago, not \(date)") }
        return date
      }
      let path = try source.path()
      let report = try LogVerb.orFail { try LogArchiving(path: path).run(before: date ?? now - Archive.retention) }
      if json {
        let document = JSON.compact([
          "archive": .text(report.path), "events": .int(report.events), "lives": .int(report.subjects),
          "finished_earlier_move": .int(report.finished),
        ])
        return print(document.pretty)
      }
      if report.finished > 0 { print("finished an earlier move: \(report.finished) events") }
      guard let file = report.path else { return print("nothing was over before \(date ?? now - Archive.retention)") }
      print("\(file): \(report.events) events of \(report.subjects) lives")
    }
  }
}

extension LogReport {
  /// What `--expect` takes.
  var proof: String { "\(head):\(LogVerb.hex(headHash))" }

  func text(_ path: String) -> String {
    var lines = problems.map { $0.message }
    if problemCount > problems.count { lines.append("… and \(problemCount - problems.count) more") }
    lines.append(
      isSound
        ? "\(path): sound"
        : "\(path): \(problemCount) \(problemCount == 1 ? "problem" : "problems"); restore it from a backup")
    let beside = archives == 0 ? "" : ", \(archives) \(archives == 1 ? "archive" : "archives")"
    lines.append("\(events) events in \(commits) commits about \(subjects) lives\(beside)")
    lines.append(proof)
    return lines.joined(separator: "\n")
  }

  var json: JSON {
    .compact([
      "sound": .bool(isSound), "head": .int(head), "hash": .string(LogVerb.hex(headHash)), "events": .int(events),
      "commits": .int(commits), "archives": .int(archives), "lives": .int(subjects),
      "problem_count": .int(problemCount),
      "problems": .array(
        problems.map { .compact(["position": $0.position.map { .int($0) } ?? .null, "message": .string($0.message)]) }),
    ])
  }
}

/// Standard output, a buffer at a time.
private struct LineWriter {
  private var buffer: [UInt8] = []

  mutating func write(_ line: JSON) {
    line.write(to: &buffer)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count > 1 << 16 { flush() }
  }

  mutating func flush() {
    FileHandle.standardOutput.write(Data(buffer))
    buffer.removeAll(keepingCapacity: true)
  }
}
