import Alerts
import Yams

/// Turns YAML text into a ``Tree``.
enum TreeReading {
  /// Nodes in one file, aliases followed: a small file of nested aliases must not fill the memory.
  static let nodeLimit = 200_000
  static let depthLimit = 64

  /// The documents of a file, and nil for one that can't be read; the fault is in `reading` then.
  static func documents(_ text: String, file: String, into reading: Reading) -> [Tree] {
    var trees: [Tree] = []
    do {
      var sequence = try Yams.compose_all(yaml: text)
      var left = nodeLimit
      while let node = sequence.next() {
        trees.append(tree(node, file: file, path: "", depth: 0, left: &left, into: reading))
      }
      if let error = sequence.error { reading.faults.append(fault(error, file: file)) }
    } catch {
      reading.faults.append(fault(error, file: file))
    }
    return trees
  }

  private static func tree(
    _ node: Node, file: String, path: String, depth: Int, left: inout Int, into reading: Reading
  ) -> Tree {
    let place = Place(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    left -= 1
    guard depth < depthLimit, left > 0 else {
      if left >= 0 {
        reading.faults.append(
          Fault(
            place, key: path, "nests deeper than \(depthLimit) levels or holds more than \(nodeLimit) values",
            mend: "split it into smaller parts, and look for aliases that repeat one another"))
      }
      left = min(left, -1)
      return Tree(value: .broken, place: place)
    }
    switch node {
    case .alias: return Tree(value: .broken, place: place)
    case .scalar(let scalar):
      let quoted = scalar.style != .plain && scalar.style != .any
      if !quoted, ["", "~", "null", "Null", "NULL"].contains(scalar.string) { return Tree(value: .null, place: place) }
      switch reading.expand(scalar.string) {
      case .success(let text):
        return Tree(
          value: .scalar(.init(text: text, written: scalar.string, quoted: quoted)), place: place)
      case .failure(let problem):
        reading.faults.append(Fault(place, key: path, problem.message, mend: problem.mend))
        return Tree(value: .broken, place: place)
      }
    case .sequence(let items):
      var list: [Tree] = []
      for (i, item) in items.enumerated() {
        list.append(tree(item, file: file, path: "\(path)[\(i)]", depth: depth + 1, left: &left, into: reading))
      }
      return Tree(value: .list(list), place: place)
    case .mapping(let pairs):
      var entries: [Tree.Entry] = []
      var merged: [Tree.Entry] = []
      for (key, value) in pairs {
        let keyPlace = Place(file: file, line: key.mark?.line ?? place.line, column: key.mark?.column ?? place.column)
        guard let name = key.scalar?.string else {
          reading.faults.append(Fault(keyPlace, key: path, "a key must be a text"))
          continue
        }
        let child = tree(
          value, file: file, path: path.isEmpty ? name : "\(path).\(name)", depth: depth + 1, left: &left, into: reading
        )
        if name == "<<", case .map(let more) = child.value {
          merged += more
        } else {
          entries.append(.init(key: name, place: keyPlace, value: child))
        }
      }
      for entry in merged where !entries.contains(where: { $0.key == entry.key }) { entries.append(entry) }
      return Tree(value: .map(entries), place: place)
    }
  }

  /// What the YAML library found wrong, in the form of every other fault.
  private static func fault(_ error: any Error, file: String) -> Fault {
    func at(_ mark: Mark) -> Place { Place(file: file, line: max(mark.line, 1), column: max(mark.column, 1)) }
    let mend = "check the indentation, the quotes and the brackets on this line and the one above"
    guard let error = error as? YamlError else {
      return Fault(Place(file: file, line: 1, column: 1), key: "", "\(error)")
    }
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let why = context.map { ", \($0.text) (line \($0.mark.line))" } ?? ""
      return Fault(at(mark), key: "", "this is not YAML: \(problem)\(why)", mend: mend)
    case .duplicatedKeysInMapping(let duplicates, let context):
      return Fault(
        at(context.mark), key: duplicates.joined(separator: ", "), "this key stands more than once in one mapping",
        mend: "keep one of them")
    case .reader(let problem, _, _, _):
      return Fault(
        Place(file: file, line: 1, column: 1), key: "", "this can't be read as text: \(problem)",
        mend: "save the file as UTF-8")
    default:
      return Fault(Place(file: file, line: 1, column: 1), key: "", "this can't be read as YAML", mend: mend)
    }
  }
}
