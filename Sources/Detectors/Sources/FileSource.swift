import Alerts
import Foundation

/// CSV and JSON-lines files. The connection's `path` is a file, or a folder in which `table` names one.
package struct FileSource: MetricSource {
  let path: String
  /// The largest file: it is read at once.
  static let sizeLimit = 1 << 30
  package var keepsHistory: Bool { true }
  package var isRecording: Bool { true }

  package init(path: String) { self.path = path }

  package func read(_ request: SourceRequest) async throws -> SourceReading {
    var path = path
    if let table = request.source.table { path = path.isEmpty ? table : "\(path)/\(table)" }
    return try FileSource.read(path: path, request)
  }

  static func read(path: String, _ request: SourceRequest) throws(SourceError) -> SourceReading {
    try TextSource.read(try bytes(path), request)
  }

  static func bytes(_ path: String) throws(SourceError) -> [UInt8] {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw SourceError(.unreachable, "there is no file \(path): check the connection's path")
    }
    guard !isDirectory.boolValue else {
      throw SourceError(.settings, "\(path) is a folder: name a file in it with table")
    }
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
      guard data.count <= sizeLimit else {
        throw SourceError(.too_many_rows, "\(path) is larger than \(sizeLimit >> 20) MiB: load it into SQLite instead")
      }
      return [UInt8](data)
    } catch let error as SourceError {
      throw error
    } catch {
      throw SourceError(.unreachable, "\(path) can't be read: \(error.localizedDescription)")
    }
  }
}
