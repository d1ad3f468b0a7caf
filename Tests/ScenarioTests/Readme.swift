import Foundation

/// The README's fenced blocks, as they stand.
struct Readme {
  struct Block {
    var language: String
    var heading: String
    var text: String
    /// Its lines without comments.
    var commands: [String] {
      text.split(separator: "\n").map { line in
        (line.range(of: "   #").map { String(line[..<$0.lowerBound]) } ?? String(line)).trimmingCharacters(
          in: .whitespaces)
      }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }
  }

  var text: String
  var blocks: [Block] = []

  init() throws {
    text = try World.committed("README.md")
    var heading = ""
    var open: Block?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        if let block = open {
          blocks.append(block)
          open = nil
        } else {
          open = Block(language: String(line.dropFirst(3)), heading: heading, text: "")
        }
      } else if open != nil {
        open?.text += line + "\n"
      } else if line.hasPrefix("## ") {
        heading = String(line.dropFirst(3))
      }
    }
  }

  func block(_ heading: String, _ language: String) throws -> Block {
    guard let found = blocks.first(where: { $0.heading == heading && $0.language == language }) else {
      throw World.Failure(description: "the README has no \(language) block under \"\(heading)\"")
    }
    return found
  }

  /// Where its links lead, those to files of this package.
  var links: [String] {
    text.matches(of: /\]\(([^)#]+)\)/).map { String($0.1) }.filter { !$0.contains("://") }
  }
}
