import Alerts

/// A row laid out for hashing, and where its texts stand in it, so that binding them needs no second copy. Reused from row to row.
struct RowBytes {
  private(set) var position: Int64 = 0
  private(set) var version: Int64 = 0
  private(set) var occurredAt = Timestamp.epoch
  private(set) var recordedAt = Timestamp.epoch
  private(set) var cause: Int64?
  /// All of it, each text with its length before it.
  private(set) var bytes: [UInt8] = []
  private(set) var subject = 0..<0
  private(set) var type = 0..<0
  private(set) var actor = 0..<0
  private(set) var data = 0..<0

  init() { bytes.reserveCapacity(2048) }

  mutating func set(_ e: StoredEvent) {
    set(e.position, e.subject, e.version, e.type, e.occurredAt, e.recordedAt, e.actor, e.cause) {
      $0.append(contentsOf: e.data)
    }
  }

  /// As this Tocsin writes it: in the newest form of its type.
  mutating func set(_ e: RecordedEvent) {
    let type = e.type
    set(e.position, e.subject, e.version, type, e.occurredAt, e.recordedAt, e.actor, e.cause) {
      Upcasting.standard.write(e.event, as: type, to: &$0)
    }
  }

  private mutating func set(
    _ position: Int64, _ subject: Subject, _ version: Int, _ type: EventType, _ occurredAt: Timestamp,
    _ recordedAt: Timestamp, _ actor: String, _ cause: Int64?, _ data: (inout [UInt8]) -> Void
  ) {
    self.position = position
    self.version = Int64(version)
    self.occurredAt = occurredAt
    self.recordedAt = recordedAt
    self.cause = cause
    bytes.removeAll(keepingCapacity: true)
    put(position)
    var start = open()
    bytes.append(subject.kind.rawValue)
    bytes.append(UInt8(ascii: "-"))
    JSON.write(subject.number, to: &bytes)
    self.subject = close(start)
    put(self.version)
    start = open()
    bytes.append(contentsOf: type.rawValue.utf8)
    self.type = close(start)
    put(occurredAt.microseconds)
    put(recordedAt.microseconds)
    start = open()
    bytes.append(contentsOf: actor.utf8)
    self.actor = close(start)
    put(cause ?? -1)
    start = open()
    data(&bytes)
    self.data = close(start)
  }

  private mutating func put(_ value: Int64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Leaves room for a length.
  private mutating func open() -> Int {
    put(0)
    return bytes.count
  }

  private mutating func close(_ start: Int) -> Range<Int> {
    let length = Int64(bytes.count - start).littleEndian
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: start - 8, as: Int64.self) }
    return start..<bytes.count
  }
}
