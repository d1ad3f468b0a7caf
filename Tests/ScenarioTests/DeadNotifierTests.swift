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
    let events = try w.shell("tocsin events").output
    #expect(
      events.contains("is gone; it may have been sent") && !events.contains("did not say what became of it"),
      "\(events)")
  }
}
