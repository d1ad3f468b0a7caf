import Foundation

/// A file system of a given size in memory, for tests that fill it. Only root may make one.
final class SmallDisk {
  let path: String
  var log: String { path + "/tocsin.sqlite" }

  static let isPossible: Bool = {
    guard getuid() == 0, let disk = try? SmallDisk(bytes: 64 << 10) else { return false }
    return FileManager.default.isWritableFile(atPath: disk.path)
  }()

  struct Refused: Error {}

  init(bytes: Int) throws {
    path = NSTemporaryDirectory() + "tocsin-disk-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0 else {
      try? FileManager.default.removeItem(atPath: path)
      throw Refused()
    }
  }

  func resize(_ bytes: Int) throws { try remount("size=\(bytes)") }

  func remount(_ option: String) throws {
    let flags = UInt(MS_REMOUNT) | (option == "ro" ? UInt(MS_RDONLY) : 0)
    guard mount("tmpfs", path, "tmpfs", flags, option.hasPrefix("size") ? option : nil) == 0 else { throw Refused() }
  }

  deinit {
    umount2(path, Int32(MNT_DETACH))
    try? FileManager.default.removeItem(atPath: path)
  }
}
