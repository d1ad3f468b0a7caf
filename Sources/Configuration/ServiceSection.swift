import Alerts
import Console
import Lifecycle

/// What `tocsin.yaml` says of the service itself: zone, log, bus, console.
struct ServiceSection {
  var timeZone = "UTC"
  var logPath = "data/tocsin.sqlite"
  var projectionsPath: String?
  var dataDirectory: String?
  var archiveAfter: Interval? = Configuration.standardRetention
  var bus = BusSettings()
  var console = ConsoleSettings()

  init(_ root: Section) {
    timeZone = root.take("timezone")?.timeZone() ?? timeZone
    logPath = ServiceSection.database(root.take("log")) ?? logPath
    projectionsPath = ServiceSection.database(root.take("projections"))
    dataDirectory = root.take("data_directory")?.text("a folder")
    if let field = root.take("archive_after") {
      archiveAfter = field.says("never") ? nil : field.interval(atLeast: .days(1)) ?? archiveAfter
    }
    if let section = root.take("bus")?.section() { readBus(section) }
    if let section = root.take("console")?.section() { readConsole(section) }
  }

  /// `sqlite:data/tocsin.sqlite`, or the path alone.
  private static func database(_ field: Field?) -> String? {
    guard let field, let text = field.text("sqlite: and a path, such as sqlite:data/tocsin.sqlite") else { return nil }
    if text.hasPrefix("sqlite:") {
      var path = text.dropFirst(7)
      if path.hasPrefix("//") { path = path.dropFirst(2) }
      guard !path.isEmpty else {
        field.fault("names no file", mend: "write sqlite:data/tocsin.sqlite")
        return nil
      }
      return String(path)
    }
    guard !text.contains("://"), !text.hasPrefix("postgres") else {
      field.fault(
        "only SQLite is known as a store", mend: "write sqlite: and a path, such as sqlite:data/tocsin.sqlite")
      return nil
    }
    return text
  }

  private mutating func readBus(_ section: Section) {
    bus.insecure = section.take("insecure")?.bool() ?? false
    if let curve = section.take("curve")?.section() { bus.curve = ServiceSection.curve(curve) }
    for (name, path) in [("gateway", \BusSettings.gateway), ("feed", \BusSettings.feed)] {
      guard let field = section.take(name), let text = field.text("an endpoint such as \(bus[keyPath: path])") else {
        continue
      }
      if let endpoint = ServiceSection.endpoint(text, field, guarded: bus.curve != nil || bus.insecure) {
        bus[keyPath: path] = endpoint
      }
    }
    if bus.gateway == bus.feed {
      section.fault("gateway and feed are the same endpoint", mend: "give each its own port")
    }
    section.finish()
  }

  private static func endpoint(_ text: String, _ field: Field, guarded: Bool) -> String? {
    if text.hasPrefix("ipc://"), text.count > 6 { return text }
    if text.hasPrefix("inproc://"), text.count > 9 { return text }
    guard text.hasPrefix("tcp://"), let (host, port) = hostAndPort(String(text.dropFirst(6))) else {
      field.fault("must be an endpoint such as tcp://127.0.0.1:7801 or ipc:///run/tocsin/gateway")
      return nil
    }
    _ = port
    if !guarded, !isLoopback(host) {
      field.fault(
        "would be open to other machines, without keys",
        mend: "add curve: keys (tocsin keys makes them), or say insecure: true if the network itself is trusted")
    }
    return text
  }

  private static func curve(_ section: Section) -> BusSettings.Curve {
    var curve = BusSettings.Curve()
    func key(_ field: Field?) -> String? {
      guard let field, let text = field.text("a key") else { return nil }
      guard text.utf8.count == 40 else {
        field.fault("must be a CURVE key of 40 characters", mend: "tocsin keys makes a pair")
        return nil
      }
      return text
    }
    curve.secretKey = key(section.take("secret_key"))
    curve.publicKey = key(section.take("public_key"))
    curve.serverKey = key(section.take("server_key"))
    for client in section.take("clients")?.list() ?? [] {
      guard let entry = client.section() else { continue }
      let name = entry.need("name", "who this is")?.text()
      let public_ = key(entry.need("public_key", "the client's public key"))
      let may = (entry.need("may", "[publish, respond, notify, read], or some of them")?.items() ?? [])
        .compactMap { $0.choice(BusSettings.Client.Permission.self) }
      entry.finish()
      if let name, let public_ { curve.clients.append(.init(name: name, publicKey: public_, may: may)) }
    }
    section.finish()
    return curve
  }

  private mutating func readConsole(_ section: Section) {
    if let field = section.take("listen"), let text = field.text("an address such as 127.0.0.1:7800") {
      if let (host, port) = ServiceSection.hostAndPort(text) {
        console.host = host
        console.port = port
      } else {
        field.fault("must be an address and a port such as 127.0.0.1:7800 or [::1]:7800")
      }
    }
    if var url = section.take("public_url")?.url(["http", "https"]) {
      while url.hasSuffix("/") { url.removeLast() }
      console.publicURL = url
    }
    console.hosts = section.take("hosts")?.texts("a host's name") ?? []
    console.insecure = section.take("insecure")?.bool() ?? false
    for (name, field) in section.take("users")?.section()?.fields ?? [] {
      if let user = ServiceSection.user(name, field) { console.users.append(user) }
    }
    if console.users.isEmpty, !console.insecure, !ServiceSection.isLoopback(console.host) {
      section.fault(
        "would let everyone who can reach \(console.host) do everything",
        mend: "add users: with their tokens, listen on 127.0.0.1, or say insecure: true if a proxy guards it")
    }
    section.finish()
  }

  /// The shortest token: 16 characters are beyond guessing over a network.
  private static let tokenLimit = 16

  private static func user(_ name: String, _ field: Field) -> ConsoleUser? {
    guard let section = field.section() else { return nil }
    let role = section.need("role", "viewer, responder or admin")?.choice(ConsoleUser.Role.self)
    let tokenField = section.need("token", "\"${A_SECRET}\"")
    let token = tokenField?.text("a token")
    if let token, token.utf8.count < tokenLimit {
      tokenField?.fault("is shorter than \(tokenLimit) characters", mend: "make one: openssl rand -hex 24")
    }
    let tenants = section.take("tenants")?.texts("a tenant or a list of tenants")
    section.finish()
    guard let role, let token else { return nil }
    return ConsoleUser(name: name, role: role, token: token, tenants: tenants)
  }

  /// `127.0.0.1:7800`, `[::1]:7800`, `*:7800`, `localhost:7800`. Port 0 asks the system for a free one.
  static func hostAndPort(_ text: String) -> (host: String, port: Int)? {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port)
    else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      return nil
    }
    return host.isEmpty || host.contains("/") ? nil : (host, port)
  }

  static func isLoopback(_ host: String) -> Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
