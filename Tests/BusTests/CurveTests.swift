import Alerts
import Bus
import CZeroMQ
import Foundation
import Testing

@Suite struct CurveTests {
  let server: CurveKeyPair
  let gateway: Gateway
  let keys: [String: CurveKeyPair]
  /// With a door for parts of the same process, which nobody else comes through.
  let context: Context

  init() throws {
    context = try Context()
    server = try CurveKeyPair.generate()
    var keys: [String: CurveKeyPair] = [:]
    var settings = GatewaySettings(gateway: "tcp://127.0.0.1:*", feed: "tcp://127.0.0.1:*")
    settings.keys = server
    settings.context = context
    settings.inside = "inproc://inside"
    for name in ["publish", "respond", "notify", "read"] {
      let pair = try CurveKeyPair.generate()
      keys[name] = pair
      settings.clients.append(
        .init(name: name, publicKey: pair.publicKey, permissions: try #require(Permissions(names: [name]))))
    }
    keys["stranger"] = try CurveKeyPair.generate()
    self.keys = keys
    gateway = try Gateway(settings)
  }

  func client(_ name: String) throws -> TestClient {
    try TestClient(
      gateway.endpoint, curve: .init(serverKey: server.publicKey, keys: try #require(keys[name])))
  }

  static let messages: [(kind: String, frames: [String], allowed: Set<String>)] = [
    ("anomalies", ["TOCSIN1", "anomalies", "p", "1", "{}"], ["publish"]),
    ("command", ["TOCSIN1", "command", "r", #"{"command":"resolve"}"#], ["respond"]),
    ("wanted", ["TOCSIN1", "command", "r", #"{"command":"wanted"}"#], ["respond", "notify"]),
    ("lease", ["TOCSIN1", "command", "r", #"{"command":"lease"}"#], ["respond", "publish"]),
    ("ready", ["TOCSIN1", "ready", "w", "1", "[]"], ["notify"]),
    ("receipt", ["TOCSIN1", "receipt", "w", "{}"], ["notify"]),
    ("heartbeat", ["TOCSIN1", "heartbeat", "w", "{}"], ["publish", "respond", "notify", "read"]),
  ]

  @Test(arguments: ["publish", "respond", "notify", "read"]) func aKeyMayDoWhatItsListSays(_ name: String) throws {
    let client = try client(name)
    for message in Self.messages {
      client.socket.send(message.frames.map { Array($0.utf8) })
      let came = try gateway.receive(count: 1, milliseconds: message.allowed.contains(name) ? 5000 : 300)
      if message.allowed.contains(name) {
        #expect(came.first?.peer.name == name, "\(message.kind)")
      } else {
        #expect(came.isEmpty, "\(message.kind)")
        let answer = try #require(client.receive())
        if message.frames[1] == "command" {
          #expect(answer[1] == "reply" && answer[2] == "r" && answer[3].contains("forbidden"), "\(answer)")
        } else {
          #expect(answer[1] == "error" && answer[2] == "forbidden", "\(answer)")
        }
      }
    }
  }

  @Test func aWrongKeyAndNoKeyGetNothing() throws {
    let stranger = try client("stranger")
    let naked = try TestClient(gateway.endpoint)
    let misled = try TestClient(
      gateway.endpoint,
      curve: .init(serverKey: try CurveKeyPair.generate().publicKey, keys: try #require(keys["publish"])))
    for client in [stranger, naked, misled] { client.send("TOCSIN1", "anomalies", "p", "1", "{}") }
    #expect(try gateway.receive(count: 1, milliseconds: 500).isEmpty)
    // The gateway still takes those it knows.
    let known = try client("publish")
    known.send("TOCSIN1", "anomalies", "p", "1", "{}")
    #expect(try gateway.receive(count: 1).count == 1)
  }

  @Test func aKeyThatIsTakenAwayStopsOnAConnectionThatStands() throws {
    let client = try client("publish")
    client.send("TOCSIN1", "anomalies", "p", "1", "{}")
    #expect(try gateway.receive(count: 1).count == 1)
    gateway.replace(clients: [])
    client.send("TOCSIN1", "anomalies", "p", "2", "{}")
    #expect(try gateway.receive(count: 1, milliseconds: 300).isEmpty)
    #expect(client.receive()?[2] == "forbidden")
  }

  @Test func whoIsInTheSameProcessNeedsNoKey() throws {
    let inside = try TestClient("inproc://inside", context: context)
    inside.send("TOCSIN1", "command", "r", "{}")
    #expect(try gateway.receive(count: 1).first?.peer.permissions == .all)
    // Its list of keys is no list of its own parts.
    gateway.replace(clients: [])
    inside.send("TOCSIN1", "anomalies", "p", "1", "{}")
    #expect(try gateway.receive(count: 1).count == 1)
  }

  @Test func theServicesOwnKeyMayDoAll() throws {
    let own = try TestClient(gateway.endpoint, curve: .init(serverKey: server.publicKey, keys: server))
    own.send("TOCSIN1", "command", "r", "{}")
    #expect(try gateway.receive(count: 1).first?.peer.permissions == .all)
  }

  @Test func onlyAReaderGetsTheFeed() throws {
    func subscriber(_ name: String) throws -> Socket {
      let socket = try Socket(try Context(), .subscribe)
      let pair = try #require(keys[name])
      try socket.set(ZMQ_CURVE_SERVERKEY, text: server.publicKey)
      try socket.set(ZMQ_CURVE_PUBLICKEY, text: pair.publicKey)
      try socket.set(ZMQ_CURVE_SECRETKEY, text: pair.secretKey)
      try socket.subscribe("")
      try socket.connect(gateway.feedEndpoint)
      return socket
    }
    let reader = try subscriber("read")
    let publisher = try subscriber("publish")
    var came: [[UInt8]]?
    for position in 1...300 where came == nil {
      gateway.publish(topic: "t/e", position: Int64(position), json: Array("{}".utf8))
      usleep(10_000)
      came = reader.receiveMessage()
    }
    #expect(came != nil)
    #expect(publisher.receiveMessage() == nil)
  }

  @Test func aSecretKeyIsNeverPrinted() {
    var dumped = ""
    dump(server, to: &dumped)
    for text in ["\(server)", String(reflecting: server), dumped, "\(gateway)"] {
      #expect(!text.contains(server.secretKey))
    }
    #expect("\(server)".contains(server.publicKey))
  }

  @Test(arguments: [
    "", "short", String(repeating: "x", count: 39), String(repeating: "\"", count: 40),
    String(repeating: "ü", count: 20),
  ])
  func whatIsNoKeyIsRefused(_ text: String) throws {
    #expect(!isCurveKey(text))
    let error = #expect(throws: BusError.self) { _ = try CurveKeyPair(secretKey: text) }
    #expect(error.map { text.isEmpty || !$0.message.contains(text) } == true)
    var settings = GatewaySettings()
    settings.clients = [.init(name: "ana", publicKey: text, permissions: .all)]
    #expect(throws: BusError.self) { try settings.check() }
  }
}
