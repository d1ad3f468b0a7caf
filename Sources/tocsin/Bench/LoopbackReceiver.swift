import Foundation
import Synchronization

/// An HTTP receiver on loopback that answers `ok` at once, and tells when each request was there in full.
final class LoopbackReceiver: Sendable {
  let port: Int
  private let descriptor: Int32
  private let count = Mutex(0)
  private let arrived = DispatchSemaphore(value: 0)

  init() throws {
    port = BenchPort.free()
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let bound = withUnsafePointer(to: &address) { p in
      p.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard bound == 0, listen(descriptor, 128) == 0 else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EADDRINUSE)
    }
    let server = descriptor
    Thread.detachNewThread { [self] in
      while case let client = accept(server, nil, nil), client >= 0 {
        var on: Int32 = 1
        setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        Thread.detachNewThread { [self] in serve(client) }
      }
    }
  }

  func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// Waits for the next request; false after ten seconds.
  func next() -> Bool { arrived.wait(timeout: .now() + 10) == .success }

  private func serve(_ client: Int32) {
    defer { Glibc.close(client) }
    var buffer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let answer = Array("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok".utf8)
    let mark = Array("\r\n\r\n".utf8)
    while true {
      let n = recv(client, &chunk, chunk.count, 0)
      guard n > 0 else { return }
      buffer += chunk[..<n]
      while let head = buffer.firstRange(of: mark) {
        let headers = String(decoding: buffer[..<head.lowerBound], as: UTF8.self).lowercased()
        let length =
          headers.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
          .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
        guard buffer.count >= head.upperBound + length else { break }
        buffer.removeFirst(head.upperBound + length)
        arrived.signal()
        _ = answer.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      }
    }
  }
}
