import Alerts
import Logging

/// Which series of a reading have baselines, and with which points.
struct BaselineKeeping {
  let event: EventPlan

  /// Every metric that a check of this reading looks at, once.
  func entries(_ table: SeriesTable, _ checks: [CheckPlan], bucket: Bucket, through end: Timestamp) -> [(
    key: BaselineKey, points: [Point]
  )] {
    var out: [(key: BaselineKey, points: [Point])] = []
    var seen: Set<String> = []
    for check in checks where check.subject == .metric && seen.insert(check.metric).inserted {
      for entry in table.entries(metric: check.alias) {
        let points = entry.series.points.filter { $0.time <= end }
        guard !points.isEmpty else { continue }
        out.append((key(check, bucket, entry.dimensions), points))
      }
    }
    return out
  }

  func key(_ check: CheckPlan, _ bucket: Bucket, _ dimensions: [Anomaly.Label]) -> BaselineKey {
    BaselineKey(
      event: event.name, metric: check.metric, window: bucket.name, series: AnomalyWriting.series(dimensions))
  }
}

extension DetectorWorker {
  /// Takes a reading into the baselines. That it can't be written stops no check.
  func learn(_ event: EventPlan, _ table: SeriesTable, _ checks: [CheckPlan], _ work: DueWork) {
    let last = work.due.values.map(\.upperBound).max() ?? work.to
    let keeping = BaselineKeeping(event: event)
    var entries = keeping.entries(table, checks, bucket: work.calendar.bucket, through: last)
    do {
      let book = BaselineBook(state)
      for (metric, own) in Dictionary(grouping: entries, by: \.key.metric) where own.count > BaselineBook.seriesLimit {
        // The first ones by name keep theirs.
        let kept = Set(own.map(\.key.series).sorted().prefix(BaselineBook.seriesLimit))
        entries.removeAll { $0.key.metric == metric && !kept.contains($0.key.series) }
      }
      try book.learn(entries, bucket: work.calendar.bucket, zone: event.zone)
    } catch {
      log.warning("\(event.name): its baselines can't be written: \(error)")
    }
  }
}
