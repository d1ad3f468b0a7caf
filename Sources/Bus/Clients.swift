import Synchronization

/// The keys that are let in. Changed while the gateway runs, and asked from two threads: the ZAP handler's, when somebody connects,
/// and the gateway's, for every message, so that a key that was taken away stops at once on a connection that stands.
final class Clients: Sendable {
  struct Entry {
    var name: String
    var permissions: Permissions
  }

  private let entries: Mutex<[String: Entry]>

  private let own: String

  /// `own` is the service's public key. Whoever has its secret half is the service, or runs on its configuration, and may do all.
  init(_ clients: [GatewaySettings.Client], own: String) {
    self.own = own
    entries = Mutex(Clients.table(clients, own))
  }

  private static func table(_ clients: [GatewaySettings.Client], _ own: String) -> [String: Entry] {
    var table = [own: Entry(name: "service", permissions: .all)]
    for client in clients {
      // One key under two names may do what both may.
      let known = table[client.publicKey]
      table[client.publicKey] = Entry(
        name: known?.name ?? client.name, permissions: client.permissions.union(known?.permissions ?? []))
    }
    return table
  }

  func replace(_ clients: [GatewaySettings.Client]) {
    let table = Clients.table(clients, own)
    entries.withLock { $0 = table }
  }

  subscript(publicKey: String) -> Entry? { entries.withLock { $0[publicKey] } }
}
