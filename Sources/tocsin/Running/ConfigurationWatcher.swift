import Console
import Foundation
import Glibc
import Logging
import ServiceLifecycle
import TocsinConfiguration

/// Takes up an edited configuration: when a file of it changes, or on SIGHUP. A wrong one is refused whole, and said so; the old one stays.
struct ConfigurationWatcher: ServiceLifecycle.Service {
  let directory: String
  let take: @Sendable (Configuration) -> Void
  private let logger = Logger(label: "tocsin.configuration")
  /// Editors write a file in several steps: what settles within this time counts as one change.
  private static let settleTime = Duration.milliseconds(300)

  init(directory: String, take: @escaping @Sendable (Configuration) -> Void) {
    self.directory = directory
    self.take = take
  }

  func run() async throws {
    let changes = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let queue = DispatchQueue(label: "tocsin.configuration")
    signal(SIGHUP, SIG_IGN)
    let hangup = DispatchSource.makeSignalSource(signal: SIGHUP, queue: queue)
    hangup.setEventHandler { changes.continuation.yield() }
    hangup.resume()
    let watch = watchFiles(queue) { changes.continuation.yield() }
    try await Part.untilStopped({ changes.continuation.finish() }) {
      for await _ in changes.stream {
        try? await Task.sleep(for: ConfigurationWatcher.settleTime)
        reload()
      }
    }
    hangup.cancel()
    watch?.cancel()
  }

  private func reload() {
    do throws(ConfigurationFaults) {
      take(try Configuration.load(directory: directory, environment: ProcessInfo.processInfo.environment))
    } catch {
      logger.error("the new configuration is wrong; the old one stays in force", metadata: ["faults": "\(error)"])
    }
  }

  /// inotify(7) on the folder, its metrics/ and its templates/, also where those are made later.
  private func watchFiles(_ queue: DispatchQueue, _ onChange: @escaping @Sendable () -> Void) -> (
    any DispatchSourceRead
  )? {
    let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard descriptor >= 0 else {
      logger.warning("changes of the configuration are not noticed by themselves: send SIGHUP after an edit")
      return nil
    }
    let events = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_CREATE)
    let folders = [directory, directory + "/metrics", directory + "/templates"]
    // A folder that is watched already stays so.
    @Sendable func watchFolders() { for folder in folders { _ = inotify_add_watch(descriptor, folder, events) } }
    watchFolders()
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    source.setEventHandler {
      var buffer = [UInt8](repeating: 0, count: 4096)
      var isChange = false
      while case let n = read(descriptor, &buffer, buffer.count), n > 0 {
        if ConfigurationWatcher.isChange(buffer[..<n]) { isChange = true }
      }
      guard isChange else { return }
      watchFolders()
      onChange()
    }
    source.setCancelHandler { close(descriptor) }
    source.resume()
    return source
  }
}

extension ConfigurationWatcher {
  /// Whether any of these events is more than a file that was just made and is not written yet: that one follows when it is closed.
  static func isChange(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var at = 0
      while at + MemoryLayout<inotify_event>.size <= bytes.count {
        let event = bytes.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
        if event.mask & UInt32(IN_CREATE) == 0 || event.mask & UInt32(IN_ISDIR) != 0 { return true }
        at += MemoryLayout<inotify_event>.size + Int(event.len)
      }
      return false
    }
  }
}

extension Configuration {
  /// The keys of `tocsin.yaml` that a running process can't follow and that differ: files and sockets that are open, and what is built on them.
  func fixedParts(otherThan started: Configuration) -> [String] {
    var keys: [String] = []
    if logPath != started.logPath { keys.append("log") }
    if projectionsPath != started.projectionsPath { keys.append("projections") }
    if dataDirectory != started.dataDirectory { keys.append("data_directory") }
    var bus = bus
    if let clients = started.bus.curve?.clients { bus.curve?.clients = clients }
    if bus != started.bus { keys.append("bus") }
    var console = console
    console.answers = started.console.answers
    if console != started.console { keys.append("console") }
    if digests != started.digests { keys.append("digests") }
    if timeZone != started.timeZone { keys.append("timezone") }
    return keys
  }
}
