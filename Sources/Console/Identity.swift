import Alerts

/// Who asks, and what they may.
struct Identity: Sendable, Equatable {
  /// Nil where no users are configured: then everybody may do all, under the name that they give.
  var name: String?
  var role: ConsoleUser.Role
  var tenants: [String]?

  /// Without users: everything is open.
  static let open = Identity(name: nil, role: .admin, tenants: nil)
  static let nobody = Identity(name: nil, role: .viewer, tenants: [])

  func sees(_ tenant: String) -> Bool { tenants?.contains(tenant) ?? true }
}
