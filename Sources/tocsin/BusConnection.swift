import ArgumentParser
import Bus
import Foundation
import TocsinConfiguration

/// How a verb reaches the service: by the configuration, or by endpoints on the command line.
struct BusConnection: ParsableArguments {
  @Option(name: .customLong("config"), help: "The configuration's directory (TOCSIN_CONFIG, else config).")
  var directory: String?
  @Option(help: "The gateway, such as tcp://127.0.0.1:7801; then no configuration is needed.")
  var gateway: String?
  @Option(help: "The feed, such as tcp://127.0.0.1:7802.")
  var feed: String?

  /// The configuration; nil where an endpoint is given instead, or where none was asked for and none is there: then the defaults hold.
  func configuration() throws -> Configuration? {
    let environment = ProcessInfo.processInfo.environment
    let named = directory ?? environment["TOCSIN_CONFIG"]
    if named == nil {
      if gateway != nil || feed != nil { return nil }
      if !FileManager.default.fileExists(atPath: "config/tocsin.yaml") { return nil }
    }
    do throws(ConfigurationFaults) {
      return try Configuration.load(directory: named ?? "config", environment: environment)
    } catch {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      throw ExitCode(78)
    }
  }

  /// The command line counts before the configuration. Without a configuration, CURVE keys come from the environment:
  /// TOCSIN_SERVER_KEY, and TOCSIN_SECRET_KEY.
  func settings(_ configuration: Configuration?) throws -> ConnectionSettings {
    var settings = try configuration.map { try ConnectionSettings($0.bus) } ?? ConnectionSettings()
    if let gateway { settings.gateway = gateway }
    if let feed { settings.feed = feed }
    let environment = ProcessInfo.processInfo.environment
    if settings.curve == nil, let server = environment["TOCSIN_SERVER_KEY"] {
      guard isCurveKey(server) else { throw BusError(.refused, "TOCSIN_SERVER_KEY is no CURVE key of 40 characters") }
      guard let secret = environment["TOCSIN_SECRET_KEY"] else {
        throw BusError(.refused, "TOCSIN_SERVER_KEY is set and TOCSIN_SECRET_KEY, this client's own key, is not")
      }
      settings.curve = .init(serverKey: server, keys: try CurveKeyPair(secretKey: secret))
    }
    return settings
  }
}

extension ConnectionSettings {
  /// How clients that share the service's configuration reach it. With its own key they may do all.
  init(_ bus: BusSettings) throws(BusError) {
    self.init(gateway: ConnectionSettings.reachable(bus.gateway), feed: ConnectionSettings.reachable(bus.feed))
    guard let keys = bus.curve, let secret = keys.secretKey else { return }
    let pair = try CurveKeyPair(secretKey: secret)
    curve = Curve(serverKey: keys.serverKey ?? pair.publicKey, keys: pair)
  }

  /// An endpoint that means "every address of this machine" is reached over loopback.
  static func reachable(_ endpoint: String) -> String {
    for (everywhere, here) in [
      ("tcp://*:", "tcp://127.0.0.1:"), ("tcp://0.0.0.0:", "tcp://127.0.0.1:"), ("tcp://[::]:", "tcp://[::1]:"),
    ]
    where endpoint.hasPrefix(everywhere) {
      return here + endpoint.dropFirst(everywhere.count)
    }
    return endpoint
  }
}

extension GatewaySettings {
  /// What the service binds.
  init(_ bus: BusSettings) throws(BusError) {
    self.init(gateway: bus.gateway, feed: bus.feed)
    insecure = bus.insecure
    guard let curve = bus.curve else { return }
    guard let secret = curve.secretKey else {
      throw BusError(.refused, "bus.curve has no secret_key, which the service needs; `tocsin keys new` makes one")
    }
    keys = try CurveKeyPair(secretKey: secret)
    clients = curve.clients.map {
      Client(
        name: $0.name, publicKey: $0.publicKey, permissions: Permissions(names: $0.may.map(\.rawValue)) ?? [])
    }
  }
}
