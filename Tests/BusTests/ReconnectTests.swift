import CZeroMQ
import Foundation
import Testing

@testable import Bus

/// A client's connection by itself, against a bare socket.
@Suite struct ReconnectTests {
  /// libzmq ends the process (`Assertion failed: !_more`, fq.cpp) if the queue of a socket is taken away while a message of it is
  /// half read. Long messages make that likely: it looks for such news every hundred frames.
  @Test(.timeLimit(.minutes(2))) func aPeerThatGoesInTheMiddleOfAMessageEndsNothing() throws {
    let context = try Context(sockets: 16)
    var endpoint = "tcp://127.0.0.1:*"
    let count = Counter()
    var link: Link<GreetingMachine>?
    for round in 1...20 {
      let peer = try Self.peer(context, at: &endpoint)
      if link == nil {
        let settings = ConnectionSettings(gateway: endpoint, feed: endpoint, context: context)
        link = try Link(settings, name: "test", GreetingMachine(count))
      }
      var greeting: [[UInt8]]?
      while greeting == nil {
        greeting = peer.receiveMessage()
        if greeting == nil { usleep(1000) }
      }
      let (client, before) = (greeting?.first ?? [], count.whole)
      let message = [client] + [[UInt8]](repeating: Array("frame".utf8), count: GreetingMachine.frames)
      for _ in 0..<200 { peer.send(message) }
      // It goes while the client reads.
      while count.whole == before { usleep(100) }
      #expect(count.whole > before, "round \(round)")
    }
    link?.close(waiting: true)
    #expect(count.torn == 0)
  }

  private static func peer(_ context: Context, at endpoint: inout String) throws -> Socket {
    while true {
      let peer = try Socket(context, .router)
      try peer.set(ZMQ_LINGER, 0)
      do {
        try peer.bind(endpoint)
        endpoint = peer.endpoint
        return peer
      } catch { usleep(5000) }
    }
  }
}

private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var counts = (whole: 0, torn: 0)
  var whole: Int { lock.withLock { counts.whole } }
  var torn: Int { lock.withLock { counts.torn } }
  func add(_ isWhole: Bool) { lock.withLock { if isWhole { counts.whole += 1 } else { counts.torn += 1 } } }
}

/// Says one word when it is connected, and counts what comes.
private final class GreetingMachine: LinkMachine {
  static let frames = 499
  private let count: Counter
  init(_ count: Counter) { self.count = count }
  func connected(_ wire: Wire, now: Int64) { _ = wire.send([Array("hello".utf8)]) }
  func received(_ frames: [[UInt8]], _ wire: Wire, now: Int64) { count.add(frames.count == Self.frames) }
  func due(_ wire: Wire, now: Int64) -> Int64? { nil }
  func closed(_ reason: BusError) {}
}
