import Alerts
import Foundation
import Glibc
import Synchronization

/// Runs a program in a process group of its own, so that a timeout ends it and all its children.
enum Subprocess {
  struct Outcome {
    var status: Int32
    var output: [UInt8]
    /// The last of what it wrote to standard error.
    var errors: String
  }

  /// The most that is read of its output.
  static let outputLimit = 256 << 20
  static let errorTail = 2000

  /// Throws ``SourceError`` where it can't start, takes longer than `timeout`, or prints more than ``outputLimit``. Blocks a thread of its own, not a task's.
  static func run(
    _ arguments: [String], environment: [String: String], timeout: Interval
  ) async throws -> Outcome {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try runBlocking(arguments, environment: environment, timeout: timeout) })
      }
    }
  }

  private static func runBlocking(
    _ arguments: [String], environment: [String: String], timeout: Interval
  ) throws -> Outcome {
    let child = try starting.withLock { _ in try start(arguments, environment) }
    let (pid, out, err) = (child.pid, child.output, child.errors)
    defer {
      close(out)
      close(err)
    }

    var reaped = false
    defer {
      if !reaped {
        kill(-pid, SIGKILL)
        waitpid(pid, nil, 0)
      }
    }
    let deadline = monotonic() + Int64(timeout.microseconds / 1000)
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var open = [true, true]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while open[0] || open[1] {
      let rest = deadline - monotonic()
      guard rest > 0 else {
        throw SourceError(.timeout, "\(arguments.last ?? "") took longer than \(timeout) and was ended")
      }
      var fds = [
        pollfd(fd: open[0] ? out : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: open[1] ? err : -1, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&fds, 2, Int32(min(rest, 1000))) >= 0 || errno == EINTR else { throw failure("poll", errno) }
      for k in 0...1 where fds[k].revents != 0 {
        let n = Glibc.read(fds[k].fd, &buffer, buffer.count)
        if n <= 0 {
          open[k] = false
        } else if k == 0 {
          output += buffer[..<n]
          guard output.count <= outputLimit else {
            throw SourceError(.too_many_rows, "the command printed more than \(outputLimit >> 20) MiB and was ended")
          }
        } else {
          errors += buffer[..<n]
          if errors.count > 2 * errorTail { errors = errors.suffix(errorTail) }
        }
      }
    }
    var status: Int32 = 0
    while true {
      let done = waitpid(pid, &status, WNOHANG)
      if done == pid { break }
      guard done == 0 || errno == EINTR else { throw failure("waitpid", errno) }
      guard monotonic() < deadline else {
        throw SourceError(.timeout, "\(arguments.last ?? "") took longer than \(timeout) and was ended")
      }
      usleep(1000)
    }
    reaped = true
    // What it left running in its group ends with it.
    kill(-pid, SIGKILL)
    let exit = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    return Outcome(
      status: exit, output: output, errors: String(decoding: errors.suffix(errorTail), as: UTF8.self).trimmed)
  }

  /// Between making a pipe and closing it to other children no other child may start, or it would hold the pipe open.
  private static let starting = Mutex(())

  private struct Child {
    var pid: pid_t
    var output: Int32
    var errors: Int32
  }

  private static func start(_ arguments: [String], _ environment: [String: String]) throws -> Child {
    var out: [Int32] = [-1, -1]
    var err: [Int32] = [-1, -1]
    func drop() { (out + err).forEach { if $0 >= 0 { close($0) } } }
    guard pipe(&out) == 0, pipe(&err) == 0 else {
      let code = errno
      drop()
      throw failure("no pipe for the command", code)
    }
    for fd in out + err { _ = fcntl(fd, F_SETFD, FD_CLOEXEC) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, out[1], 1)
    posix_spawn_file_actions_adddup2(&actions, err[1], 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)

    var all = ProcessInfo.processInfo.environment
    all.merge(environment) { $1 }
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = all.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var pid = pid_t()
    let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, &envp)
    guard code == 0 else {
      drop()
      throw failure("\(arguments[0]) can't be started", code)
    }
    close(out[1])
    close(err[1])
    return Child(pid: pid, output: out[0], errors: err[0])
  }

  private static func monotonic() -> Int64 {
    var t = timespec()
    clock_gettime(CLOCK_MONOTONIC, &t)
    return Int64(t.tv_sec) * 1000 + Int64(t.tv_nsec) / 1_000_000
  }

  private static func failure(_ what: String, _ code: Int32) -> SourceError {
    SourceError(.unreachable, "\(what): \(String(cString: strerror(code)))")
  }
}
