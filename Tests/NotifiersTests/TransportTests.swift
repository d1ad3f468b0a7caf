import Alerts
import Foundation
import Testing

@testable import Notifiers

@Suite struct TransportTests {
  let transport: CurlTransport
  init() throws { transport = try CurlTransport() }

  func post(_ url: String, _ body: String = "{}", timeout: Interval = .seconds(20)) async -> TransferResult {
    var request = TransferRequest.post(url, contentType: "application/json", body: Array(body.utf8))
    request.timeout = timeout
    return await transport.perform(request)
  }

  @Test("a body arrives byte by byte, and connections are kept alive")
  func keepsAlive() async throws {
    defer { transport.close() }
    let server = try LocalServer.http()
    let body = "{\"text\":\"Grüße, 世界 & <co>\"}"
    for _ in 0..<5 {
      let response = try await post(server.url("/ok/a"), body).get()
      #expect(response.status == 200)
      #expect(response.text == "ok")
    }
    let arrived = server.arrived
    #expect(arrived.count == 5)
    #expect(arrived.allSatisfy { $0.data("body") == Array(body.utf8) })
    #expect(arrived[0]["headers"]?["content-type"]?.string == "application/json")
    #expect(arrived[0]["headers"]?["content-length"]?.string == "\(body.utf8.count)")
    #expect(Set(arrived.compactMap { $0["peer"]?.int }).count == 1)
  }

  @Test("many transfers are in flight at once")
  func concurrent() async throws {
    defer { transport.close() }
    let server = try LocalServer.http()
    let start = ContinuousClock.now
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<20 { group.addTask { (try? await post(server.url("/slow/0.5/x")).get().status) == 200 } }
      for await ok in group { #expect(ok) }
    }
    #expect(ContinuousClock.now - start < .seconds(6))
    #expect(server.arrived.count == 20)
  }

  @Test("a reset after the whole request is an unknown outcome, and nothing is sent a second time")
  func reset() async throws {
    defer { transport.close() }
    let server = try LocalServer.http()
    // On a fresh connection, and on one that was kept alive: libcurl would repeat the latter by itself.
    for round in 1...2 {
      let result = await post(server.url("/reset/\(round)"))
      guard case .failure(let failure) = result else {
        Issue.record("a reset is no answer")
        return
      }
      #expect(failure.outcomeUnknown)
      #expect(server.arrived.filter { $0["path"]?.string == "/reset/\(round)" }.count == 1)
      _ = try await post(server.url("/ok/warm")).get()
    }
  }

  @Test("a server that is not there, a name that is not found, a time that runs out")
  func failures() async throws {
    defer { transport.close() }
    let server = try LocalServer.http()
    guard case .failure(let refused) = await post("http://127.0.0.1:1/x"),
      case .failure(let unknown) = await post("http://does-not-exist.invalid/x"),
      case .failure(let slow) = await post(server.url("/slow/5/x"), timeout: .milliseconds(300)),
      case .failure(let scheme) = await post("ftp://127.0.0.1/x"),
      case .failure(let malformed) = await post("http://[nonsense")
    else {
      Issue.record("all of these fail")
      return
    }
    #expect(refused.code == 7 && !refused.outcomeUnknown)
    #expect(unknown.code == 6 && !unknown.outcomeUnknown)
    #expect(slow.code == 28 && slow.outcomeUnknown)
    #expect(Classification.failure(scheme).outcome == .failed)
    #expect(Classification.failure(malformed).outcome == .failed)
  }

  @Test("an endless answer is broken off; its status counts")
  func endless() async throws {
    defer { transport.close() }
    let server = try LocalServer.http()
    let response = try await post(server.url("/endless/x")).get()
    #expect(response.status == 200)
    #expect(response.body.count == CurlTransport.responseLimit)
  }

  @Test("a redirect is not followed")
  func redirect() async throws {
    defer { transport.close() }
    let server = try LocalServer.http()
    #expect(try await post(server.url("/status/307/x")).get().status == 307)
    #expect(server.arrived.count == 1)
  }

  @Test("a certificate is checked, against the file that is configured")
  func tls() async throws {
    defer { transport.close() }
    let certificate = try Certificate()
    let server = try LocalServer.http(tls: certificate)
    guard case .failure(let failure) = await post(server.url("/ok", scheme: "https")) else {
      Issue.record("nobody vouches for this certificate")
      return
    }
    #expect(failure.code == 60)
    #expect(Classification.failure(failure).outcome == .retry)
    var request = TransferRequest.post(server.url("/ok", scheme: "https"), contentType: "text/plain", body: [1, 2, 3])
    request.caFile = certificate.file
    #expect(try await transport.perform(request).get().status == 200)
    #expect(server.arrived.map { $0.data("body") } == [[1, 2, 3]])
  }

  @Test("HTTP/2 is spoken with a server that offers it: one connection, many requests on it at once")
  func http2() async throws {
    defer { transport.close() }
    let certificate = try Certificate()
    let server = try LocalServer.http2(tls: certificate)
    @Sendable func request(_ path: String, _ body: [UInt8]) -> TransferRequest {
      var request = TransferRequest.post(
        server.url(path, scheme: "https"), contentType: "application/json", body: body,
        headers: [.init("Idempotency-Key", "k-\(body.count)")])
      request.caFile = certificate.file
      return request
    }
    let start = ContinuousClock.now
    await withTaskGroup(of: Int?.self) { group in
      for i in 1...30 {
        group.addTask {
          // The longest are larger than a stream's first window of 64 KiB.
          try? await transport.perform(request("/wait/0.5/ok/\(i)", [UInt8](repeating: 0x61, count: i * 5000))).get()
            .status
        }
      }
      for await status in group { #expect(status == 200) }
    }
    #expect(ContinuousClock.now - start < .seconds(8), "they wait for each other")
    let arrived = server.arrived
    #expect(arrived.count == 30 && arrived.allSatisfy { $0["version"]?.string == "2" })
    #expect(Set(arrived.compactMap { $0["peer"]?.int }).count == 1, "one connection carries them all")
    #expect(Set(arrived.compactMap { $0["stream"]?.int }).count == 30)
    #expect(arrived.map { $0.data("body").count }.sorted() == (1...30).map { $0 * 5000 })
    #expect(arrived.allSatisfy { $0["headers"]?["idempotency-key"]?.string == "k-\($0.data("body").count)" })
    // A server of the other kind, over the same transport.
    let older = try LocalServer.http(tls: certificate)
    var plain = request("/ok", [1])
    plain.url = older.url("/ok", scheme: "https")
    #expect(try await transport.perform(plain).get().status == 200)
    #expect(older.arrived.count == 1 && older.arrived[0]["version"] == nil)
  }

  @Test(
    "over HTTP/2 too: a stream that is reset after its last byte is an unknown outcome, and nothing is sent a second time",
    arguments: ["reset", "refuse"])
  func http2Reset(_ kind: String) async throws {
    defer { transport.close() }
    let certificate = try Certificate()
    let server = try LocalServer.http2(tls: certificate)
    func post(_ path: String) async -> TransferResult {
      var request = TransferRequest.post(
        server.url(path, scheme: "https"), contentType: "text/plain", body: Array("hello".utf8))
      request.caFile = certificate.file
      request.timeout = .seconds(10)
      return await transport.perform(request)
    }
    for round in 1...2 {
      guard case .failure(let failure) = await post("/\(kind)/\(round)") else {
        Issue.record("a reset is no answer")
        return
      }
      #expect(failure.outcomeUnknown, "\(failure)")
      #expect(Classification.failure(failure).outcome == .retry)
      #expect(server.arrived.filter { $0["path"]?.string == "/\(kind)/\(round)" }.count == 1)
      #expect(try await post("/ok/\(round)").get().status == 200)
    }
    // A server that says goodbye: the next request finds another connection.
    for round in 1...3 { #expect(try await post("/goaway/\(round)").get().status == 200) }
    #expect(Set(server.arrived.suffix(3).compactMap { $0["peer"]?.int }).count == 3)
  }

  @Test("after close every request is answered, and none is sent")
  func close() async throws {
    let server = try LocalServer.http()
    async let slow = post(server.url("/slow/30/x"))
    while server.arrived.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
    transport.close()
    guard case .failure(let failure) = await slow, case .failure = await post(server.url("/ok")) else {
      Issue.record("both fail")
      return
    }
    #expect(failure.outcomeUnknown)
    #expect(server.arrived.count == 1)
  }
}

@Suite struct SecretsTests {
  @Test("a secret is cut out wherever it stands; the longest first")
  func cut() {
    #expect(Secrets.cut(["abcd", "abcdefgh"], from: "x abcdefgh y abcd z ab") == "x ••• y ••• z ab")
    #expect(Secrets.cut(["a"], from: "banana") == "banana")
    #expect(Secrets.excerpt("first\nsecond", without: []) == "first")
  }
}
