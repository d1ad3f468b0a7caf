import CMemory
import Glibc

/// What the system grants a process that others connect to.
enum ProcessLimits {
  /// Takes as many open files as the system allows: each connection to the bus and the console is one, and the usual thousand is used up by a thousand peers
  /// that say nothing. And a file that may not grow is an error to be told, not the end of the process (SIGXFSZ), as a reader that has gone is (SIGPIPE).
  static func prepare() {
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
    keepMemory()
    tocsin_sqlite_memory(2048, 200)
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max else {
      return
    }
    limit.rlim_cur = min(limit.rlim_max, openFiles)
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// What a flood's messages took is kept for the next ones, up to this, instead of going back to the system and being asked for again, page by page, with
  /// each message: a seventh of what a repeat costs.
  private static func keepMemory() {
    _ = mallopt(M_MMAP_THRESHOLD, 2 << 20)
    _ = mallopt(M_TRIM_THRESHOLD, 16 << 20)
  }

  /// Enough for every connection that the bus remembers, twice, and a bound where the system has none.
  private static let openFiles: rlim_t = 65_536
}
