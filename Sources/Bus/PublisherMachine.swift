import Alerts
import CrashPoints

/// What a publisher is told by its machine, on the link's thread.
struct PublisherOutcome: Sendable {
  var accepted = 0
  var duplicates = 0
  var rejections: [Rejection] = []
  var rejected = 0
  /// The last `error` that the gateway sent, if nothing was stored since.
  var complaint: (code: String, message: String)?
}

/// Sends what is in the outbox, oldest first, a window at a time, and again after a silence or on another connection, until each message has
/// its own `stored`. An answer to a later message is not taken for an earlier one: libzmq reconnects by itself, and what was in the
/// old connection is lost without a word.
final class PublisherMachine: LinkMachine {
  /// Messages, and bytes, on their way at once: enough that a service has something to do while it waits for the disk, even from a producer that sends
  /// one anomaly at a time, and few enough that looking through them costs nothing.
  static let windowMessages = 256
  static let windowBytes = 16 << 20
  /// After so long without a `stored` everything on its way is sent again; twice as long each time.
  static let silence: Int64 = 2_000_000
  static let longestSilence: Int64 = 30_000_000
  static let heartbeatInterval: Int64 = 10_000_000
  /// Rejections that are kept word by word; all are counted.
  static let rejectionsKept = 10_000

  private struct InFlight {
    var message: OutboxMessage
    var isSent = false
  }

  private let producer: [UInt8]
  private let outbox: any ProducerOutbox
  private let tell: @Sendable (PublisherOutcome) -> Void
  private var outcome = PublisherOutcome()
  private var window: [InFlight] = []
  private var windowBytes = 0
  private var lastLoaded: UInt64 = 0
  private var mayHaveMore = true
  private var stored: [UInt64] = []
  private var storeFailedUntil: Int64 = 0
  private var silence = PublisherMachine.silence
  private var resendAt: Int64?
  private var flushes: [(deadline: Int64, CheckedContinuation<Result<Void, BusError>, Never>)] = []
  private var heartbeat: (json: [UInt8], at: Int64)?
  var trouble: BusError?

  init(producer: String, outbox: any ProducerOutbox, tell: @escaping @Sendable (PublisherOutcome) -> Void) {
    self.producer = Array(producer.utf8)
    self.outbox = outbox
    self.tell = tell
  }

  // MARK: From the publisher

  func more() { mayHaveMore = true }

  func beat(_ json: [UInt8]) { heartbeat = (json, 0) }

  func flush(until deadline: Int64, _ continuation: CheckedContinuation<Result<Void, BusError>, Never>) {
    flushes.append((deadline, continuation))
  }

  // MARK: From the link

  func connected(_ wire: Wire, now: Int64) {
    silence = PublisherMachine.silence
    sendAll(wire, now)
    heartbeat?.at = 0
  }

  func received(_ frames: [[UInt8]], _ wire: Wire, now: Int64) {
    guard frames.count == 4, frames[0].elementsEqual("TOCSIN1".utf8) else { return }
    if frames[1].elementsEqual("stored".utf8) {
      guard let sequence = UInt64(String(decoding: frames[2], as: UTF8.self)),
        let i = window.firstIndex(where: { $0.message.sequence == sequence })
      else { return }
      CrashPoint.pass(.stored)
      windowBytes -= window[i].message.bytes
      window.remove(at: i)
      stored.append(sequence)
      outcome.complaint = nil
      silence = PublisherMachine.silence
      resendAt = now + silence
      count((try? JSON(parsing: frames[3])) ?? .null, sequence)
    } else if frames[1].elementsEqual("error".utf8) {
      outcome.complaint = (
        String(decoding: frames[2], as: UTF8.self), String(decoding: frames[3].prefix(1000), as: UTF8.self)
      )
      tell(outcome)
    }
  }

  private func count(_ answer: JSON, _ sequence: UInt64) {
    outcome.accepted += Int(answer["accepted"]?.int ?? 0)
    outcome.duplicates += Int(answer["duplicates"]?.int ?? 0)
    for item in answer["rejected"]?.array ?? [] {
      outcome.rejected += 1
      guard outcome.rejections.count < PublisherMachine.rejectionsKept else { continue }
      outcome.rejections.append(
        Rejection(sequence: sequence, index: Int(item["index"]?.int ?? -1), error: item["error"]?.string ?? ""))
    }
    tell(outcome)
  }

  func due(_ wire: Wire, now: Int64) -> Int64? {
    removeStored(now)
    fill(now)
    if wire.isConnected {
      for i in window.indices where !window[i].isSent {
        guard send(i, wire) else { break }
        if resendAt == nil { resendAt = now + silence }
      }
      if let at = resendAt, now >= at {
        if !window.isEmpty {
          silence = min(silence * 2, PublisherMachine.longestSilence)
          sendAll(wire, now)
        }
      }
    }
    if window.isEmpty { resendAt = nil }
    if let beat = heartbeat, wire.isConnected, now >= beat.at {
      _ = wire.send(["TOCSIN1", "heartbeat"].map { Array($0.utf8) } + [producer, beat.json])
      heartbeat?.at = now + PublisherMachine.heartbeatInterval
    }
    settleFlushes(now)
    var times = flushes.map(\.deadline)
    if wire.isConnected {
      if let resendAt { times.append(resendAt) }
      if let heartbeat { times.append(heartbeat.at) }
    }
    if storeFailedUntil > now { times.append(storeFailedUntil) }
    return times.min()
  }

  func closed(_ reason: BusError) {
    removeStored(.max)
    for (_, continuation) in flushes { continuation.resume(returning: .failure(reason)) }
    flushes = []
  }

  // MARK: -

  private func sendAll(_ wire: Wire, _ now: Int64) {
    for i in window.indices { window[i].isSent = false }
    for i in window.indices { guard send(i, wire) else { break } }
    resendAt = now + silence
  }

  private func send(_ i: Int, _ wire: Wire) -> Bool {
    let message = window[i].message
    window[i].isSent = wire.send(
      [Array("TOCSIN1".utf8), Array("anomalies".utf8), producer, Array(String(message.sequence).utf8)] + message.events)
    if window[i].isSent { CrashPoint.pass(.sent) }
    return window[i].isSent
  }

  /// A disk that is full or locked is tried again in a second; until then the answered messages stay in the outbox, and at worst the service
  /// counts them as duplicates.
  private func removeStored(_ now: Int64) {
    guard !stored.isEmpty, now >= storeFailedUntil else { return }
    do {
      try outbox.remove(stored)
      stored = []
      trouble = nil
    } catch {
      trouble = error
      storeFailedUntil = now == .max ? .max : now + 1_000_000
    }
  }

  private func fill(_ now: Int64) {
    while mayHaveMore, now >= storeFailedUntil, window.count < PublisherMachine.windowMessages,
      windowBytes < PublisherMachine.windowBytes
    {
      do {
        let loaded = try outbox.load(
          after: lastLoaded, messages: PublisherMachine.windowMessages - window.count,
          bytes: PublisherMachine.windowBytes - windowBytes)
        trouble = nil
        if loaded.isEmpty { mayHaveMore = false }
        for message in loaded {
          lastLoaded = message.sequence
          guard !message.events.isEmpty else {
            stored.append(message.sequence)
            continue
          }
          window.append(InFlight(message: message))
          windowBytes += message.bytes
        }
      } catch {
        trouble = error
        storeFailedUntil = now + 1_000_000
      }
    }
  }

  private func settleFlushes(_ now: Int64) {
    guard !flushes.isEmpty else { return }
    let isEmpty = window.isEmpty && stored.isEmpty && !mayHaveMore
    let isForbidden = outcome.complaint?.code == ErrorCode.forbidden.rawValue
    flushes.removeAll { deadline, continuation in
      if isEmpty {
        continuation.resume(returning: .success(()))
      } else if isForbidden, let complaint = outcome.complaint {
        continuation.resume(returning: .failure(BusError(.refused, complaint.message)))
      } else if now >= deadline {
        continuation.resume(returning: .failure(trouble ?? BusError(.timeout, outcome.complaint?.message ?? "")))
      } else {
        return false
      }
      return true
    }
  }
}
