import Alerts
import Foundation
import Synchronization

/// Standard input as a stream: CSV with a header, or JSON lines, that come for as long as the program before the pipe runs.
///
/// What has come is kept, the newest ``limit`` bytes of it: that is the past of its checks. After a restart the past begins anew.
package final class StreamSource: MetricSource {
  /// Some 300,000 rows of 50 bytes.
  package static let limit = 16 << 20
  package var keepsHistory: Bool { true }
  package var isRecording: Bool { true }
  /// Waits for the end, and reads all of it as one file.
  private let whole: Bool
  private let lines: LineBuffer

  package init(descriptor: Int32 = 0, whole: Bool = false, limit: Int = StreamSource.limit) {
    self.whole = whole
    lines = LineBuffer.reading(descriptor, limit: limit)
  }

  package func read(_ request: SourceRequest) async throws -> SourceReading {
    let deadline = BlockingWork.now() + request.timeout.microseconds / 1000
    while whole, !lines.state.ended {
      guard BlockingWork.now() < deadline else {
        throw SourceError(.timeout, "standard input did not end within \(request.timeout)", mend: "raise timeout")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    let state = lines.state
    if state.ended, !whole, state.wasRead {
      throw SourceError(.unreachable, "standard input has ended", mend: "start the program before the pipe again")
    }
    if state.ended { lines.markRead() }
    return try TextSource.read(state.text, request)
  }
}

/// A descriptor, read by a thread of its own, the newest part kept. Several event types may look at the same one.
private final class LineBuffer: Sendable {
  private struct Held {
    /// The first line, where it is a header.
    var header: [UInt8] = []
    /// Whole lines, oldest first.
    var text: [UInt8] = []
    /// A line whose end has not come.
    var open: [UInt8] = []
    var ended = false
    var wasRead = false
  }
  private let held = Mutex(Held())
  private static let all = Mutex<[Int32: LineBuffer]>([:])

  private let limit: Int
  private init(limit: Int) { self.limit = limit }

  static func reading(_ descriptor: Int32, limit: Int) -> LineBuffer {
    all.withLock { all in
      // Only standard input is shared: other descriptors are used again by others.
      if descriptor == 0, let known = all[descriptor] { return known }
      let new = LineBuffer(limit: limit)
      if descriptor == 0 { all[descriptor] = new }
      Thread.detachNewThread { new.run(descriptor) }
      return new
    }
  }

  var state: (text: [UInt8], ended: Bool, wasRead: Bool) {
    held.withLock { h in (h.header + h.text + (h.ended ? h.open : []), h.ended, h.wasRead) }
  }
  func markRead() { held.withLock { $0.wasRead = true } }

  private func run(_ descriptor: Int32) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let n = Foundation.read(descriptor, &buffer, buffer.count)
      if n < 0, errno == EINTR { continue }
      guard n > 0 else { break }
      held.withLock { take(buffer[..<n], &$0) }
    }
    held.withLock { $0.ended = true }
  }

  private func take(_ bytes: ArraySlice<UInt8>, _ h: inout Held) {
    h.open += bytes
    guard let end = h.open.lastIndex(of: 10) else {
      // A line that does not end is no line.
      if h.open.count > limit { h.open.removeAll() }
      return
    }
    h.text += h.open[...end]
    h.open.removeSubrange(...end)
    if h.header.isEmpty, let first = h.text.firstIndex(of: 10) {
      let line = Array(h.text[...first])
      // Objects name their own columns, and so does a first line of numbers: neither is a header.
      let isObject = line.first { $0 > 32 } == UInt8(ascii: "{")
      let hasNumber = String(decoding: line, as: UTF8.self).split { ",;\t\r\n".contains($0) }
        .contains { Double($0.trimmed) != nil }
      if !isObject, !hasNumber {
        h.header = line
        h.text.removeSubrange(...first)
      }
    }
    if h.text.count > limit {
      let cut = h.text[(h.text.count - limit * 3 / 4)...].firstIndex(of: 10) ?? h.text.count - 1
      h.text.removeSubrange(...cut)
    }
  }
}
