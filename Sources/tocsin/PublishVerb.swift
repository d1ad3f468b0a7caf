import Alerts
import ArgumentParser
import Bus
import Foundation
import TocsinConfiguration

/// `tocsin publish`: anomalies from a file or a pipe, until the service has them.
struct PublishVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish", abstract: "Sends anomalies, one JSON object a line, and waits until all are durable.",
    discussion: """
      Reads CloudEvents of type tocsin.anomaly.v1, or their data alone:
        {"event_type":"listing_views","metric":"total_views","value":245,"expected":1850}
      What is missing around the data (id, source, time) is filled in. Anomalies are kept on disk until the service \
      has stored them, so that a second run sends what a first could not. Exits 1 if any was rejected or not stored.
      """)

  @OptionGroup var connection: BusConnection
  @Option(help: "Read this file instead of the standard input.") var file: String?
  @Option(help: "The producer's name, for ever; one process at a time. Default: publish/HOST-N.") var producer: String?
  @Option(help: "The source of anomalies that name none. Default: the producer's name.") var source: String?
  @Option(help: "Where anomalies are kept until they are stored.") var outbox: String?
  @Option(help: "How long to wait for the service, such as 30s or 5m.") var timeout = "1m"
  @Flag(help: "Print the outcome as one JSON document.") var json = false

  /// Anomalies that may wait for the service before more is read: a long file should not fill the disk.
  private static let waitingLimit = 100_000

  func validate() throws {
    if Interval(timeout).map({ $0 > .zero }) != true {
      throw ValidationError("--timeout must be a length of time such as 30s or 5m, not \"\(timeout)\"")
    }
  }

  func run() async throws {
    let configuration = try connection.configuration()
    let settings = try connection.settings(configuration)
    let directory = outbox ?? configuration.map { $0.dataDirectory + "/publishers" } ?? PublishVerb.stateDirectory
    let timeout = Interval(timeout) ?? .minutes(1)
    let input = try openInput()
    let publisher = try open(settings, directory)
    defer { publisher.close() }

    var run = PublishRun(publisher: publisher, source: source ?? publisher.producer, input: input)
    do {
      while try run.readSome() {
        if publisher.waiting.anomalies > PublishVerb.waitingLimit { try await publisher.flush(timeout: timeout) }
      }
      try await publisher.flush(timeout: timeout)
    } catch let error as BusError {
      run.tally.failure = error.message
    }
    run.tally.take(publisher.result)
    run.tally.print(json: json)
    if run.tally.failure != nil || run.tally.rejected > 0 { throw ExitCode(1) }
  }

  private func openInput() throws -> FileHandle {
    guard let file, file != "-" else { return .standardInput }
    guard let handle = FileHandle(forReadingAtPath: file) else {
      throw BusError(.refused, "\(file) can't be read; is it there?")
    }
    return handle
  }

  /// The first of `publish/HOST-1`, `-2`, … that no other process has, so that a few names serve for ever and what one run left behind
  /// is sent by a later one.
  private func open(_ settings: ConnectionSettings, _ directory: String) throws -> Publisher {
    if let producer { return try Publisher(settings, producer: producer, outbox: directory) }
    let host = ProcessInfo.processInfo.hostName
    for n in 1..<64 {
      if let publisher = try free("publish/\(host)-\(n)", settings, directory) { return publisher }
    }
    throw BusError(.refused, "sixty-three other `tocsin publish` run on this machine; wait, or give --producer NAME")
  }

  /// Nil while another process has this producer's outbox.
  private func free(_ producer: String, _ settings: ConnectionSettings, _ directory: String) throws -> Publisher? {
    let opened = Result { () throws(BusError) in try Publisher(settings, producer: producer, outbox: directory) }
    if case .failure(let error) = opened, error.kind == .inUse { return nil }
    return try opened.get()
  }

  /// Where programs keep what is theirs (XDG base directories).
  static var stateDirectory: String {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["XDG_STATE_HOME"] ?? (environment["HOME"] ?? ".") + "/.local/state"
    return home + "/tocsin/publishers"
  }
}

/// Reads lines and publishes them, a batch at a time.
private struct PublishRun {
  let publisher: Publisher
  let source: String
  var lines: LineReader
  var tally = Tally()
  private var batch: [[UInt8]] = []
  private var numbers: [Int] = []
  private var bytes = 0

  init(publisher: Publisher, source: String, input: FileHandle) {
    self.publisher = publisher
    self.source = source
    lines = LineReader(input)
    tally.leftBefore = publisher.waiting.anomalies
  }

  /// Publishes what is here, or a batch of it; false at the end. What comes slowly from a pipe is sent as it comes.
  mutating func readSome() throws -> Bool {
    while let line = try lines.next() {
      take(line)
      if batch.count >= Publisher.batchEvents || bytes > 1 << 20 || !lines.hasMore {
        try send()
        return true
      }
    }
    try send()
    return false
  }

  private mutating func take(_ line: [UInt8]) {
    if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
    switch PublishedLine.event(line, source: source, now: wallClock()) {
    case .success(let event):
      batch.append(event)
      numbers.append(lines.number)
      bytes += event.count
    case .failure(let refusal): tally.refuse(line: lines.number, refusal.message)
    }
  }

  private mutating func send() throws {
    for published in try publisher.publish(events: batch) {
      tally.lines[published.sequence] = Array(numbers[published.range])
    }
    batch = []
    numbers = []
    bytes = 0
  }
}

/// What became of the lines.
private struct Tally {
  var lines: [UInt64: [Int]] = [:]
  var refusals: [(line: Int?, error: String)] = []
  var rejected = 0
  var accepted = 0
  var duplicates = 0
  var leftBefore = 0
  var failure: String?

  mutating func refuse(line: Int, _ error: String) {
    rejected += 1
    if refusals.count < 10_000 { refusals.append((line, error)) }
  }

  mutating func take(_ result: PublishResult) {
    accepted = result.accepted
    duplicates = result.duplicates
    rejected += result.rejected
    for rejection in result.rejections {
      let numbers = lines[rejection.sequence] ?? []
      refusals.append((numbers.indices.contains(rejection.index) ? numbers[rejection.index] : nil, rejection.error))
    }
    refusals.sort { ($0.line ?? 0) < ($1.line ?? 0) }
  }

  func print(json: Bool) {
    if json {
      let outcome = JSON.compact([
        "accepted": .int(accepted), "duplicates": .int(duplicates),
        "rejected": .array(
          refusals.map { .compact(["line": $0.line.map { .int($0) } ?? .null, "error": .string($0.error)]) }),
        "error": .text(failure),
      ])
      Swift.print(outcome.text)
    } else {
      for refusal in refusals.prefix(100) {
        complain("\(refusal.line.map { "line \($0)" } ?? "of an earlier run"): \(refusal.error)")
      }
      if refusals.count > 100 { complain("… and \(rejected - 100) more") }
      if leftBefore > 0 { Swift.print("\(leftBefore) were left by an earlier run") }
      Swift.print("\(accepted) accepted, \(duplicates) duplicates, \(rejected) rejected")
    }
    if let failure, !json { complain("Error: \(failure)") }
  }
}

/// To the standard error, a line.
func complain(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }
