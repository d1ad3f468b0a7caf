import Synchronization

/// The keys that are let in. Changed while the gateway runs, and asked from two threads: the ZAP handler's, when somebody connects,
/// and the gateway's, for every message, so that a key that was taken away stops at once on a connection that stands.
final class Clients: Sendable {
  struct Entry {
    var name: String
    var permissions: Permissions
  }

  private let entries: Mutex<[String: Entry]>

  init(_ clients: [GatewaySettings.Client]) {
    entries = Mutex(Clients.table(clients))
  }

  private static func table(_ clients: [GatewaySettings.Client]) -> [String: Entry] {
    var table: [String: Entry] = [:]
    for client in clients {
      // One key under two names may do what both may.
      let known = table[client.publicKey]
      table[client.publicKey] = Entry(
        name: known?.name ?? client.name, permissions: client.permissions.union(known?.permissions ?? []))
    }
    return table
  }

  func replace(_ clients: [GatewaySettings.Client]) {
    let table = Clients.table(clients)
    entries.withLock { $0 = table }
  }

  subscript(publicKey: String) -> Entry? { entries.withLock { $0[publicKey] } }
}
