import Alerts

/// What one check knows of all its series. In memory while the worker runs, on disk between runs.
struct CheckMemory: Sendable {
  /// Names what the series are made of: another query, column or window makes other series.
  let fingerprint: String
  /// Up to where the source has been looked at: the end of the newest window, for points the newest one's time.
  var reached: Timestamp
  var series: [[String]: SeriesMemory] = [:]
  /// Those that the disk does not have in this state.
  var changed: Set<[String]> = []
  var savedAt: Timestamp

  /// Windows that a reading overlaps with what is known: the first few fill no gaps yet (``SeriesTable/presence``), those behind them are compared.
  static let overlap: Int64 = 12
  /// A window that lies further back than this, behind what is known, is judged by the whole past again.
  static let backward: Int64 = 24
  /// The most series of one check that are kept in memory between runs: half a gigabyte. Beyond it they are read from disk each time.
  static let cacheLimit = 100_000
  /// How often they are written while the worker runs. After a crash the points since then are read again, and nothing else.
  static let saveInterval = Interval.minutes(10)

  init(fingerprint: String, reached: Timestamp, savedAt: Timestamp) {
    self.fingerprint = fingerprint
    self.reached = reached
    self.savedAt = savedAt
  }

  mutating func forget() {
    series = [:]
    changed = []
    reached = .epoch
  }

  /// Whether what is known can stand in for the past of windows that begin at `due`.
  static func covers(_ due: Timestamp, reached: Timestamp?, _ length: Interval) -> Bool {
    guard let reached, reached > .epoch else { return false }
    return due >= reached - length * backward
  }
}

extension CheckPlan {
  /// The detector, if it keeps a memory.
  var adaptive: Adaptive? { detector as? Adaptive }

  func fingerprint(_ event: EventPlan) -> String {
    let source = event.settings.source
    let metric = source.metrics.first { $0.alias == alias }
    let parts = [
      "\(AdaptiveStream.stateVersion).\(SeriesMemory.formatVersion)", source.connection, source.table ?? "",
      source.query ?? "",
      source.dateColumn ?? "", source.filter ?? "", metric?.column ?? "", metric?.aggregate ?? "", "\(subject)",
      "\(bucket)",
      event.zone.name, dimensions.joined(separator: "\u{1}"),
    ]
    let hash = StableHash(parts.joined(separator: "\u{2}"))
    return String(hash.high, radix: 16) + String(hash.low, radix: 16)
  }
}
