import Foundation

/// One connection to a server on loopback that is asked one thing after the other: as little of a client as can be, so that the server is what is measured.
final class HTTPLine {
  private let descriptor: Int32
  private let port: Int
  private var buffer = [UInt8](repeating: 0, count: 65_536)

  init(port: Int) throws {
    self.port = port
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { p in
      p.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else {
      Glibc.close(descriptor)
      throw BenchError("nothing listens on port \(port)")
    }
  }

  deinit { Glibc.close(descriptor) }

  static func post(_ path: String, port: Int, _ body: [UInt8]) -> [UInt8] {
    Array(
      "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
        .utf8) + body
  }

  /// Sends a whole request and waits for the whole answer. Throws unless its status is 200.
  func ask(_ request: [UInt8]) throws {
    var sent = 0
    while sent < request.count {
      let n = request.withUnsafeBytes { send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL)) }
      guard n > 0 else { throw BenchError("the connection to port \(port) broke") }
      sent += n
    }
    var answer: [UInt8] = []
    let mark = Array("\r\n\r\n".utf8)
    while true {
      let n = recv(descriptor, &buffer, buffer.count, 0)
      guard n > 0 else { throw BenchError("the connection to port \(port) broke") }
      answer += buffer[..<n]
      guard let head = answer.firstRange(of: mark) else { continue }
      let text = String(decoding: answer[..<head.lowerBound], as: UTF8.self)
      let length =
        text.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
        .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
      guard answer.count >= head.upperBound + length else { continue }
      guard text.hasPrefix("HTTP/1.1 200") else { throw BenchError("port \(port) answered: \(text.prefix(200))") }
      return
    }
  }
}
