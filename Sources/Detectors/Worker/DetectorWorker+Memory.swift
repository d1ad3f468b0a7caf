import Alerts
import Logging

// Checks with a memory: loaded once, carried on, written now and then, thrown away when in doubt.

extension DetectorWorker {
  /// Loads what the disk has of checks that this worker has not met yet.
  func recall(_ event: EventPlan, _ checks: [CheckPlan], _ now: Timestamp) throws {
    for check in checks where check.adaptive != nil && memories[check.name] == nil {
      let fingerprint = check.fingerprint(event)
      memories[check.name] =
        try state.memory(check: check.name, fingerprint: fingerprint, now: now)
        ?? CheckMemory(fingerprint: fingerprint, reached: .epoch, savedAt: now)
    }
  }

  /// Judges one series: by its memory if the check keeps one that covers what is due, otherwise by the points that were read.
  func assess(
    _ event: EventPlan, _ check: CheckPlan, _ entry: SeriesTable.Entry, _ table: SeriesTable, _ work: DueWork,
    due: ClosedRange<Timestamp>
  ) -> [Assessment] {
    guard let detector = check.adaptive, var memory = memories[check.name] else {
      let kept = try? keptPast(event, check, entry)
      return event.assess(check, entry, table, calendar: work.calendar, due: due, kept: kept)
    }
    let isKnown = work.remembered.contains(check.name) && memory.reached > .epoch
    if !isKnown, memory.reached > .epoch {
      // Windows of long ago are due: they are judged by their own past, and what is known stays.
      return event.assess(check, entry, table, calendar: work.calendar, due: due)
    }
    memories[check.name] = nil
    var one = memory.series.removeValue(forKey: entry.values) ?? SeriesMemory()
    let before = one.newest
    let out = event.assess(
      check, entry, table, calendar: work.calendar, due: due, remembering: &one, detector)
    if one.newest != before { memory.changed.insert(entry.values) }
    memory.series[entry.values] = one
    memories[check.name] = memory
    return out
  }

  /// The baselines of a series, for a check that judges by them.
  func keptPast(_ event: EventPlan, _ check: CheckPlan, _ entry: SeriesTable.Entry) throws -> KeptPast? {
    guard check.detector is any BaselineJudging else { return nil }
    let key = BaselineKeeping(event: event).key(check, check.bucket, entry.dimensions)
    let rows = try BaselineBook(state).rows(
      event: key.event, metric: key.metric, window: key.window, series: key.series)
    return KeptPast(
      rows: Dictionary(rows.map { ($0.season, $0) }, uniquingKeysWith: { a, _ in a }), bucket: check.bucket,
      zone: event.zone)
  }

  /// Checks of which some series is not as it was when it was taken in.
  func doubts(_ checks: [CheckPlan], _ table: SeriesTable, _ work: DueWork, from: Timestamp?) -> Set<String> {
    var out: Set<String> = []
    for check in checks where work.remembered.contains(check.name) {
      guard let memory = memories[check.name] else { continue }
      // Gaps are filled by what the windows before them had: the first few of a reading are not what they will be.
      let sure = (from ?? .epoch) + (work.calendar.bucket.length ?? .zero) * Int64(SeriesTable.presence + 1)
      let isDoubtful = table.entries(of: check).contains { entry in
        memory.series[entry.values].map { !$0.agrees(with: entry.series.points, from: sure) } ?? false
      }
      // A series that the source should still have, and has no more.
      let isGone = memory.series.contains { key, one in
        (one.newest ?? .epoch) >= max(sure, from ?? .epoch) && !table.order.contains(key)
      }
      if isDoubtful || isGone { out.insert(check.name) }
    }
    return out
  }

  /// Notes how far checks have come.
  func reach(_ reaches: [String: Timestamp]) {
    for (name, end) in reaches {
      guard let reached = memories[name]?.reached, end > reached else { continue }
      memories[name]?.reached = end
    }
  }

  /// Writes the memories of an event type that have not been written for a while; `atOnce`: all.
  func save(_ event: EventPlan, _ now: Timestamp, atOnce: Bool) throws {
    for check in event.checks {
      guard let memory = memories[check.name], !memory.changed.isEmpty else { continue }
      let isLarge = memory.series.count > CheckMemory.cacheLimit
      guard atOnce || isLarge || now - memory.savedAt >= CheckMemory.saveInterval else { continue }
      try state.save(memory, check: check.name)
      memories[check.name] = isLarge ? nil : memory
      memories[check.name]?.changed = []
      memories[check.name]?.savedAt = now
    }
  }

  /// Before the worker ends.
  func saveAll() {
    for event in plan.events {
      do {
        try save(event, now(), atOnce: true)
      } catch {
        log.warning("what \(event.name) has learned can't be written, and will be learned again: \(error)")
      }
    }
  }
}

extension DueWork {
  /// From where the source is read if nothing is known of these checks: nil for the beginning.
  func fullFrom(_ doubtful: Set<String>) -> Timestamp? {
    guard let length = calendar.bucket.length else { return nil }
    guard let from else { return nil }
    return from - length * Int64(DueWork.catchUpLimit)
  }
}
