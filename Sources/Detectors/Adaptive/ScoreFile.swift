import Alerts

/// Scores a file of times and values with the `adaptive` detector, row by row, so that anyone can check it.
package enum ScoreFile {
  /// `timestamp,value,anomaly_score` for each row of the CSV, with what the row itself had. A row without a time is taken to follow at the interval before
  /// it; one without a value scores 0. Rows that stand newest first are scored from the oldest on. Throws ``SourceError`` for a file that can't be read or has no
  /// column of numbers.
  package static func score(path: String) throws -> (csv: [UInt8], rows: Int, missing: Int) {
    try score(try FileSource.bytes(path))
  }

  package static func score(_ bytes: [UInt8]) throws -> (csv: [UInt8], rows: Int, missing: Int) {
    var reader = CSVReader(bytes)
    guard let first = reader.next() else { throw SourceError(.query, "the file is empty") }
    var rows: [[Substring]] = []
    let isHeader = !first.contains { number($0) != nil }
    if !isHeader { rows.append(first) }
    while let row = reader.next() { rows.append(row) }
    let columns = try Columns(header: isHeader ? first : nil, rows)
    func text(_ row: [Substring], _ i: Int?) -> Substring {
      i.flatMap { row.indices.contains($0) ? row[$0] : nil } ?? ""
    }
    let times =
      columns.time.map { c in rows.map { columns.loose.read(text($0, c)) } }
      ?? Array(repeating: Double?.none, count: rows.count)
    let values = rows.map { number(text($0, columns.value)) }
    let scores = score(times, values)
    var out = Array("timestamp,value,anomaly_score\n".utf8)
    for (row, score) in zip(rows, scores) {
      out += "\(quoted(text(row, columns.time))),\(quoted(Substring(text(row, columns.value).trimmed))),\(score)\n".utf8
    }
    return (out, rows.count, values.count { $0 == nil })
  }

  /// The interval of rows that carry no time at all: that of the detector's constants.
  static let unknownInterval = 300.0

  private static func score(_ times: [Double?], _ values: [Double?]) -> [Double] {
    let known = times.compactMap { $0 }
    let falls = zip(known, known.dropFirst()).count { $0 > $1 }
    let order = falls * 2 > known.count ? Array(values.indices.reversed()) : Array(values.indices)
    var stream = AdaptiveStream()
    var scores = [Double](repeating: 0, count: values.count)
    var (last, step) = (0.0, unknownInterval)
    for (n, i) in order.enumerated() {
      let now = times[i] ?? last + step
      if n > 0, now > last { step = now - last }
      last = now
      if let value = values[i] { scores[i] = stream.push(seconds: now, value).score }
    }
    return scores
  }

  /// `1234.5`, `1,234.5`, `12%`; nil for what is missing, and for what is not finite.
  static func number(_ text: Substring) -> Double? {
    var text = text.trimmed
    if text.hasSuffix("%") { text = text.dropLast() }
    if let d = Double(text) { return d.isFinite ? d : nil }
    let groups = text.split(separator: ",", omittingEmptySubsequences: false)
    let isGrouped =
      groups.count > 1 && (1...4).contains(groups[0].count)
      && groups.dropFirst().allSatisfy { $0.prefix { $0 != "." }.count == 3 }
    return isGrouped ? Double(groups.joined()).flatMap { $0.isFinite ? $0 : nil } : nil
  }

  private static func quoted(_ text: Substring) -> String {
    guard text.contains(where: { ",\"\n\r".contains($0) }) else { return String(text) }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }

  /// Which column is the time, if any, and which the value.
  private struct Columns {
    var time: Int?
    var value: Int
    var loose = LooseTime(dayFirst: false)

    /// Rows that are looked at to tell.
    static let sample = 200

    init(header: [Substring]?, _ rows: [[Substring]]) throws {
      let names = header?.map { String($0).trimmingQuotes.lowercased() } ?? []
      let sample = rows.prefix(Columns.sample)
      let width = max(names.count, sample.map(\.count).max() ?? 0)
      func cells(_ i: Int) -> [Substring] {
        sample.compactMap { $0.indices.contains(i) && !$0[i].trimmed.isEmpty ? $0[i] : nil }
      }
      func mostly(_ i: Int, _ holds: (Substring) -> Bool) -> Bool {
        let all = cells(i)
        return !all.isEmpty && all.count(where: holds) * 2 > all.count
      }
      // A bare number is a time only where it can be one of the last fifty years.
      func isTime(_ text: Substring) -> Bool {
        if let d = Double(text.trimmed) { return d > 1e8 && LooseTime(dayFirst: false).read(text) != nil }
        return LooseTime(dayFirst: true).read(text) != nil || LooseTime(dayFirst: false).read(text) != nil
      }
      let known = TextTable.timeNames.lazy.compactMap { names.firstIndex(of: $0) }.first
      let time = known ?? (width > 1 ? (0..<width).first { mostly($0, isTime) } : nil)
      let named = names.firstIndex(of: "value").flatMap { $0 == time ? nil : $0 }
      // A row's number is no measurement, unless there is nothing else.
      let numeric = (0..<width).filter { i in i != time && mostly(i) { ScoreFile.number($0) != nil } }
      let measured = numeric.first { i in
        !names.indices.contains(i) || !(["", "id", "index", "row"].contains(names[i]) || names[i].hasSuffix("_id"))
      }
      let found = named ?? measured ?? numeric.first
      guard let found = found ?? (0..<width).first(where: { $0 != time }) else {
        throw SourceError(.query, "the file has no column beside the time")
      }
      self.time = time
      value = found
      if let time { loose = LooseTime(dayFirst: LooseTime.dayFirst(cells(time))) }
    }
  }
}
