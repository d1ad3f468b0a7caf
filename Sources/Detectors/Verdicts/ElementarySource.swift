import Alerts

/// Elementary's table of test results, in the warehouse that dbt writes to.
///
/// Source: Elementary's dbt package, `elementary_test_results`.
struct ElementarySource: VerdictSource {
  let database: any SQLDatabase
  let schema: String?
  let longestSilence: Interval?
  /// Results of one reading.
  static let rowLimit = 200_000
  /// Elementary writes a run's results when the run ends, with the time at which each test ran: so far back it looks again.
  static let overlap = Interval.days(1)
  /// How far back the first reading goes.
  static let firstPast = Interval.days(7)

  private static let columns = [
    "id", "test_unique_id", "detected_at", "status", "severity", "test_name", "test_short_name", "test_type",
    "test_sub_type", "schema_name", "table_name", "column_name", "owners", "tags", "failures",
    "test_results_description", "test_results_query",
  ]

  func verdicts(since: Timestamp, now: Timestamp, timeout: Interval) async throws -> VerdictReading {
    let from = since == .epoch ? now - ElementarySource.firstPast : since - ElementarySource.overlap
    let table = try database.quoted(schema.map { "\($0).elementary_test_results" } ?? "elementary_test_results")
    var statement = SQLStatement("", start: from, end: now)
    statement.template = SQLTemplate(
      [.text("SELECT \(ElementarySource.columns.joined(separator: ", ")) FROM \(table) WHERE ")]
        + database.compares("detected_at", ">=", .windowStart) + [.text(" ORDER BY detected_at")])
    let answer = try await database.run(statement, timeout: timeout, AllRows(limit: ElementarySource.rowLimit))
    var reading = VerdictReading()
    var latest: [String: Verdict] = [:]
    for row in answer.rows {
      if let verdict = ElementarySource.verdict(row) {
        reading.newest = max(reading.newest ?? .epoch, verdict.at)
        // What came before the newest word of a test is over.
        if latest[verdict.check].map({ $0.at <= verdict.at }) ?? true { latest[verdict.check] = verdict }
      }
    }
    reading.verdicts = latest.values.sorted { ($0.at, $0.check) < ($1.at, $1.check) }
    return reading
  }

  /// Nil for a row without the three facts that make it one.
  static func verdict(_ row: [String?]) -> Verdict? {
    guard row.count == columns.count else { return nil }
    func cell(_ name: String) -> String? {
      let text = columns.firstIndex(of: name).flatMap { row[$0] }
      return text?.isEmpty == false ? text : nil
    }
    guard let check = cell("test_unique_id"),
      let at = cell("detected_at").flatMap({ TimeReading(zone: .utc).read($0) }), let status = cell("status")
    else { return nil }
    let name = cell("test_name") ?? cell("test_short_name") ?? check
    let id = cell("id") ?? "\(check)/\(at.rfc3339)"
    var v = Verdict(
      check: check, id: "elementary/\(id)", at: at, status: .silent, metric: name, detector: "elementary", summary: "")
    if let table = cell("table_name") { v.dimensions.append(.init("model", table.lowercased())) }
    if let column = cell("column_name") { v.dimensions.append(.init("column", column.lowercased())) }
    v.dimensions.sort { $0.name < $1.name }
    for (label, column) in [("owner", "owners"), ("tags", "tags")] {
      if let text = cell(column).flatMap({ list($0) }) { v.labels.append(.init(label, text)) }
    }
    for (label, column) in [("schema", "schema_name"), ("test_type", "test_type"), ("test_sub_type", "test_sub_type")] {
      if let text = cell(column) { v.labels.append(.init(label, text)) }
    }
    v.labels.append(.init("dbt_id", check))
    v.word = status.lowercased()
    v.value = cell("failures").flatMap { Double($0) }
    let said = cell("test_results_description").map { ": \($0.prefix(500))" } ?? ""
    // Elementary keeps dbt's `severity` (ERROR, WARN) beside; the status already follows from it.
    switch status.lowercased() {
    case "pass", "success":
      v.status = .pass
      v.summary = "the test \(name) passes"
    case "warn":
      v.status = .bad(.medium)
      v.summary = "the test \(name) warns\(said)"
    case "fail":
      v.status = .bad(cell("severity")?.lowercased() == "warn" ? .medium : .high)
      v.summary = "the test \(name) fails\(said)"
    case "error", "runtime error":
      v.status = .bad(.high)
      v.summary = "the test \(name) can't run\(said)"
    default: v.status = .silent
    }
    if let query = cell("test_results_query"), case .bad = v.status {
      v.more.append(.init("query", .string(String(query.prefix(4000)))))
    }
    return v
  }

  /// `["finance", "daily"]`, as Elementary writes lists; or a text as it is.
  static func list(_ text: String) -> String? {
    guard let items = (try? JSON(parsing: text))?.array else { return text == "[]" ? nil : text }
    let names = items.compactMap(\.string)
    return names.isEmpty ? nil : names.joined(separator: ",")
  }
}
