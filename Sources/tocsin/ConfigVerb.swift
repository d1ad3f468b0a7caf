import Alerts
import ArgumentParser
import Foundation
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
      abstract: "Says what is wrong, with file, line and the mend; exits 78 if anything is.")
    @OptionGroup var folder: Folder
    @Flag(help: "Print the faults as JSON lines, on standard output.") var json = false

    func run() throws {
      if json { return try printJSON() }
      let c = try folder.load()
      print("\(c.directory): no faults\n\(c.summary)")
    }

    private func printJSON() throws {
      let environment = ProcessInfo.processInfo.environment
      let directory = folder.directory ?? environment["TOCSIN_CONFIG"] ?? "config"
      do throws(ConfigurationFaults) {
        _ = try Configuration.load(directory: directory, environment: environment)
      } catch {
        for fault in error.faults {
          let line = JSON.compact([
            "file": .text(fault.place?.file), "line": fault.place.map { .int($0.line) } ?? .null,
            "column": fault.place.map { .int($0.column) } ?? .null, "key": .string(fault.key),
            "message": .string(fault.message), "mend": .text(fault.mend),
          ])
          print(line.text)
        }
        throw ExitCode(78)
      }
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
