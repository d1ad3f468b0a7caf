import Alerts
import Foundation
import Testing

/// CURVE keys and what each may do, between processes, with keys that `tocsin keys` made.
@Suite(.serialized) struct KeyTests {
  private struct Keys {
    let w: World
    var publicKeys: [String: String] = [:]

    init(_ w: World) throws {
      self.w = w
      for name in ["service", "publish", "respond", "notify", "read", "stranger", "otherservice"] {
        let may = ["publish", "respond", "notify", "read"].contains(name) ? "--may \(name)" : ""
        let made = try w.shell("tocsin keys new \(name) \(may) --json")
        guard made.status == 0 else { throw World.Failure(description: made.output) }
        publicKeys[name] = try JSON(parsing: made.output)["public_key"]?.string
        // The secret half is in a file that its owner alone can read, and nowhere else.
        let secret = try w.contents("\(name).key").trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(secret.utf8.count == 40 && !made.output.contains(secret))
        let mode = try FileManager.default.attributesOfItem(atPath: w.folder.appendingPathComponent("\(name).key").path)
        #expect(mode[.posixPermissions] as? Int == 0o600)
      }
    }

    func configuration() -> String {
      let clients = ["publish", "respond", "notify", "read"].map {
        "{name: \($0)-client, public_key: \"\(publicKeys[$0] ?? "")\", may: [\($0)]}"
      }
      return """
        log: sqlite:data/tocsin.sqlite
        bus:
          gateway: "tcp://127.0.0.1:\(w.gateway)"
          feed: "tcp://127.0.0.1:\(w.feed)"
          curve:
            secret_key: "${file:service.key}"
            clients:
              - \(clients.joined(separator: "\n      - "))
        console: {listen: "127.0.0.1:\(w.console)"}
        """
    }

    /// Runs a verb with one's own key, and the service's public one.
    func run(_ name: String, server: String = "service", _ verb: String) throws -> (status: Int32, output: String) {
      try w.shell(
        """
        export TOCSIN_SERVER_KEY='\(publicKeys[server] ?? "")' TOCSIN_SECRET_KEY="$(cat \(name).key)"
        cd nowhere; \(verb) --gateway tcp://127.0.0.1:\(w.gateway) --feed tcp://127.0.0.1:\(w.feed)
        """, seconds: 60)
    }
  }

  @Test(.timeLimit(.minutes(3)))
  func eachKeyMayDoWhatItsListSaysAndNothingElse() async throws {
    let w = try World()
    defer { w.end() }
    let keys = try Keys(w)
    try FileManager.default.createDirectory(
      at: w.folder.appendingPathComponent("nowhere"), withIntermediateDirectories: true)
    try w.write("config/tocsin.yaml", keys.configuration())
    try w.tocsin("serve", "serve")
    try await w.until("it is ready") { w.isReadyQuick() }

    // The list, as `tocsin keys list` prints it.
    let list = try w.run("keys", "list")
    #expect(list.status == 0)
    for name in ["publish", "respond", "notify", "read"] {
      let line = "\(keys.publicKeys[name] ?? "")  \(name)-client: \(name)"
      #expect(list.output.contains(line), "\(list.output)")
    }
    #expect(list.output.contains(keys.publicKeys["service"] ?? ""))

    let line =
      #"echo '{"event_type":"a","metric":"m"}' | tocsin publish --producer PRODUCER --outbox ../out --timeout 5s"#
    func publish(_ name: String, server: String = "service") throws -> (status: Int32, output: String) {
      try keys.run(name, server: server, line.replacing("PRODUCER", with: name))
    }
    let allowed = try publish("publish")
    #expect(allowed.status == 0 && allowed.output.contains("1 accepted"), "\(allowed.output)")
    for name in ["respond", "notify", "read"] {
      let r = try publish(name)
      #expect(r.status == 1 && r.output.contains("needs the permission publish"), "\(name): \(r.output)")
    }
    // A key that is in no list, and a service that is not the one it says.
    let stranger = try publish("stranger")
    #expect(stranger.status == 1 && stranger.output.contains("refused this client's CURVE key"), "\(stranger.output)")
    let misled = try publish("publish", server: "otherservice")
    #expect(misled.status == 1 && misled.output.contains("0 accepted"), "\(misled.output)")

    let acknowledge = "tocsin alerts ack A-1 --as ana --timeout 5s"
    let refused = try keys.run("publish", acknowledge)
    #expect(refused.status == 1 && refused.output.contains("needs the permission respond"), "\(refused.output)")
    let acknowledged = try keys.run("respond", acknowledge)
    #expect(acknowledged.status == 0 && acknowledged.output.contains("acknowledged by ana"), "\(acknowledged.output)")

    // Nothing of what was refused was stored, and no secret stands in any output.
    let alerts = try w.alerts()
    #expect(alerts.count == 1 && alerts.first?["acknowledged_by"]?.string == "ana")
    let said = [list, allowed, stranger, misled, refused, acknowledged].map(\.output).joined() + w.log("serve")
    for name in keys.publicKeys.keys {
      let secret = try w.contents("\(name).key").trimmingCharacters(in: .whitespacesAndNewlines)
      #expect(!said.contains(secret), "\(name)")
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func withoutKeysNobodyGetsIn() async throws {
    let w = try World()
    defer { w.end() }
    let keys = try Keys(w)
    try w.write("config/tocsin.yaml", keys.configuration())
    try w.tocsin("serve", "serve")
    try await w.until("it is ready") { w.isReadyQuick() }
    let naked = try w.shell(
      #"echo '{"event_type":"a","metric":"m"}' | env -u TOCSIN_SERVER_KEY tocsin publish --gateway tcp://127.0.0.1:\#(w.gateway) --outbox out --timeout 3s"#
    )
    #expect(naked.status == 1 && naked.output.contains("0 accepted"), "\(naked.output)")
    // A worker whose key may not notify takes no jobs; the service's own parts come in with a key of their own.
    #expect(try w.alerts().isEmpty)
    #expect(w.isReadyQuick())
  }
}
