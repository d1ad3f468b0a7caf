import Foundation

/// One writer for a log: a lock that the kernel gives back when the process ends, however it ends.
final class WriterLock: Sendable {
  private let descriptor: Int32

  /// - Parameter holder: who would have it.
  /// - Throws: ``EventLogError/Kind/locked`` with the process id of who has it.
  init(path: String, holder: String = "service") throws(EventLogError) {
    // By whatever links it was reached: the same file is the same log.
    let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().path + ".lock"
    descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw EventLogError(
        .unwritable, "the lock file \(file) can't be opened: \(String(cString: strerror(errno)))",
        mend: "check the folder's owner, its free space and whether it is mounted read-only")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      var buffer = [UInt8](repeating: 0, count: 20)
      let n = max(0, pread(descriptor, &buffer, buffer.count, 0))
      close(descriptor)
      let owner = String(decoding: buffer.prefix(n), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      throw EventLogError(
        .locked, "another \(holder)\(owner.isEmpty ? "" : " (process \(owner))") has the log \(path) open",
        mend: "stop it first, or give this one a log of its own with `log:` in tocsin.yaml")
    }
    let pid = Array("\(getpid())\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = pwrite(descriptor, pid, pid.count, 0)
  }

  deinit { close(descriptor) }
}
