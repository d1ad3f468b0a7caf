import Alerts

/// Reads what files and programs print: CSV, JSON lines or one JSON array, told apart by the first character.
enum TextSource {
  static func read(_ bytes: [UInt8], _ request: SourceRequest) throws(SourceError) -> SourceReading {
    let first = bytes.first { $0 != 32 && $0 != 10 && $0 != 13 && $0 != 9 && $0 != 0xEF && $0 != 0xBB && $0 != 0xBF }
    return switch first {
    case UInt8(ascii: "{"), UInt8(ascii: "["): try readJSON(bytes, request)
    default: try readCSV(bytes, request)
    }
  }

  static func readCSV(_ bytes: [UInt8], _ request: SourceRequest) throws(SourceError) -> SourceReading {
    var request = request
    var reader = CSVReader(bytes)
    guard let header = reader.next() else { return SourceReading(rows: []) }
    let isHeader = !header.contains { Double(String($0).trimmingQuotes) != nil }
    for k in request.metrics.indices where request.metrics[k].column.isEmpty {
      request.metrics[k].column = try onlyColumn(header.map { String($0) }, isHeader, request)
    }
    var table = try TextTable(request)
    if isHeader {
      try table.take(header: header.map { String($0) })
    } else {
      try table.assumeColumns(width: header.count)
      try table.take(row: header, line: reader.line)
    }
    while let row = reader.next() { try table.take(row: row, line: reader.line) }
    return table.result
  }

  /// A metric that names no column: `value`, or the first column that is neither time nor dimension.
  private static func onlyColumn(
    _ header: [String], _ isHeader: Bool, _ request: SourceRequest
  ) throws(SourceError) -> String {
    guard isHeader else { return "value" }
    let taken = Set(
      (request.dimensions + [request.source.dateColumn].compactMap { $0 }
        + (request.source.dateColumn == nil ? TextTable.timeNames : [])).map { $0.lowercased() })
    let names = header.map(\.trimmingQuotes)
    guard
      let name = names.first(where: { $0.lowercased() == "value" })
        ?? names.first(where: { !taken.contains($0.lowercased()) })
    else { throw SourceError(.query, "there is no column beside the time; name the metrics") }
    return name
  }

  static func readJSON(_ bytes: [UInt8], _ request: SourceRequest) throws(SourceError) -> SourceReading {
    var request = request
    for k in request.metrics.indices where request.metrics[k].column.isEmpty { request.metrics[k].column = "value" }
    var table = try TextTable(request)
    let time = request.source.dateColumn
    func take(_ json: JSON, line: Int) throws(SourceError) {
      guard let members = json.members else {
        table.reject(line: line, "not a JSON object")
        return
      }
      let timeName =
        time ?? TextTable.timeNames.first { name in members.contains { $0.name.lowercased() == name } }
      let names = ([timeName].compactMap { $0 } + request.dimensions + request.metrics.map(\.column))
      try table.take(header: names)
      var row: [Substring] = []
      for name in names {
        let value = json[name] ?? members.first { $0.name.lowercased() == name.lowercased() }?.value
        switch value {
        case nil, .null: row.append("")
        case .string(let s): row.append(s[...])
        case let other?: row.append(other.text[...])
        }
      }
      try table.take(row: row, line: line)
    }
    if bytes.first(where: { $0 > 32 }) == UInt8(ascii: "["), let whole = try? JSON(parsing: bytes),
      let items = whole.array
    {
      for (i, item) in items.enumerated() { try take(item, line: i + 1) }
      return table.result
    }
    for (i, text) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      guard text.contains(where: { $0 > 32 }) else { continue }
      do {
        try take(try JSON(parsing: Array(text)), line: i + 1)
      } catch let error as SourceError {
        throw error
      } catch {
        table.reject(line: i + 1, "\(error)")
      }
    }
    return table.result
  }
}
