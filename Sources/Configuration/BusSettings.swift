/// Where the service's two endpoints are, and who may speak there.
package struct BusSettings: Sendable, Equatable {
  package struct Client: Sendable, Equatable {
    package enum Permission: String, Sendable, CaseIterable { case publish, respond, notify, read }
    package var name: String
    /// Z85, 40 characters.
    package var publicKey: String
    package var may: [Permission]
  }
  /// CURVE keys, Z85. The service needs its secret key and the clients; a client its own secret key and the service's public one.
  package struct Curve: Sendable, Equatable {
    package var secretKey: String?
    package var publicKey: String?
    package var serverKey: String?
    package var clients: [Client] = []
  }
  package var gateway = "tcp://127.0.0.1:7801"
  package var feed = "tcp://127.0.0.1:7802"
  /// Says that an endpoint beyond this machine without CURVE is meant.
  package var insecure = false
  package var curve: Curve?
  package init() {}
}
