import Alerts

/// Groups raw rows into windows, for sources that can't do it themselves (files, programs). Memory: one cell a window, series and metric.
struct RowGrouping {
  private struct Key: Hashable {
    var time: Int64
    var dimensions: [String]
  }
  private struct Cell {
    var count = 0
    var sum = 0.0
    var least = Double.infinity
    var most = -Double.infinity
  }
  private struct Group {
    var rows = 0
    var cells: [Cell]
  }

  let request: SourceRequest
  private let aggregates: [Aggregate]
  private var groups: [Key: Group] = [:]

  init(_ request: SourceRequest) throws(SourceError) {
    self.request = request
    var aggregates: [Aggregate] = []
    for metric in request.metrics {
      guard let aggregate = Aggregate(name: metric.aggregate) else {
        throw SourceError(
          .settings,
          "\"\(metric.aggregate ?? "")\" is not an aggregate: give sum, avg, min, max, count, missing or none")
      }
      aggregates.append(aggregate)
    }
    self.aggregates = aggregates
  }

  /// A value is nil where the row has none.
  mutating func add(time: Timestamp, dimensions: [String], values: [Double?]) throws(SourceError) {
    guard time < request.to, request.from.map({ time >= $0 }) ?? true else { return }
    let key = Key(time: request.calendar.window(at: time).start.microseconds, dimensions: dimensions)
    var group = groups.removeValue(forKey: key) ?? Group(cells: Array(repeating: Cell(), count: aggregates.count))
    if group.rows == 0, groups.count >= request.rowLimit {
      throw SourceError(
        .too_many_rows, "more than \(request.rowLimit) windows and series: use fewer dimensions, or a longer window")
    }
    group.rows += 1
    for (i, value) in values.enumerated() {
      guard let value else { continue }
      group.cells[i].count += 1
      group.cells[i].sum += value
      group.cells[i].least = min(group.cells[i].least, value)
      group.cells[i].most = max(group.cells[i].most, value)
    }
    groups[key] = group
  }

  func rows() -> [SourceReading.Row] {
    groups.map { key, group in
      SourceReading.Row(
        time: Timestamp(microseconds: key.time), dimensions: key.dimensions, count: group.rows,
        values: zip(aggregates, group.cells).map { aggregate, cell in
          switch aggregate {
          case .count: Double(cell.count)
          case .missing: 1 - Double(cell.count) / Double(max(1, group.rows))
          case _ where cell.count == 0: nil
          case .sum: cell.sum
          case .avg, .none: cell.sum / Double(cell.count)
          case .min: cell.least
          case .max: cell.most
          }
        })
    }
    .sorted {
      ($0.time, $0.dimensions.joined(separator: "\u{1}")) < ($1.time, $1.dimensions.joined(separator: "\u{1}"))
    }
  }
}

/// How the rows of a window become one number.
enum Aggregate: String, Sendable {
  case sum, avg, min, max, count
  /// The share of rows that have no value, 0 to 1.
  case missing
  /// One row is one point. Two rows at the same time for the same series are averaged.
  case none

  /// Nil text is the default, the sum.
  init?(name: String?) {
    switch name?.lowercased() {
    case nil: self = .sum
    case "mean", "average": self = .avg
    case let name?:
      guard let known = Aggregate(rawValue: name) else { return nil }
      self = known
    }
  }

  /// Whether no rows at all come to zero.
  var ofNothingIsZero: Bool { self == .sum || self == .count }
}
