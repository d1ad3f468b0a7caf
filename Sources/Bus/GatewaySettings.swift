/// Where the service listens, and who may come.
package struct GatewaySettings: Sendable {
  /// A client that is let in.
  package struct Client: Sendable, Equatable {
    package var name: String
    /// Z85, 40 characters.
    package var publicKey: String
    package var permissions: Permissions
    package init(name: String, publicKey: String, permissions: Permissions) {
      self.name = name
      self.publicKey = publicKey
      self.permissions = permissions
    }
  }

  package var gateway = "tcp://127.0.0.1:7801"
  package var feed = "tcp://127.0.0.1:7802"
  /// The server's own keys. With them, only ``clients`` are let in; without, everybody who can reach the endpoints may do all.
  package var keys: CurveKeyPair?
  package var clients: [Client] = []
  /// Allows endpoints that other machines can reach without ``keys``.
  package var insecure = false
  /// Shared with clients in the same process, for `inproc` endpoints. Nil: one of its own.
  package var context: Context?
  /// Where parts of the same process reach the gateway as well, with ``context``: `inproc://…`. They need no key, and may do all: nobody outside the process
  /// can come that way, and nothing goes through the kernel.
  package var inside: String?

  package init() {}

  package init(gateway: String, feed: String) {
    self.gateway = gateway
    self.feed = feed
  }

  /// What is wrong with them, before anything is bound.
  package func check() throws(BusError) {
    for client in clients where !isCurveKey(client.publicKey) {
      throw BusError(
        .refused,
        "the public key of \"\(client.name)\" is no CURVE key: 40 characters of Z85, as `tocsin keys new` writes them")
    }
    guard keys == nil, !insecure else { return }
    for (name, endpoint) in [("gateway", gateway), ("feed", feed)] where !GatewaySettings.isLocal(endpoint) {
      throw BusError(
        .refused,
        """
        \(name) \(endpoint) can be reached from other machines, and there are no CURVE keys: anybody could send anomalies \
        and commands. Make keys with `tocsin keys new`, or listen on 127.0.0.1, or say `insecure: true` if the network is \
        trusted.
        """)
    }
  }

  /// Whether only programs on this machine can reach the endpoint.
  package static func isLocal(_ endpoint: String) -> Bool {
    if endpoint.hasPrefix("inproc://") || endpoint.hasPrefix("ipc://") { return true }
    guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return false }
    let host = endpoint[
      endpoint.index(endpoint.startIndex, offsetBy: 6)..<max(colon, endpoint.index(endpoint.startIndex, offsetBy: 6))]
    if host == "localhost" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}

/// How a client reaches the service.
package struct ConnectionSettings: Sendable {
  package struct Curve: Sendable {
    /// The service's public key.
    package var serverKey: String
    /// The client's own pair.
    package var keys: CurveKeyPair
    package init(serverKey: String, keys: CurveKeyPair) {
      self.serverKey = serverKey
      self.keys = keys
    }
  }
  package var gateway = "tcp://127.0.0.1:7801"
  package var feed = "tcp://127.0.0.1:7802"
  package var curve: Curve?
  /// Shared by several clients, so that they have one I/O thread together; for `inproc` endpoints, the gateway's own. Nil: each client has one of its own.
  package var context: Context?

  package init() {}
  package init(gateway: String, feed: String, curve: Curve? = nil, context: Context? = nil) {
    self.gateway = gateway
    self.feed = feed
    self.curve = curve
    self.context = context
  }
}
