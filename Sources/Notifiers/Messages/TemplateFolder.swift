import Alerts
import Foundation

/// A user's own templates: `templates/*.mustache` in the configuration's directory.
package enum TemplateFolder {
  /// Nobody has more; beyond, the folder is not what it is taken for.
  static let fileLimit = 100

  /// Never throws: what can't be read is reported in the set's faults, and the built-in templates stand in.
  package static func load(configuration directory: String) -> TemplateSet {
    let folder = "\(directory)/templates"
    let ending = ".mustache"
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return TemplateSet() }
    var own: [String: String] = [:]
    var unreadable: [Fault] = []
    for file in names.sorted().filter({ $0.hasSuffix(ending) }).prefix(fileLimit) {
      let path = "\(folder)/\(file)"
      // One byte more than the limit is enough to see that it is over.
      guard let handle = FileHandle(forReadingAtPath: path) else {
        unreadable.append(Fault(nil, key: "templates/\(file)", "it can't be opened", mend: "check its permissions"))
        continue
      }
      defer { try? handle.close() }
      let data = (try? handle.read(upToCount: TemplateSet.sizeLimit + 1)) ?? Data()
      guard let text = String(validating: data, as: UTF8.self) else {
        unreadable.append(Fault(nil, key: "templates/\(file)", "it is not UTF-8 text", mend: "save it as UTF-8"))
        continue
      }
      own[String(file.dropLast(ending.count))] = text
    }
    return TemplateSet(own: own, faults: unreadable)
  }
}
