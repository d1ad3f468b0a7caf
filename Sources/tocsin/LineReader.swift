import Foundation
import Glibc

/// The lines of a file or a pipe, one at a time, each bounded.
struct LineReader {
  /// A longer line is given cut, so that it is refused by whoever reads it, and no memory goes to its rest.
  static let limit = 1 << 20

  private let handle: FileHandle
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  /// Of the line that was given last, from 1.
  private(set) var number = 0

  init(_ handle: FileHandle) { self.handle = handle }

  /// Whether another line is here already, without waiting for one.
  var hasMore: Bool { isAtEnd ? start < buffer.count : buffer[start...].contains(0x0A) }

  /// Nil at the end. Without the line's end.
  mutating func next() throws -> [UInt8]? {
    var searched = start
    var line: [UInt8]?
    while line == nil {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        line = Array(buffer[start..<min(end, start + LineReader.limit)])
        start = end + 1
      } else if isAtEnd {
        guard start < buffer.count else { return nil }
        line = Array(buffer[start...])
        start = buffer.count
      } else {
        // Of a line that is too long already only its end is looked for.
        if buffer.count - start > LineReader.limit { buffer.removeSubrange((start + LineReader.limit)...) }
        if start > 0 {
          buffer.removeFirst(start)
          start = 0
        }
        searched = buffer.count
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let count = read(handle.fileDescriptor, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        if count == 0 { isAtEnd = true } else { buffer += chunk[..<count] }
      }
    }
    number += 1
    return line
  }
}
