import Alerts

/// What a dbt run left behind, understood. Pure.
///
/// `run_results.json` says how each node ended, `manifest.json` what it is: its owner, tags, severity, the model that a test is about. `sources.json`, if
/// there is one, says how fresh the sources are.
/// Source: dbt documentation, "Run results JSON file", "Manifest JSON file", "Sources JSON file"; read with dbt-core 1.10, whose schemas are v6, v12 and v3.
struct DbtArtifacts {
  /// Nodes in one run. More than any project has; beyond it the file is not dbt's.
  static let limit = 200_000
  /// Of the message that a node ended with.
  static let messageLimit = 1000

  private let nodes: [String: JSON]
  private let groups: [String: JSON]
  let reading: VerdictReading

  /// Throws ``SourceError`` for files that are not dbt's. A manifest that is missing costs the owners and the tags, and nothing else.
  init(runResults: JSON?, manifest: JSON?, sources: JSON?) throws {
    func table(_ name: String) -> [String: JSON] {
      Dictionary((manifest?[name]?.members ?? []).map { ($0.name, $0.value) }, uniquingKeysWith: { a, _ in a })
    }
    let nodes = table("nodes").merging(table("sources")) { a, _ in a }
    let groups = table("groups")
    (self.nodes, self.groups) = (nodes, groups)
    var reading = VerdictReading()
    for (file, json, isFreshness) in [("run_results.json", runResults, false), ("sources.json", sources, true)] {
      guard let json else { continue }
      guard let results = json["results"]?.array, let metadata = json["metadata"],
        let at = metadata["generated_at"]?.timestamp
      else { throw SourceError(.query, "\(file) is not dbt's: it has no results, or no metadata.generated_at") }
      guard results.count <= DbtArtifacts.limit else {
        throw SourceError(.too_many_rows, "\(file) has more than \(DbtArtifacts.limit) results")
      }
      let run = metadata["invocation_id"]?.string ?? at.rfc3339
      reading.newest = max(reading.newest ?? .epoch, at)
      for result in results {
        guard let id = result["unique_id"]?.string else { continue }
        let node = DbtNode(id: id, json: nodes[id] ?? .null, nodes: nodes, groups: groups)
        reading.verdicts.append(
          isFreshness ? node.freshness(result, run: run, at: at) : node.verdict(result, run: run, at: at))
      }
    }
    if manifest != nil { reading.known = Set(nodes.keys) }
    self.reading = reading
  }
}

/// One node of the manifest.
struct DbtNode {
  let id: String
  let json: JSON
  /// The model, seed or source that a test is about; itself for what is no test.
  private let about: JSON
  private let groups: [String: JSON]

  init(id: String, json: JSON, nodes: [String: JSON], groups: [String: JSON]) {
    self.id = id
    self.json = json
    self.groups = groups
    let attached =
      json["attached_node"]?.string
      ?? (json["depends_on"]?["nodes"]?.array ?? []).compactMap(\.string).first { nodes[$0] != nil }
    about = kindOf(id) == "test" || kindOf(id) == "unit_test" ? attached.flatMap { nodes[$0] } ?? .null : json
  }

  var kind: String { kindOf(id) }

  /// dbt's own name: for `test.shop.not_null_orders_id.cf6c17daed` what stands before the hash.
  private var name: String {
    json["name"]?.string ?? id.split(separator: ".").dropFirst(2).first.map(String.init) ?? id
  }

  /// The check's own word, then its model's, in `meta` or `config.meta`.
  private func meta(_ name: String) -> JSON? {
    for node in [json, about] {
      for place in [node["config"]?["meta"], node["meta"]] {
        if let value = place?[name], !value.isNull { return value }
      }
    }
    return nil
  }

  private var owner: String? {
    if let owner = meta("owner") { return text(owner) }
    guard let group = (json["group"]?.string ?? about["group"]?.string) else { return nil }
    for (id, g) in groups where id.hasSuffix(".\(group)") || g["name"]?.string == group {
      if let owner = g["owner"] { return text(owner) }
    }
    return nil
  }

  /// A text, a list of texts, or dbt's `{name:, email:}`.
  private func text(_ json: JSON) -> String? {
    if let list = json.array { return list.compactMap { text($0) }.joined(separator: ",") }
    return json.string ?? json["email"]?.string ?? json["name"]?.string
  }

  private var tags: [String] {
    var all: [String] = []
    for node in [json, about] {
      for tag in node["tags"]?.array?.compactMap(\.string) ?? [] where !all.contains(tag) { all.append(tag) }
    }
    return all
  }

  private func blank(_ run: String, _ at: Timestamp, detector: String) -> Verdict {
    var verdict = Verdict(
      check: id, id: "\(run)/\(id)", at: at, status: .silent, metric: name, detector: detector, summary: "")
    if let model = about["name"]?.string, kind != "source" {
      verdict.dimensions.append(.init("model", model))
    } else if let source = json["source_name"]?.string {
      verdict.dimensions.append(.init("source", source))
    }
    if let column = json["column_name"]?.string { verdict.dimensions.append(.init("column", column)) }
    verdict.dimensions.sort { $0.name < $1.name }
    if let owner { verdict.labels.append(.init("owner", owner)) }
    if !tags.isEmpty { verdict.labels.append(.init("tags", tags.joined(separator: ","))) }
    for (label, member) in [("package", "package_name"), ("path", "original_file_path")] {
      if let value = json[member]?.string { verdict.labels.append(.init(label, value)) }
    }
    verdict.labels.append(.init("dbt_id", id))
    verdict.isGraded = meta("severity")?.string.flatMap { Severity(name: $0.lowercased()) } != nil
    if let schema = about["schema"]?.string { verdict.labels.append(.init("schema", schema)) }
    if let text = json["description"]?.string, !text.isEmpty {
      verdict.more.append(.init("description", .string(String(text.prefix(2000)))))
    }
    if let book = meta("runbook")?.string { verdict.more.append(.init("links", ["runbook": .string(book)])) }
    return verdict
  }

  /// The severity that the check's owner wrote under `meta`, or that of dbt's status: `error` stops a run and is high, `warn` does not and is medium.
  private func severity(_ otherwise: Severity) -> Severity {
    meta("severity")?.string.flatMap { Severity(name: $0.lowercased()) } ?? otherwise
  }

  func verdict(_ result: JSON, run: String, at: Timestamp) -> Verdict {
    var v = blank(run, at, detector: "dbt")
    let failures = result["failures"]?.int
    v.value = failures.map(Double.init)
    v.word = result["status"]?.string ?? ""
    let said = result["message"]?.string.map { String($0.prefix(DbtArtifacts.messageLimit)) }
    let rows = failures.map { $0 == 1 ? "1 row" : "\($0) rows" }
    switch result["status"]?.string {
    case "pass", "success":
      v.status = .pass
      v.summary = kind == "test" ? "the dbt test \(name) passes" : "dbt has built \(name)"
    case "warn":
      v.status = .bad(severity(.medium))
      v.summary = "the dbt test \(name) warns\(rows.map { ": \($0)" } ?? "")"
    case "fail":
      v.status = .bad(severity(.high))
      v.summary = "the dbt test \(name) fails\(rows.map { ": \($0)" } ?? "")"
    case "error", "runtime error", "partial success":
      v.status = .bad(severity(.high))
      v.summary = kind == "test" ? "the dbt test \(name) can't run" : "dbt can't build the \(kind) \(name)"
    default: v.status = .silent
    }
    if case .bad = v.status, let said {
      v.more.append(.init("message", .string(said)))
      // A test's message only counts its rows again.
      if failures == nil || result["status"]?.string == "error" {
        v.summary +=
          ": \(said.split(whereSeparator: \.isNewline).prefix(3).map { String($0).trimmed }.joined(separator: " "))"
      }
    }
    if let code = result["compiled_code"]?.string ?? json["compiled_code"]?.string, case .bad = v.status {
      v.more.append(.init("query", .string(String(code.prefix(4000)))))
    }
    return v
  }

  func freshness(_ result: JSON, run: String, at: Timestamp) -> Verdict {
    var v = blank(run, at, detector: "dbt_freshness")
    v.metric = "freshness of \(name)"
    v.value = result["max_loaded_at_time_ago_in_s"]?.double
    v.word = result["status"]?.string ?? ""
    let age = v.value.map { Interval(microseconds: Int64(min(1e9, $0) * 1e6)).rounded } ?? "unknown"
    switch result["status"]?.string {
    case "pass":
      v.status = .pass
      v.summary = "the source \(name) is fresh again"
    case "warn":
      v.status = .bad(severity(.medium))
      v.summary = "the newest row of the source \(name) is \(age) old"
    case "error":
      v.status = .bad(severity(.high))
      v.summary = "the newest row of the source \(name) is \(age) old"
    case "runtime error":
      v.status = .bad(severity(.high))
      v.summary = "the freshness of the source \(name) can't be asked: \(result["error"]?.string?.prefix(300) ?? "")"
    default: v.status = .silent
    }
    return v
  }
}

private func kindOf(_ id: String) -> String { String(id.prefix { $0 != "." }) }
