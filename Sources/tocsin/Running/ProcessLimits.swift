import Glibc

/// What the system grants a process that others connect to.
enum ProcessLimits {
  /// Takes as many open files as the system allows: each connection to the bus and the console is one, and the usual thousand is used up by a thousand peers
  /// that say nothing. And a file that may not grow is an error to be told, not the end of the process (SIGXFSZ), as a reader that has gone is (SIGPIPE).
  static func prepare() {
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max else {
      return
    }
    limit.rlim_cur = min(limit.rlim_max, openFiles)
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// Enough for every connection that the bus remembers, twice, and a bound where the system has none.
  private static let openFiles: rlim_t = 65_536
}
