import Glibc

/// Writes the write-ahead log's file to its usual size before it is needed.
///
/// A commit that makes the file longer costs the file system a second write, for the file's length, before `fdatasync` returns: on an ordinary disk the commit
/// takes twice as long. SQLite begins the file at its front again after each checkpoint, so this would be so only until the first one; but that is 16 MiB away, and
/// a quiet service is restarted more often than that. What stands behind the last frame is nothing to SQLite, zeros least of all: a frame counts by its salt
/// and its checksum.
/// Source: SQLite documentation, "WAL-mode File Format", sections 4.1 and 4.5.
enum WriteAheadRoom {
  /// 4000 frames, after which a checkpoint begins, and the file's header.
  static let bytes = 32 + LogSchema.checkpointPages * (24 + 4096)
  /// On a disk with less than this left it is left alone.
  static let leastFree: UInt64 = 1 << 30
  private static let piece = 1 << 20

  /// Says nothing where it does not succeed: commits take longer then, and that is all.
  static func make(_ path: String, bytes: Int = bytes) {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    var disk = statvfs()
    var status = stat()
    guard fstat(file, &status) == 0, status.st_size < bytes, fstatvfs(file, &disk) == 0,
      UInt64(disk.f_bavail) * UInt64(disk.f_frsize) > leastFree
    else { return }
    let zeros = [UInt8](repeating: 0, count: piece)
    var end = Int(status.st_size)
    while end < bytes {
      let written = pwrite(file, zeros, min(piece, bytes - end), off_t(end))
      guard written > 0 else { return }
      end += written
    }
    fdatasync(file)
  }
}
