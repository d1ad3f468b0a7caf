import Alerts
import EventLog

/// A log that can't be read beyond a position.
struct CutLog: EventReading {
  struct Cut: Error {}
  let log: SampleLog
  let stopAfter: Int64

  init(_ log: SampleLog, stopAfter: Int64) {
    self.log = log
    self.stopAfter = stopAfter
  }
  func head() throws -> Int64 { try log.head() }
  func events(after position: Int64, limit: Int) throws -> [RecordedEvent] {
    if position >= stopAfter { throw Cut() }
    return try log.events(after: position, limit: limit)
  }
}
