import Alerts

/// Scores a file of times and values with the `adaptive` detector, row by row, so that anyone can check it.
package enum ScoreFile {
  /// `timestamp,value,anomaly_score` for each row of the CSV, with what the row itself had. A row without a time is taken to follow at the interval before
  /// it; one without a value scores 0. Throws ``SourceError`` for a file that can't be read or has no value column.
  package static func score(path: String) throws -> (csv: [UInt8], rows: Int, missing: Int) {
    try score(try FileSource.bytes(path))
  }

  package static func score(_ bytes: [UInt8]) throws -> (csv: [UInt8], rows: Int, missing: Int) {
    var reader = CSVReader(bytes)
    guard let first = reader.next() else { throw SourceError(.query, "the file is empty") }
    let isHeader = !first.contains { Double(String($0).trimmingQuotes) != nil }
    let names = first.map { String($0).trimmingQuotes.lowercased() }
    let time = isHeader ? TextTable.timeNames.lazy.compactMap { names.firstIndex(of: $0) }.first ?? 0 : 0
    let value =
      isHeader ? names.firstIndex(of: "value") ?? names.indices.first { $0 != time } : first.count > 1 ? 1 : nil
    guard let value else { throw SourceError(.query, "the file has no column beside the time") }
    let reading = TimeReading(zone: .utc)
    var stream = AdaptiveStream()
    var out = Array("timestamp,value,anomaly_score\n".utf8)
    var (rows, missing) = (0, 0)
    var (last, step) = (0.0, 1.0)
    func take(_ row: [Substring]) {
      let seconds = row.indices.contains(time) ? reading.read(row[time]).map { Double($0.microseconds) / 1e6 } : nil
      let now = seconds ?? last + step
      if rows > 0, now > last { step = now - last }
      last = now
      let text = row.indices.contains(value) ? row[value].trimmed : ""
      let number = Double(text).flatMap { $0.isFinite ? $0 : nil }
      let score = number.map { stream.push(seconds: now, $0).score } ?? 0
      if number == nil { missing += 1 }
      rows += 1
      out += (row.indices.contains(time) ? row[time] : "").utf8
      out.append(UInt8(ascii: ","))
      out += text.utf8
      out.append(UInt8(ascii: ","))
      out += score.description.utf8
      out.append(UInt8(ascii: "\n"))
    }
    if !isHeader { take(first) }
    while let row = reader.next() { take(row) }
    return (out, rows, missing)
  }
}
