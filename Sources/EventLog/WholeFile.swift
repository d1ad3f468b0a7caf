import Foundation

/// Files that must be whole before they have their name.
///
/// What is written has a passing name until it is synced: whoever opens the name itself finds all of it, or what was there before.
enum WholeFile {
  /// Writes a file whole and synced, or leaves what was there. May run on any thread.
  ///
  /// - Parameter mend: what to do where it can't be written.
  static func write(_ bytes: [UInt8], to path: String, mend: String) throws(EventLogError) {
    try write(to: path, mend: mend) { try $0.write(contentsOf: bytes) }
  }

  /// The same, in pieces.
  static func write(to path: String, mend: String, _ body: (FileHandle) throws -> Void) throws(EventLogError) {
    let partial = path + ".partial"
    do {
      try Data().write(to: URL(fileURLWithPath: partial))
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: partial))
      defer { try? file.close() }
      try body(file)
      try sync(partial)
      try rename(partial, path)
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw (error as? EventLogError)
        ?? EventLogError(.unwritable, "\(path) can't be written: \(error.localizedDescription)", mend: mend)
    }
  }

  /// Copies a file that never changes, unless it is there already.
  static func copy(_ from: String, to: String) throws {
    let files = FileManager.default
    if files.fileExists(atPath: to), files.contentsEqual(atPath: from, andPath: to) { return }
    let partial = to + ".partial"
    do {
      if files.fileExists(atPath: partial) { try files.removeItem(atPath: partial) }
      try files.copyItem(atPath: from, toPath: partial)
    } catch {
      throw EventLogError(
        .unwritable, "\(from) can't be copied to \(to): \(error.localizedDescription)",
        mend: "check free space and the folder's owner")
    }
    try sync(partial)
    try rename(partial, to)
  }

  static func sync(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0, fsync(descriptor) == 0 else {
      let why = String(cString: strerror(errno))
      if descriptor >= 0 { close(descriptor) }
      throw EventLogError(
        .unwritable, "\(path) can't be synced to disk: \(why)", mend: "check the disk and its free space")
    }
    close(descriptor)
  }

  static func rename(_ from: String, _ to: String) throws {
    guard Foundation.rename(from, to) == 0 else {
      throw EventLogError(
        .unwritable, "\(from) can't be renamed to \(to): \(String(cString: strerror(errno)))",
        mend: "check the folder's owner")
    }
    let folder = (to as NSString).deletingLastPathComponent
    try sync(folder.isEmpty ? "." : folder)
  }
}
