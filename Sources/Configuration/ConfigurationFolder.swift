import Alerts
import Foundation

/// The files of a configuration.
struct ConfigurationFolder {
  let directory: String

  init(directory: String) {
    var directory = directory
    while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
    self.directory = directory
  }

  var main: String { "\(directory)/tocsin.yaml" }

  /// The event files, in the order of their names.
  func metrics(_ reading: Reading) -> [String] {
    let folder = "\(directory)/metrics"
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) && !$0.hasPrefix(".") }
        .sorted().map { "\(folder)/\($0)" }
    } catch {
      reading.faults.append(
        Fault(
          Place(file: folder, line: 1, column: 1), key: "", "this folder can't be listed",
          mend: "give this user the right to read it"))
      return []
    }
  }

  func read(_ path: String, _ reading: Reading) -> String? {
    func fault(_ message: String, _ mend: String) {
      reading.faults.append(Fault(Place(file: path, line: 1, column: 1), key: "", message, mend: mend))
    }
    guard FileManager.default.fileExists(atPath: path) else {
      fault("there is no such file", "create it, or say where it is: --config DIR or TOCSIN_CONFIG")
      return nil
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      fault("this file can't be read", "give this user the right to read it")
      return nil
    }
    guard data.count <= Configuration.fileLimit else {
      fault("is larger than \(Configuration.fileLimit) bytes", "split it: metrics/ takes any number of files")
      return nil
    }
    guard let text = String(bytes: data, encoding: .utf8) else {
      fault("this file is not UTF-8", "save it as UTF-8")
      return nil
    }
    return text
  }

  /// A secret's file.
  static func text(_ path: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20 else { return nil }
    return String(bytes: data, encoding: .utf8)
  }
}
