import CZeroMQ

/// A CURVE key pair, in Z85: 40 characters each. Whoever prints it sees the public half only.
package struct CurveKeyPair: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  package let publicKey: String
  package let secretKey: String

  package init(publicKey: String, secretKey: String) throws(BusError) {
    guard isCurveKey(publicKey) else {
      throw BusError(.refused, "the public key is no CURVE key: 40 characters of Z85, as `tocsin keys new` writes them")
    }
    guard isCurveKey(secretKey) else {
      throw BusError(.refused, "the secret key is no CURVE key: 40 characters of Z85, as `tocsin keys new` writes them")
    }
    self.publicKey = publicKey
    self.secretKey = secretKey
  }

  /// The pair of a secret key.
  package init(secretKey: String) throws(BusError) {
    guard isCurveKey(secretKey) else {
      throw BusError(.refused, "the secret key is no CURVE key: 40 characters of Z85, as `tocsin keys new` writes them")
    }
    var key = [CChar](repeating: 0, count: 41)
    guard zmq_curve_public(&key, secretKey) == 0 else { throw BusError.zmq("the secret key has no public half") }
    publicKey = text(key)
    self.secretKey = secretKey
  }

  /// A new pair, from the system's source of randomness.
  package static func generate() throws(BusError) -> CurveKeyPair {
    var publicKey = [CChar](repeating: 0, count: 41)
    var secretKey = [CChar](repeating: 0, count: 41)
    guard zmq_curve_keypair(&publicKey, &secretKey) == 0 else {
      throw BusError.zmq("no key pair can be made; this libzmq may have been built without CURVE")
    }
    return try CurveKeyPair(publicKey: text(publicKey), secretKey: text(secretKey))
  }

  package var description: String { "CurveKeyPair(public: \(publicKey))" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}

/// Whether the text is 40 characters of Z85 (ZeroMQ RFC 32) that stand for 32 bytes.
package func isCurveKey(_ text: String) -> Bool {
  guard text.utf8.count == 40, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
  var bytes = [UInt8](repeating: 0, count: 32)
  return zmq_z85_decode(&bytes, text) != nil
}

private func text(_ characters: [CChar]) -> String {
  String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// What a client's key may do.
package struct Permissions: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Send anomalies.
  package static let publish = Permissions(rawValue: 1)
  /// Send commands.
  package static let respond = Permissions(rawValue: 2)
  /// Take jobs and send receipts.
  package static let notify = Permissions(rawValue: 4)
  /// Follow the feed.
  package static let read = Permissions(rawValue: 8)
  package static let all: Permissions = [.publish, .respond, .notify, .read]

  private static let names: [(String, Permissions)] = [
    ("publish", .publish), ("respond", .respond), ("notify", .notify), ("read", .read),
  ]

  /// Nil for a word that is no permission.
  package init?(names: [String]) {
    self = []
    for name in names {
      guard let permission = Permissions.names.first(where: { $0.0 == name })?.1 else { return nil }
      insert(permission)
    }
  }
  package var names: [String] { Permissions.names.filter { contains($0.1) }.map(\.0) }
}
