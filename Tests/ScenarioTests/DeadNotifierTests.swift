import Alerts
import Bus
import Foundation
import Testing

/// A notifier process that is killed with a message in hand: another sends it, and not only when the lease has run out.
@Suite struct DeadNotifierTests {
  @Test("a page waits for the lease of a notifier that is dead", .timeLimit(.minutes(3)))
  func anotherNotifierSendsWhatADeadOneHadInHand() async throws {
    let w = try World()
    defer { w.end() }
    try w.useHookConfiguration()
    try await w.hooks()
    try w.tocsin("serve", "serve")
    try await w.until("the service is ready") { w.isReadyQuick() }
    let first = try w.tocsin("first", crashAt: "take:1", "notify")
    try await w.until("the first notifier runs") { w.log("first").contains("takes") }
    let publisher = try w.publisher()
    defer { publisher.close() }
    try publisher.publish(events: [World.anomaly("cpu")])
    try await w.until("the first notifier was killed") { !first.isRunning }
    try w.tocsin("second", "notify")
    try await w.until("the message has arrived") { !w.arrivals("cpu", "firing").isEmpty }
    #expect(w.arrivals("cpu", "firing").values.reduce(0, +) == 1)
    // A command for a version that is over is refused; one that says so by another name is wrong use, and no success.
    #expect(try w.shell("tocsin alerts ack A-1 --as ana --if-version 0").status == 1)
    #expect(try w.shell("tocsin alerts ack A-1 --as ana --version 0").status == 64)
    let version = try w.run("--version")
    #expect(version.status == 0 && version.output.split(separator: ".").count == 3, "\(version.output)")
    let events = try w.shell("tocsin events").output
    #expect(!events.contains(#""type":"acknowledged""#))
    #expect(
      events.contains("is gone; it may have been sent") && !events.contains("did not say what became of it"),
      "\(events)")
  }
}
