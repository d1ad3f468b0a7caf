import Alerts
import Foundation

/// Runs a program to its end, with text on its standard input.
///
/// posix_spawn and not Foundation's Process: the child leads a process group of its own, so that a timeout ends its children too.
enum ChildProcess {
  enum Ending: Equatable, Sendable {
    case notStarted(String)
    /// The exit code, and the beginning of what it wrote.
    case exited(Int32, String)
    case killed(signal: Int32)
    case timedOut
  }

  /// What is kept of a program's output, in bytes.
  static let outputLimit = 16 * 1024

  private static let spawning = NSLock()

  static func run(_ words: [String], input: [UInt8], environment: [String: String], timeout: Interval) async -> Ending {
    await withCheckedContinuation { continuation in
      // A thread of its own: it waits for the program, which may take its whole time.
      let thread = Thread {
        continuation.resume(returning: runHere(words, input: input, environment: environment, timeout: timeout))
      }
      thread.name = "tocsin-command"
      thread.start()
    }
  }

  private static func runHere(
    _ words: [String], input: [UInt8], environment: [String: String], timeout: Interval
  ) -> Ending {
    func problem(_ what: String) -> Ending { .notStarted("\(what): \(String(cString: strerror(errno)))") }
    // A file without a name holds the input: the program may read it late, in part, or never, and nobody waits for it.
    guard let file = tmpfile() else { return problem("no temporary file") }
    defer { fclose(file) }
    guard fwrite(input, 1, input.count, file) == input.count, fflush(file) == 0 else {
      return problem("no room for its input")
    }
    rewind(file)
    // From the pipe's making until it is marked as our own, no other child may be started: it would hold the pipe open.
    spawning.lock()
    var isLocked = true
    func unlock() {
      if isLocked { spawning.unlock() }
      isLocked = false
    }
    defer { unlock() }
    var pipes: [Int32] = [0, 0]
    guard pipe(&pipes) == 0 else { return problem("no pipe") }
    for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(pipes[0]) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, fileno(file), 0)
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1)
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)

    let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = all.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid: pid_t = 0
    let started = posix_spawnp(&pid, words[0], &actions, &attributes, &arguments, &variables)
    unlock()
    close(pipes[1])
    guard started == 0 else { return .notStarted(String(cString: strerror(started))) }

    let deadline = ContinuousClock.now + .microseconds(timeout.microseconds)
    guard let output = read(pipes[0], until: deadline), let status = wait(pid, until: deadline) else {
      kill(-pid, SIGKILL)
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0, errno == EINTR {}
      return .timedOut
    }
    let signal = status & 0x7F
    return signal == 0 ? .exited((status >> 8) & 0xFF, output) : .killed(signal: signal)
  }

  /// Reads to the end, and keeps the beginning. Nil if there is no end in time.
  private static func read(_ descriptor: Int32, until deadline: ContinuousClock.Instant) -> String? {
    var kept: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let left = (deadline - ContinuousClock.now).components
      let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
      guard milliseconds > 0 else { return nil }
      var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard Foundation.poll(&poll, 1, Int32(min(milliseconds, 60_000))) > 0 else { continue }
      let count = Foundation.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return String(decoding: kept, as: UTF8.self) }
      kept.append(contentsOf: buffer[..<min(count, outputLimit - kept.count)])
    }
  }

  /// The program has closed its output, so it is about to end; nil if it does not.
  private static func wait(_ pid: pid_t, until deadline: ContinuousClock.Instant) -> Int32? {
    var status: Int32 = 0
    while ContinuousClock.now < deadline {
      let ended = waitpid(pid, &status, WNOHANG)
      if ended == pid { return status }
      if ended < 0, errno != EINTR { return nil }
      usleep(2000)
    }
    return nil
  }
}
