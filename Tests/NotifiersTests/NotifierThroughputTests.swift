import Alerts
import Foundation
import Testing

@testable import Notifiers

@Suite struct NotifierThroughputTests {
  @Test("one worker keeps a receiver busy over kept-alive connections")
  func throughput() async throws {
    let server = try LocalServer.http()
    let count = 1000
    var settings = NotifierSettings()
    settings.receiverOptions["r"] = ["url": .string(server.url("/ok/hook"))]
    let now = NotifierWorker.wallClock()
    let port = TestPort()
    let transport = try CurlTransport()
    var limits = NotifierWorker.Limits()
    // However busy the machine is: here nobody leases again what is handed back.
    limits.slowAfter = .minutes(5)
    let worker = NotifierWorker(name: "w", settings: settings, port: port, transport: transport, limits: limits)
    let running = Task { await worker.run() }
    let start = ContinuousClock.now
    for i in 0..<count {
      // As the service does: no more at once than the worker's credit.
      while i - port.receipts.count >= limits.credit { try await Task.sleep(for: .milliseconds(1)) }
      port.give([
        Samples.job(
          "webhook", to: "r", alert: Samples.alert(Int64(i + 1)), key: "k\(i)", receiver: "r", requestedAt: now,
          leaseUntil: now + .minutes(5))
      ])
    }
    let receipts = try await port.receipts(count)
    let took = ContinuousClock.now - start
    await worker.stop()
    await running.value
    transport.close()
    let delivered = receipts.count { $0.outcome == .delivered }
    print("notifier: \(delivered) of \(count) messages in \(took), into Python's http.server")
    let arrived = server.arrived
    #expect(
      Set(arrived.compactMap { $0["headers"]?["idempotency-key"]?.string }).count == arrived.count, "no message twice")
    #expect(Set(arrived.compactMap { $0["peer"]?.int }).count <= 16, "connections are kept alive")
    #expect(delivered == count && arrived.count == count)
  }
}
