import Alerts
import ArgumentParser
import Bus
import Foundation
import TocsinConfiguration

/// `tocsin keys`: CURVE keys, for a bus that other machines can reach.
struct KeysVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Makes and lists the CURVE keys of the bus.", subcommands: [New.self, List.self])

  struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes a key pair: the secret half goes into a file, the public half is printed.",
      discussion: """
        With --may the printed lines let a client in; without, they are the service's own keys. A secret key is never \
        printed, and its file can be read by you alone.
        """)
    @Argument(help: "Whose keys they are.") var name = "service"
    @Option(name: .customLong("secret-file"), help: "Where the secret key goes. Default: NAME.key.") var file: String?
    @Option(parsing: .upToNextOption, help: "What the client may do: publish, respond, notify, read.")
    var may: [String] = []
    @Flag(help: "As one JSON document, without the secret.") var json = false

    func validate() throws {
      let words = may.flatMap { $0.split(separator: ",").map(String.init) }
      if Permissions(names: words) == nil {
        throw ValidationError("--may takes publish, respond, notify and read")
      }
    }

    func run() throws {
      let path = file ?? name.replacingOccurrences(of: "/", with: "-") + ".key"
      var pair = try CurveKeyPair.generate()
      // Z85 has a dollar sign, which a configuration would take for the beginning of a reference. Two of five keys have one.
      while pair.publicKey.contains("$") || pair.secretKey.contains("$") { pair = try CurveKeyPair.generate() }
      // Created for its owner alone from the start, and never over a key that somebody may still need.
      guard !FileManager.default.fileExists(atPath: path),
        FileManager.default.createFile(
          atPath: path, contents: Data("\(pair.secretKey)\n".utf8), attributes: [.posixPermissions: 0o600])
      else {
        throw BusError(.refused, "\(path) is there already or can't be written; choose another with --secret-file")
      }
      let permissions = may.flatMap { $0.split(separator: ",").map(String.init) }
      if json {
        let document = JSON.compact([
          "name": .string(name), "public_key": .string(pair.publicKey), "secret_file": .string(path),
          "may": permissions.isEmpty ? .null : .array(permissions.map { .string($0) }),
        ])
        print(document.pretty)
        return
      }
      let absolute = URL(fileURLWithPath: path).path
      if permissions.isEmpty {
        print(
          """
          # The secret key is in \(path). In the service's tocsin.yaml:
          bus:
            curve:
              secret_key: "${file:\(absolute)}"
              public_key: "\(pair.publicKey)"
              clients: []
          """)
      } else {
        print(
          """
          # The secret key is in \(path). In the service's tocsin.yaml, under bus.curve.clients:
          - {name: \(JSON.string(name).text), public_key: "\(pair.publicKey)", may: [\(permissions.joined(separator: ", "))]}
          # In the client's:
          bus:
            curve: {secret_key: "${file:\(absolute)}", server_key: "THE SERVICE'S PUBLIC KEY"}
          """)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the clients that the service lets in.")
    @OptionGroup var folder: ConfigVerb.Folder
    @Flag(help: "As JSON lines.") var json = false

    func run() throws {
      let bus = try folder.load().bus
      guard let curve = bus.curve else {
        if !json { print("No CURVE keys: whoever can reach \(bus.gateway) may do everything.") }
        return
      }
      let own = try curve.secretKey.map { try CurveKeyPair(secretKey: $0).publicKey } ?? curve.publicKey
      if json {
        for client in curve.clients {
          let line: JSON = [
            "name": .string(client.name), "public_key": .string(client.publicKey),
            "may": .array(client.may.map { .string($0.rawValue) }),
          ]
          print(line.text)
        }
        return
      }
      if let own { print("this configuration's public key: \(own)") }
      if let server = curve.serverKey { print("the service's public key:        \(server)") }
      for client in curve.clients {
        print("\(client.publicKey)  \(client.name): \(client.may.map(\.rawValue).joined(separator: ", "))")
      }
    }
  }
}
