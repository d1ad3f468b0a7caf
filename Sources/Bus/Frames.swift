package import Alerts

/// The frames of one message, end to end in one piece of memory: a message of hundreds of anomalies costs two allocations and not hundreds.
package struct Frames: Sendable, Equatable, RandomAccessCollection, ExpressibleByArrayLiteral {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  package init() {}

  package init(_ frames: some Sequence<[UInt8]>) {
    for frame in frames { frame.withUnsafeBytes { append($0) } }
  }

  package init(arrayLiteral frames: [UInt8]...) { self.init(frames) }

  /// Makes room before the first.
  mutating func reserve(count: Int, bytes size: Int) {
    bytes.reserveCapacity(size)
    ends.reserveCapacity(count)
  }

  mutating func append(_ frame: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: frame)
    ends.append(bytes.count)
  }

  /// Bytes of memory that all of them take.
  package var byteCount: Int { bytes.capacity }

  package var startIndex: Int { 0 }
  package var endIndex: Int { ends.count }

  /// A copy of one.
  package subscript(i: Int) -> [UInt8] { piece(i).copy }

  /// One, where it stands.
  package func piece(_ i: Int) -> TextPiece { TextPiece(bytes, (i == 0 ? 0 : ends[i - 1])..<ends[i]) }
}
