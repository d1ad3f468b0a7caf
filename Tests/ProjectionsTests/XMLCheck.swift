import Foundation

/// Whether tags open and close as they should: what a careless mail client needs. Void elements count as closed.
struct XMLCheck {
  var fault: String?

  init(_ html: String) {
    let void: Set<String> = ["meta", "br", "img", "hr"]
    var open: [String] = []
    for part in html.split(separator: "<").dropFirst(html.hasPrefix("<") ? 0 : 1) {
      guard let end = part.firstIndex(of: ">") else {
        fault = "a tag is not closed: \(part.prefix(40))"
        return
      }
      let tag = part[..<end]
      let name = String(tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber })
      if tag.count(where: { $0 == "\"" }) % 2 == 1 {
        fault = "a quote is not closed: \(tag)"
        return
      }
      if tag.hasPrefix("/") {
        guard open.popLast() == name else {
          fault = "</\(name)> closes nothing"
          return
        }
      } else if !void.contains(name) {
        open.append(name)
      }
    }
    if !open.isEmpty { fault = "\(open) are not closed" }
  }
}
