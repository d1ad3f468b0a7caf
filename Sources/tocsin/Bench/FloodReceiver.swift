import Foundation
import Glibc
import Synchronization

/// An HTTP receiver on loopback for many connections at once: one thread, poll(2). It answers `ok` at once, but for paths that begin with `/stuck`, which it
/// takes and never answers, and notes when the message of each number was there in full.
///
/// A message's number stands in its body as `seq-` and digits.
final class FloodReceiver: Sendable {
  let port: Int
  private struct State {
    var count = 0
    var arrivals: [Int: ContinuousClock.Instant] = [:]
    var connections = 0
    var isClosed = false
  }
  private let state = Mutex(State())
  private let server: Int32
  private static let answer = Array("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok".utf8)

  init() throws {
    port = BenchPort.free()
    server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var on: Int32 = 1
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var address = FloodReceiver.address(port)
    let bound = withUnsafePointer(to: &address) { p in
      p.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard bound == 0, listen(server, 512) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EADDRINUSE) }
    Thread.detachNewThread { [self] in serve() }
  }

  static func address(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  var count: Int { state.withLock { $0.count } }
  /// How many connections were ever made to it.
  var connections: Int { state.withLock { $0.connections } }
  func arrival(_ number: Int) -> ContinuousClock.Instant? { state.withLock { $0.arrivals[number] } }
  func reset() { state.withLock { ($0.count, $0.connections, $0.arrivals) = (0, 0, [:]) } }

  func close() {
    state.withLock { $0.isClosed = true }
    shutdown(server, Int32(SHUT_RDWR))
  }

  private func serve() {
    var buffers: [Int32: [UInt8]] = [:]
    var watched = [pollfd(fd: server, events: Int16(POLLIN), revents: 0)]
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while !state.withLock({ $0.isClosed }) {
      guard poll(&watched, nfds_t(watched.count), 1000) > 0 else { continue }
      var isOver = false
      for i in watched.indices where watched[i].revents != 0 {
        let descriptor = watched[i].fd
        if descriptor == server {
          let client = accept(server, nil, nil)
          guard client >= 0 else { continue }
          var on: Int32 = 1
          setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
          state.withLock { $0.connections += 1 }
          buffers[client] = []
          watched.append(pollfd(fd: client, events: Int16(POLLIN), revents: 0))
          continue
        }
        let got = recv(descriptor, &chunk, chunk.count, 0)
        guard got > 0 else {
          buffers[descriptor] = nil
          Glibc.close(descriptor)
          watched[i].fd = -1
          isOver = true
          continue
        }
        buffers[descriptor, default: []] += chunk[..<got]
        while let used = take(buffers[descriptor] ?? [], descriptor) { buffers[descriptor]?.removeFirst(used) }
      }
      if isOver { watched.removeAll { $0.fd < 0 } }
    }
    for descriptor in buffers.keys { Glibc.close(descriptor) }
    Glibc.close(server)
  }

  /// Answers the request at the front. Nil if it is not there in full.
  private func take(_ bytes: [UInt8], _ descriptor: Int32) -> Int? {
    guard let head = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    var length = 0
    for line in bytes[..<head.lowerBound].split(separator: UInt8(ascii: "\n"))
    where line.count > 15 && line.prefix(15).map({ $0 | 0x20 }).elementsEqual("content-length:".utf8) {
      for digit in line.dropFirst(15) where digit >= 48 && digit <= 57 { length = length * 10 + Int(digit - 48) }
    }
    guard bytes.count >= head.upperBound + length else { return nil }
    let isStuck = bytes.starts(with: Array("POST /stuck".utf8))
    let number = FloodReceiver.number(in: bytes[head.upperBound..<head.upperBound + length])
    let now = ContinuousClock.now
    state.withLock {
      if !isStuck { $0.count += 1 }
      if let number { $0.arrivals[number] = now }
    }
    if !isStuck {
      _ = FloodReceiver.answer.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
    return head.upperBound + length
  }

  private static func number(in body: ArraySlice<UInt8>) -> Int? {
    guard let mark = body.firstRange(of: Array("seq-".utf8)) else { return nil }
    var n = 0
    for digit in body[mark.upperBound...].prefix(9) {
      guard digit >= 48, digit <= 57 else { break }
      n = n * 10 + Int(digit - 48)
    }
    return n
  }
}

/// The least that a client can do: one blocking connection that is kept alive, and a body that is always the same.
enum PlainClient {
  /// Messages a second over so many connections, each with its own thread.
  static func rate(port: Int, body: [UInt8], messages: Int, connections: Int) async -> Double {
    let request =
      Array("POST /plain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
    let start = ContinuousClock.now
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<connections {
        group.addTask {
          await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            Thread.detachNewThread {
              send(request, port: port, times: messages / connections)
              done.resume()
            }
          }
        }
      }
    }
    return Double(messages / connections * connections) / ((ContinuousClock.now - start) / .seconds(1))
  }

  private static func send(_ request: [UInt8], port: Int, times: Int) {
    let s = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(s) }
    var address = FloodReceiver.address(port)
    let connected = withUnsafePointer(to: &address) { p in
      p.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(s, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { return }
    var on: Int32 = 1
    setsockopt(s, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    var buffer = [UInt8](repeating: 0, count: 1024)
    for _ in 0..<times {
      guard request.withUnsafeBytes({ Glibc.send(s, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }) == request.count,
        recv(s, &buffer, buffer.count, 0) > 0
      else { return }
    }
  }
}
