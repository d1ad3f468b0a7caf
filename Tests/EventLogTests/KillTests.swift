import Alerts
import Foundation
import Testing

@testable import EventLog

/// Real processes, killed in the middle of writing: what they reported as stored is there.
@Suite(.serialized) struct KillTests {
  /// Where the dying process finds its orders: an exit test's body sees nothing of the test around it.
  private static let variable = "TOCSIN_TEST_LOG"

  @Test(arguments: 0..<8) func whatWasReportedSurvivesAKill(_ round: Int) async throws {
    let folder = try TemporaryFolder()
    setenv(KillTests.variable, folder.path, 1)
    defer { unsetenv(KillTests.variable) }
    // Twice on the same file: the second one begins where a kill has left it.
    for _ in 0..<2 {
      await #expect(processExitsWith: .signal(SIGKILL)) {
        guard let path = getenv("TOCSIN_TEST_LOG").map({ String(cString: $0) }) else { return }
        try KillTests.writeUntilKilled(path)
      }
    }
    let reported = try Data(contentsOf: URL(fileURLWithPath: folder.file("reported")))
    try #require(reported.count >= 8, "the process died before it had stored anything")
    let last = reported.withUnsafeBytes { bytes in
      bytes.loadUnaligned(fromByteOffset: (bytes.count / 8 - 1) * 8, as: Int64.self)
    }
    let log = try SQLiteEventLog(path: folder.log)
    #expect(log.head >= last)
    #expect(try log.all().map(\.position) == Array(1...log.head))
    #expect(try EventLogReader(path: folder.log).verify().problems == [])
  }

  /// Appends, and reports each commit that returned, until another thread kills the process at some moment.
  static func writeUntilKilled(_ path: String) throws {
    let log = try SQLiteEventLog(path: path + "/tocsin.sqlite")
    let report = open(path + "/reported", O_WRONLY | O_CREAT | O_APPEND, 0o644)
    var pen = Pen()
    pen.position = log.head
    pen.versions[Subject(.alert, 1)] = Int(log.head)
    try log.append(pen.commit(events: 1))
    let delay = UInt32.random(in: 1000...60_000)
    Thread.detachNewThread {
      usleep(delay)
      kill(getpid(), SIGKILL)
    }
    while true {
      var head = log.head
      write(report, &head, 8)
      try log.append(pen.commit(events: Int.random(in: 1...200), text: String(repeating: "x", count: 300)))
    }
  }
}
