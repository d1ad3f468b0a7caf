import CZeroMQ
import Foundation
import Synchronization

/// How fast the gateway takes anomalies, beside what libzmq moves over the same loopback with nothing done to it.
package struct BusBenchmark: Sendable {
  /// Anomalies a second.
  package var gateway: Double
  package var raw: Double

  /// One sender, messages of `batch` anomalies of `bytes` each, for about so many seconds each way.
  package static func run(seconds: Double = 1, batch: Int = 100, bytes: Int = 300) throws(BusError) -> BusBenchmark {
    let batch = max(1, min(batch, Limits.eventsPerMessage))
    let head = ["TOCSIN1", "anomalies", "benchmark", "1"].map { Array($0.utf8) }
    let message = head + Array(repeating: [UInt8](repeating: 0x20, count: bytes), count: batch)
    let duration = Int64(seconds * 1_000_000)

    let server = try Gateway(GatewaySettings(gateway: "tcp://127.0.0.1:*", feed: "tcp://127.0.0.1:*"))
    let gateway = try measure(server.endpoint, message, duration) { () throws(BusError) in
      try server.wait(until: 100_000)
      return server.receive(limit: 20_000).reduce(0) { $0 + $1.weight }
    }
    let router = try Socket(try Context(), .router)
    try router.set(ZMQ_RCVHWM, Limits.receiveQueue)
    try router.bind("tcp://127.0.0.1:*")
    let waker = try GatewayWaker()
    let raw = try measure(router.endpoint, message, duration) { () throws(BusError) in
      try waitForAny(of: [router], or: waker, microseconds: 100_000)
      var count = 0
      while count < 200, router.receive() != nil {
        while router.receive()?.more == true {}
        count += 1
      }
      return count * batch
    }
    return BusBenchmark(gateway: gateway, raw: raw)
  }

  private static func measure(
    _ endpoint: String, _ message: [[UInt8]], _ duration: Int64, _ take: () throws(BusError) -> Int
  ) throws(BusError) -> Double {
    let stop = Stop()
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      defer { ended.signal() }
      guard let context = try? Context(), let dealer = try? Socket(context, .dealer) else { return }
      try? dealer.set(ZMQ_LINGER, 0)
      try? dealer.connect(endpoint)
      while !stop.isSet { if dealer.send(message) != .done { usleep(100) } }
    }
    defer {
      stop.set()
      ended.wait()
    }
    // The connection and the first allocations are not what is measured.
    var started: Int64?
    var count = 0
    let giveUp = monotonicMicroseconds() + 5_000_000 + duration
    while true {
      let taken = try take()
      let now = monotonicMicroseconds()
      guard let start = started else {
        if taken > 0 { started = now }
        if now > giveUp { throw BusError(.timeout, "the benchmark's sender did not connect") }
        continue
      }
      count += taken
      if now - start >= duration { return Double(count) * 1_000_000 / Double(now - start) }
    }
  }

  private final class Stop: Sendable {
    private let flag = Mutex(false)
    var isSet: Bool { flag.withLock { $0 } }
    func set() { flag.withLock { $0 = true } }
  }
}
