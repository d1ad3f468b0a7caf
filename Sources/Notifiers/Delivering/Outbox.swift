package import Alerts
import Dispatch
import Foundation

/// A folder of messages, one file each: what was sent, or what would have been where no server is configured.
///
/// A mail is a `.eml` file, any mail program opens it. Everything else is a `.json` file: `channel`, `destination`, `receiver`, `purpose`, `key`,
/// `subject`, `at`, `title`, and in `requests` each exchange's `action` and `body`. Secrets (tokens, routing keys) are in neither.
package final class Outbox: Sendable {
  /// More files than this and the oldest go: a demonstration that runs for months must not fill the disk.
  package static let fileLimit = 10_000
  /// The folder is counted after each so many writes.
  static let countEvery = 200

  package let directory: String
  private let queue = DispatchQueue(label: "tocsin.outbox")

  package init(directory: String) { self.directory = directory }

  /// Writes the message under a name that depends on the job's key alone, so that a second try replaces the first. When it returns, the file is
  /// whole, named and synced.
  package func write(_ message: RenderedMessage, for job: Job, now: Timestamp) async throws {
    let name = Outbox.fileName(job, form: message.form)
    let bytes = Outbox.bytes(message, job, now: now)
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      queue.async { [directory] in
        continuation.resume(with: Result { try Outbox.store(bytes, as: name, in: directory) })
      }
    }
  }

  /// `20261120T060211.000000Z-A-1042_firing_1-3f2a9c01.eml`: the time when the message was requested, its key made safe for any file
  /// system, and a digest, since two keys may be made safe into the same name.
  package static func fileName(_ job: Job, form: RenderedMessage.Form) -> String {
    let micros = job.requestedAt.microseconds % 1_000_000
    let seconds = Timestamp(microseconds: job.requestedAt.microseconds - micros).rfc3339
    let stamp = seconds.filter { $0.isNumber || $0 == "T" }
    let decimals = String(micros.magnitude + 1_000_000).dropFirst()
    let safe = String(
      job.key.unicodeScalars.prefix(80).map { c in
        c.isASCII && (c.properties.isAlphabetic || c.properties.numericType != nil || c == "-" || c == ".")
          ? Character(c) : "_"
      })
    let ending = form == .mail ? "eml" : "json"
    return "\(stamp).\(decimals)Z-\(safe)-\(Mail.digest(job.key).prefix(8)).\(ending)"
  }

  static func bytes(_ message: RenderedMessage, _ job: Job, now: Timestamp) -> [UInt8] {
    if message.form == .mail, let mail = message.parts.first { return mail.body }
    let requests = message.parts.map { part -> JSON in
      // What a channel renders as JSON is copied as it stands.
      let body: JSON = message.form == .json ? .raw(part.body) : .string(String(decoding: part.body, as: UTF8.self))
      return ["action": .string(part.action), "body": body]
    }
    let envelope: JSON = [
      "channel": .string(job.channel), "destination": .string(job.destination), "receiver": .string(job.receiver),
      "purpose": .string(job.purpose.rawValue), "key": .string(job.key), "subject": .string(job.subject.description),
      "at": .string(now.rfc3339), "title": .string(message.title), "requests": .array(requests),
    ]
    return envelope.bytes + [UInt8(ascii: "\n")]
  }

  private static func store(_ bytes: [UInt8], as name: String, in directory: String) throws {
    func fail(_ what: String) -> OutboxError {
      OutboxError("can't \(what) in the outbox \(directory): \(String(cString: strerror(errno)))")
    }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let temporary = "\(directory)/.\(name).\(getpid())"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
    guard file >= 0 else { throw fail("make a file") }
    var written = 0
    while written < bytes.count {
      let n = bytes.withUnsafeBytes { b in
        Foundation.write(file, b.baseAddress.map { $0 + written }, bytes.count - written)
      }
      if n < 0, errno == EINTR { continue }
      guard n > 0 else {
        let error = fail("write \(name)")
        close(file)
        unlink(temporary)
        throw error
      }
      written += n
    }
    let synced = fsync(file) == 0
    close(file)
    guard synced, rename(temporary, "\(directory)/\(name)") == 0 else {
      let error = fail("keep \(name)")
      unlink(temporary)
      throw error
    }
    let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
    // The name's digest is as good as a random number: on average, the folder is counted once in `countEvery` writes.
    if let draw = UInt32(name.dropLast(name.hasSuffix(".eml") ? 4 : 5).suffix(8), radix: 16),
      draw % UInt32(countEvery) == 0
    {
      prune(directory, keep: fileLimit)
    }
  }

  /// Removes the oldest files beyond `keep`; names sort by time.
  static func prune(_ directory: String, keep: Int) {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return }
    let messages = names.filter { $0.hasSuffix(".eml") || $0.hasSuffix(".json") }.sorted()
    for name in messages.dropLast(keep) { unlink("\(directory)/\(name)") }
  }
}

package struct OutboxError: Error, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}
