import Alerts

/// A reading, turned into series. Windows in which a series has no row, although the source has others, are filled with zero where zero is what no rows
/// come to; windows without any row are left open.
struct SeriesTable {
  struct Entry {
    /// As the source has them, in the request's order.
    var values: [String]
    /// As published, sorted by name.
    var dimensions: [Anomaly.Label]
    var series: Series
  }

  private let reading: SourceReading
  private let dimensionNames: [String]
  private let metrics: [DataSource.Metric]
  private let windows: [Anomaly.Window]
  private let positions: [Int64: Int]
  /// Rows by series, oldest first.
  private let groups: [[String]: [SourceReading.Row]]
  let order: [[String]]

  /// How many of the windows before must hold the series for its absence to mean zero.
  static let presence = 7

  /// `windows`: all that may be asked about, past ones included; empty where every time is a point of its own.
  init(_ reading: SourceReading, dimensions: [String], metrics: [DataSource.Metric], windows: [Anomaly.Window]) {
    self.reading = reading
    self.dimensionNames = dimensions
    self.metrics = metrics
    self.windows = windows
    positions = Dictionary(windows.enumerated().map { ($1.start.microseconds, $0) }, uniquingKeysWith: { a, _ in a })
    groups = Dictionary(grouping: reading.rows, by: \.dimensions)
    order = groups.keys.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The windows of a piece of work, from where its reading begins.
  init(
    _ reading: SourceReading, _ work: DueWork, from: Timestamp?, _ dimensions: [String], _ metrics: [DataSource.Metric]
  ) {
    let first = reading.rows.first?.time ?? work.to
    self.init(
      reading, dimensions: dimensions, metrics: metrics,
      windows: work.calendar.windows(from: from ?? work.calendar.window(at: first).start, to: work.to, limit: 1_000_000)
    )
  }

  func entries(metric: String) -> [Entry] {
    guard let k = metrics.firstIndex(where: { $0.alias == metric }) else { return [] }
    let fills = Aggregate(name: metrics[k].aggregate)?.ofNothingIsZero == true && !SQLText.aggregates(metrics[k].column)
    let filled = fills ? filledWindows : []
    return order.map { key in
      let rows = groups[key] ?? []
      var points = rows.compactMap { row in row.values[k].map { Point(row.time, $0) } }
      if fills { points = fill(points, filled) }
      return entry(key, metric, points)
    }
  }

  /// Rows a window, over all series together. A window without any counts as zero, from the first that has one.
  func rowCounts() -> Entry {
    var counts: [Int64: Int] = [:]
    for row in reading.rows { counts[row.time.microseconds, default: 0] += row.count }
    var points: [Point] = []
    if windows.isEmpty {
      points = counts.map { Point(Timestamp(microseconds: $0), Double($1)) }.sorted { $0.time < $1.time }
    } else {
      points = windows.map { Point($0.start, Double(counts[$0.start.microseconds] ?? 0)) }
    }
    return entry([], RowCount.metric, points)
  }

  /// Row counts of each series.
  func rowCountEntries() -> [Entry] {
    let filled = filledWindows
    return order.map { key in
      entry(key, RowCount.metric, fill((groups[key] ?? []).map { Point($0.time, Double($0.count)) }, filled))
    }
  }

  /// How old the newest rows are at each window's end, in seconds: of the whole source, or of each series. From the first window with rows on; where there
  /// is none at all, as old as the windows reach.
  func ages(bySeries: Bool) -> [Entry] {
    guard !windows.isEmpty else { return [] }
    func ages(_ rows: some Sequence<SourceReading.Row>, isWhole: Bool) -> [Point] {
      let filled = Set(rows.map(\.time.microseconds))
      var newest = isWhole && filled.isEmpty ? windows.first?.start : nil
      return windows.compactMap { window in
        if filled.contains(window.start.microseconds) { newest = window.end }
        return newest.map { Point(window.start, (window.end - $0).seconds) }
      }
    }
    guard bySeries else { return [entry([], Freshness.metric, ages(reading.rows, isWhole: true))] }
    return order.map { entry($0, Freshness.metric, ages(groups[$0] ?? [], isWhole: false)) }
  }

  /// Each series' share of the total in its window. Negative values and empty windows have none.
  func shares(metric: String, as name: String) -> [Entry] {
    let all = entries(metric: metric)
    var totals: [Timestamp: Double] = [:]
    for entry in all { for point in entry.series.points { totals[point.time, default: 0] += max(0, point.value) } }
    return all.map { entry in
      var entry = entry
      entry.series.metric = name
      entry.series.points = entry.series.points.compactMap { point in
        let total = totals[point.time] ?? 0
        return total > 0 ? Point(point.time, max(0, point.value) / total) : nil
      }
      return entry
    }
  }

  /// The series that a check looks at.
  func entries(of check: CheckPlan) -> [Entry] {
    switch check.subject {
    case .metric: entries(metric: check.alias)
    case .rows: check.dimensions.isEmpty ? [rowCounts()] : rowCountEntries()
    case .age: ages(bySeries: !check.dimensions.isEmpty)
    case .share: shares(metric: check.alias, as: check.metric)
    }
  }

  private func entry(_ key: [String], _ metric: String, _ points: [Point]) -> Entry {
    let labels = zip(dimensionNames, key).map { Anomaly.Label(Facts.published($0), $1) }.sorted { $0.name < $1.name }
    return Entry(values: key, dimensions: labels, series: Series(metric: metric, dimensions: labels, points: points))
  }

  private var filledWindows: [Bool] {
    var filled = [Bool](repeating: false, count: windows.count)
    for row in reading.rows {
      if let i = positions[row.time.microseconds] { filled[i] = true }
    }
    return filled
  }

  private func fill(_ points: [Point], _ filled: [Bool]) -> [Point] {
    guard !windows.isEmpty else { return points }
    var out: [Point] = []
    out.reserveCapacity(points.count)
    var seen = [Bool](repeating: false, count: windows.count)
    var next = 0
    for (i, window) in windows.enumerated() {
      while next < points.count, points[next].time < window.start {
        out.append(points[next])
        next += 1
      }
      if next < points.count, points[next].time == window.start {
        out.append(points[next])
        seen[i] = true
        next += 1
        continue
      }
      guard filled[i] else { continue }
      let past = max(0, i - SeriesTable.presence)..<i
      let present = past.count { seen[$0] }
      if past.count >= 2, present * 2 > past.count { out.append(Point(window.start, 0)) }
    }
    return out + points[next...]
  }

  /// Another metric's value in the same window and series.
  func lookUp(_ values: [String], at time: Timestamp) -> (String) -> Double? {
    { name in
      guard let k = metrics.firstIndex(where: { $0.alias == name }) else { return nil }
      return groups[values]?.first { $0.time == time }?.values[k]
    }
  }
}
