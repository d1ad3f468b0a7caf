import Alerts
import Bus
import Logging
import Notifiers
import Service
import ServiceLifecycle
import Synchronization
import TocsinConfiguration

/// What became of the calls to the outbound heartbeat's address.
struct OutboundCounts: Sendable, Equatable {
  var sent = 0
  var failed = 0
  /// Not made, because not all was well.
  var withheld = 0
  /// Why the last one failed, without the address: it is a secret.
  var error: String?
}

final class OutboundCounter: Sendable {
  private let value = Mutex(OutboundCounts())
  var counts: OutboundCounts { value.withLock { $0 } }
  func update(_ body: (inout OutboundCounts) -> Void) { value.withLock { body(&$0) } }
}

/// Calls an address elsewhere while all is well: when the calls end, somebody outside knows.
///
/// On a task of its own, with a timeout: it waits for nobody's server on the service's behalf. It believes the auditor only while the auditor looks: a service
/// that hangs says nothing more, and its last word was that all is well.
struct OutboundBeat: Sendable {
  /// An audit that is older than this says nothing about now.
  static let freshFor = Auditor.interval * 6

  let settings: OutboundHeartbeat
  let transport: any Transport
  let counter: OutboundCounter
  let logger: Logger
  let audit: @Sendable () -> AuditReport
  let now: @Sendable () -> Timestamp

  static func mayCall(_ report: AuditReport, now: Timestamp) -> Bool {
    guard report.isWell, let at = report.at else { return false }
    return now - at <= freshFor
  }

  func run() async {
    while !Task.isCancelled {
      let start = ContinuousClock.now
      // At the start the auditor has not looked yet.
      var patience = 50
      while audit().at == nil, patience > 0, !Task.isCancelled {
        patience -= 1
        try? await Task.sleep(for: .milliseconds(100))
      }
      if OutboundBeat.mayCall(audit(), now: now()) { await call() } else { counter.update { $0.withheld += 1 } }
      try? await Task.sleep(until: start + .microseconds(settings.every.microseconds), clock: .continuous)
    }
  }

  private func call() async {
    var request = TransferRequest(.http(method: "GET", headers: []), url: settings.url, body: [])
    request.connectTimeout = settings.timeout
    request.timeout = settings.timeout
    request.secrets = SlackChannel.secretParts(settings.url)
    let failure: String?
    switch await transport.perform(request) {
    case .success(let response):
      failure = (200..<300).contains(response.status) ? nil : "it answered HTTP \(response.status)"
    case .failure(let error): failure = error.message
    }
    let before = counter.counts.error
    counter.update {
      $0.error = failure
      if failure == nil { $0.sent += 1 } else { $0.failed += 1 }
    }
    if let failure, before == nil {
      logger.error("the outbound heartbeat does not arrive", metadata: ["why": "\(failure)"])
    } else if failure == nil, before != nil {
      logger.notice("the outbound heartbeat arrives again")
    }
  }
}

extension Running {
  /// Calls the address of `audit.heartbeat` while all is well; follows edits.
  func outboundHeartbeat() throws -> Part {
    let edits = AsyncStream<Configuration>.makeStream(bufferingPolicy: .bufferingNewest(1))
    onEdit { edits.continuation.yield($0) }
    let transport = try CurlTransport()
    let (counter, status, first) = (outbound, host.status, current)
    let begin: @Sendable (OutboundHeartbeat?) -> Task<Void, Never>? = { settings in
      settings.map { settings in
        let beat = OutboundBeat(
          settings: settings, transport: transport, counter: counter, logger: Logger(label: "tocsin.heartbeat"),
          audit: { status.snapshot.audit }, now: wallClock)
        return Task { await beat.run() }
      }
    }
    return Part("outbound heartbeat") {
      try await Part.untilStopped({ edits.continuation.finish() }) {
        var settings = first.audit.outbound
        var task = begin(settings)
        for await configuration in edits.stream where configuration.audit.outbound != settings {
          settings = configuration.audit.outbound
          task?.cancel()
          task = begin(settings)
        }
        task?.cancel()
        transport.close()
      }
    }
  }
}
