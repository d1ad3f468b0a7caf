package import Alerts

/// Kinds of connections by name, and what each needs.
package struct SourceKinds: Sendable {
  typealias Build = @Sendable (inout ConnectionOptions) -> (any MetricSource)?
  var builders: [String: Build]

  package static let standard = SourceKinds(builders: [
    "sqlite": { o in o.text("path", needed: true).map { SQLiteSource(path: $0) } },
    "csv": { o in o.text("path", needed: o.source.table == nil).map { FileSource(path: $0) } ?? FileSource(path: "") },
    "json": { o in o.text("path", needed: o.source.table == nil).map { FileSource(path: $0) } ?? FileSource(path: "") },
    "command": { o in
      let history = o.flag("keeps_history") ?? true
      return o.command("command").map { CommandSource(arguments: $0, keepsHistory: history) }
    },
    "postgres": { o in PostgresSource(&o) },
    "odbc": { o in ODBCSource(&o) },
    "clickhouse": { o in ClickHouseSource(&o) },
    "prometheus": { o in PrometheusSource(&o) },
    "stdin": { o in
      let whole = o.flag("whole") ?? false
      return StreamSource(whole: whole)
    },
    "host": { o in HostSource(proc: o.text("proc") ?? "/proc", disk: o.text("disk") ?? "/") },
  ])

  static let aliases = [
    "jsonl": "json", "json_lines": "json", "file": "csv", "sqlite3": "sqlite", "exec": "command",
    "postgresql": "postgres",
  ]

  package var names: [String] { (Array(builders.keys) + ["dbt"]).sorted() }

  package func source(_ connection: Connection, _ source: DataSource, _ faults: inout [Fault]) -> (any MetricSource)? {
    let kind = SourceKinds.aliases[connection.kind.lowercased()] ?? connection.kind.lowercased()
    guard let build = builders[kind] else {
      let near = Nearest.name(to: kind, in: names)
      let fault = Fault(
        connection.place, key: "connections.\(connection.name).kind",
        "\"\(connection.kind)\" is not a kind of connection",
        mend: (near.map { "did you mean \($0)? " } ?? "") + "There are \(names.joined(separator: ", "))")
      if !faults.contains(fault) { faults.append(fault) }
      return nil
    }
    var options = ConnectionOptions(connection, source)
    let built = build(&options)
    options.finish()
    for fault in options.faults where !faults.contains(fault) { faults.append(fault) }
    return options.faults.isEmpty ? built : nil
  }
}

/// Reads a connection's options, and those of the data source that its kind asks for.
package struct ConnectionOptions {
  let connection: Connection
  let source: DataSource
  private(set) var faults: [Fault] = []
  private var asked: Set<String> = []

  init(_ connection: Connection, _ source: DataSource) {
    self.connection = connection
    self.source = source
  }

  mutating func fault(_ name: String?, _ message: String, mend: String? = nil) {
    let place = name.flatMap { source.options[$0]?.place ?? connection.options[$0]?.place } ?? connection.place
    faults.append(
      Fault(place, key: "connections.\(connection.name)\(name.map { ".\($0)" } ?? "")", message, mend: mend))
  }

  mutating func option(_ name: String) -> JSON? {
    asked.insert(name)
    return (source.options[name] ?? connection.options[name])?.value
  }

  mutating func text(_ name: String, needed: Bool = false) -> String? {
    switch option(name) {
    case .string(let s)? where !s.isEmpty: return s
    case .int(let i)?: return String(i)
    case nil, .null?, .string?:
      if needed { fault(name, "a connection of kind \(connection.kind) needs \(name)") }
      return nil
    default:
      fault(name, "\(name) must be a text")
      return nil
    }
  }

  mutating func flag(_ name: String) -> Bool? {
    guard let value = option(name) else { return nil }
    if value.bool == nil { fault(name, "\(name) must be true or false") }
    return value.bool
  }

  /// A shell line, or a list of arguments.
  mutating func command(_ name: String) -> [String]? {
    switch option(name) {
    case .string(let line)? where !line.trimmed.isEmpty: return ["/bin/sh", "-c", line]
    case .array(let items)? where !items.isEmpty && items.allSatisfy({ $0.string != nil }):
      return items.compactMap(\.string)
    default:
      fault(name, "a connection of kind command needs \(name): a shell line, or a list of a program and its arguments")
      return nil
    }
  }

  mutating func finish() {
    for (name, option) in connection.options.sorted(by: { $0.key < $1.key }) where !asked.contains(name) {
      faults.append(
        Fault(
          option.place ?? connection.place, key: "connections.\(connection.name).\(name)",
          "a connection of kind \(connection.kind) has no option \"\(name)\"",
          mend: asked.isEmpty ? nil : "it takes \(asked.sorted().joined(separator: ", "))"))
    }
    for (name, option) in source.options.sorted(by: { $0.key < $1.key })
    where !asked.contains(name) && !SourceOptions.names.contains(name) {
      faults.append(
        Fault(
          option.place ?? source.place, key: "data_source.\(name)",
          "there is no such setting for a \(connection.kind) source",
          mend: "it takes \((asked.sorted() + SourceOptions.names).joined(separator: ", "))"))
    }
  }
}
