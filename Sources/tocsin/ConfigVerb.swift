import Alerts
import ArgumentParser
import Foundation
import Notifiers
import TocsinConfiguration

/// `tocsin config check` and `tocsin config show`.
struct ConfigVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Checks the configuration, or prints it as it counts.",
    subcommands: [Check.self, Show.self])

  struct Folder: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration's directory (TOCSIN_CONFIG, else config).")
    var directory: String?

    /// Reads the configuration, or prints every fault and ends with code 78.
    func load() throws -> Configuration {
      let environment = ProcessInfo.processInfo.environment
      let directory = directory ?? environment["TOCSIN_CONFIG"] ?? "config"
      do throws(ConfigurationFaults) {
        return try Configuration.load(directory: directory, environment: environment)
      } catch {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        throw ExitCode(78)
      }
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says what is wrong, with file, line and the mend; exits 78 if anything is.",
      discussion: "A template of yours that can't be read is a warning: the built-in one stands in for it.")
    @OptionGroup var folder: Folder
    @Flag(help: "Print the faults as JSON lines, on standard output.") var json = false
    @Flag(
      help: "Exit 78 for warnings too: broken templates, and steps that would reach nobody in the next eight weeks.")
    var strict = false

    func run() throws {
      if json { return try printJSON() }
      let c = try folder.load()
      let gaps = Check.warnings(c)
      for gap in gaps { print("warning: \(gap)") }
      print("\(c.directory): no faults\n\(c.summary)")
      if strict, !gaps.isEmpty { throw ExitCode(78) }
    }

    private func printJSON() throws {
      let environment = ProcessInfo.processInfo.environment
      let directory = folder.directory ?? environment["TOCSIN_CONFIG"] ?? "config"
      do throws(ConfigurationFaults) {
        let gaps = Check.warnings(try Configuration.load(directory: directory, environment: environment))
        for gap in gaps { print(Check.line(gap, isWarning: true)) }
        if !strict || gaps.isEmpty { return }
      } catch {
        for fault in error.faults { print(Check.line(fault)) }
      }
      throw ExitCode(78)
    }

    private static func warnings(_ c: Configuration) -> [Fault] {
      TemplateFolder.load(configuration: c.directory).faults + c.gaps(now: wallClock())
    }

    private static func line(_ fault: Fault, isWarning: Bool = false) -> String {
      JSON.compact([
        "file": .text(fault.place?.file), "line": fault.place.map { .int($0.line) } ?? .null,
        "column": fault.place.map { .int($0.column) } ?? .null, "key": .string(fault.key),
        "message": .string(fault.message), "mend": .text(fault.mend), "warning": isWarning ? true : .null,
      ]).text
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the configuration as it counts, with defaults and without secrets.")
    @OptionGroup var folder: Folder
    @Flag(help: "As one JSON document.") var json = false

    func run() throws {
      let configuration = try folder.load()
      print(json ? configuration.effective.pretty : Outline.text(configuration.effective), terminator: json ? "\n" : "")
    }
  }
}
