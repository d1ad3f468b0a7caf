package import Alerts
import CrashPoints
import Foundation
import Synchronization

/// An anomaly that the service did not take, and why.
package struct Rejection: Sendable, Equatable {
  /// The message that it was in, as ``Publisher/publish(events:)`` gave it, and its place there from 0.
  package var sequence: UInt64
  package var index: Int
  package var error: String
  package init(sequence: UInt64, index: Int, error: String) {
    self.sequence = sequence
    self.index = index
    self.error = error
  }
}

/// What became of everything that was published, since the publisher was opened.
package struct PublishResult: Sendable, Equatable {
  package var accepted: Int
  package var duplicates: Int
  package var rejected: Int
  /// The first ten thousand.
  package var rejections: [Rejection]
  package init(accepted: Int, duplicates: Int, rejected: Int, rejections: [Rejection]) {
    self.accepted = accepted
    self.duplicates = duplicates
    self.rejected = rejected
    self.rejections = rejections
  }
}

/// Where a range of the given anomalies went.
package struct PublishedBatch: Sendable, Equatable {
  package var sequence: UInt64
  /// Of the anomalies given, in order.
  package var range: Range<Int>
  package init(sequence: UInt64, range: Range<Int>) {
    self.sequence = sequence
    self.range = range
  }
}

/// Sends anomalies to the service and keeps them until it has them.
///
/// One thread of its own holds the connection; any task may publish. What another run of the same producer left in the outbox is sent as well.
package final class Publisher: AnomalyPort {
  /// Of one message: small enough that the service's answers come soon, large enough that the frame around does not count.
  package static let batchEvents = 1000
  package static let batchBytes = 256 * 1024

  package let producer: String
  private let outbox: any ProducerOutbox
  private let link: Link<PublisherMachine>
  private let outcome: OutcomeBox

  private final class OutcomeBox: Sendable {
    let value = Mutex(PublisherOutcome())
  }

  /// A producer whose outbox is a file in `directory`, which outlives this process.
  package convenience init(_ settings: ConnectionSettings, producer: String, outbox directory: String) throws(BusError)
  {
    try self.init(settings, producer: producer, outbox: FileOutbox(directory: directory, producer: producer))
  }

  package init(_ settings: ConnectionSettings, producer: String, outbox: any ProducerOutbox) throws(BusError) {
    guard !producer.isEmpty, producer.utf8.count <= Limits.nameBytes, !producer.utf8.contains(where: { $0 < 0x20 })
    else {
      throw BusError(.refused, "a producer's name has 1 to \(Limits.nameBytes) bytes, and no control characters")
    }
    self.producer = producer
    self.outbox = outbox
    let outcome = OutcomeBox()
    self.outcome = outcome
    link = try Link(
      settings, name: "tocsin-publisher",
      PublisherMachine(producer: producer, outbox: outbox) { new in outcome.value.withLock { $0 = new } })
  }

  package func publish(_ anomalies: [Anomaly]) async throws {
    _ = try publish(events: anomalies.map(\.cloudEvent))
  }

  /// Keeps them, as CloudEvents in JSON, and has them sent. When it returns they are in the outbox.
  ///
  /// Throws when one is larger than the service would take, or the outbox is full or can't be written; none of them is kept then.
  @discardableResult
  package func publish(events: [[UInt8]]) throws(BusError) -> [PublishedBatch] {
    guard !events.isEmpty else { return [] }
    var batches: [PublishedBatch] = []
    var messages: [[[UInt8]]] = []
    var start = 0
    var size = 0
    for (i, event) in events.enumerated() {
      guard event.count <= Anomaly.sizeLimit else {
        throw BusError(
          .refused, "anomaly \(i + 1) has \(event.count) bytes, over the limit of \(Anomaly.sizeLimit); none was sent")
      }
      if i > start, i - start == Publisher.batchEvents || size + event.count > Publisher.batchBytes {
        messages.append(Array(events[start..<i]))
        batches.append(PublishedBatch(sequence: 0, range: start..<i))
        start = i
        size = 0
      }
      size += event.count
    }
    messages.append(Array(events[start...]))
    batches.append(PublishedBatch(sequence: 0, range: start..<events.count))
    let first = try outbox.append(messages)
    CrashPoint.pass(.spool)
    for i in batches.indices { batches[i].sequence = first + UInt64(i) }
    guard link.perform({ machine, _, _ in machine.more() }) else {
      throw BusError(.closed, "the publisher is closed; what was published is kept in \(outbox.place)")
    }
    return batches
  }

  /// Waits until everything in the outbox is stored. Throws when that takes longer, when the service refuses this client's key, or when the
  /// outbox can't be read; what is not stored stays in the outbox.
  @discardableResult
  package func flush(timeout: Interval = .seconds(30)) async throws(BusError) -> PublishResult {
    let deadline = monotonicMicroseconds() + timeout.microseconds
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Void, BusError>, Never>) in
      let isOpen = link.perform { machine, _, _ in machine.flush(until: deadline, continuation) }
      if !isOpen { continuation.resume(returning: .failure(BusError(.closed, "the publisher is closed"))) }
    }
    if case .failure(let error) = result {
      let waiting = outbox.waiting
      let why = error.kind == .timeout && error.message.isEmpty ? link.status.description : error.message
      throw BusError(error.kind, "\(waiting.anomalies) anomalies are not yet stored (kept \(keptWhere)): \(why)")
    }
    return self.result
  }

  package func settle() async throws {
    if waiting.messages > 0 { try await flush() }
  }

  private var keptWhere: String { outbox is MemoryOutbox ? outbox.place : "in \(outbox.place)" }

  package var result: PublishResult {
    outcome.value.withLock {
      PublishResult(
        accepted: $0.accepted, duplicates: $0.duplicates, rejected: $0.rejected, rejections: $0.rejections)
    }
  }

  /// What waits for the service.
  package var waiting: OutboxLevel { outbox.waiting }

  /// Sent now, and every ten seconds from now on.
  package func heartbeat(_ json: JSON) async {
    let bytes = json.bytes
    link.perform { machine, _, _ in machine.beat(bytes) }
  }

  /// Ends the thread, and lets another process have the outbox. What is not stored stays in it.
  package func close() {
    link.close(waiting: true)
    outbox.close()
  }
}
