/// A regular expression over a label, anchored at both ends, matched in time linear in the text.
///
/// Patterns come from outside (silences, front doors): one that backtracks could stall the service, so this is a Thompson
/// simulation of an automaton with as many states as the pattern has characters. It knows literals, `.`, classes
/// `[a-z]` `[^…]`, `\d \w \s` and their opposites, groups `(…)` `(?:…)`, alternatives `|`, and `* + ?` with `{m,n}` up to 100.
/// Source: Ken Thompson, "Regular Expression Search Algorithm", CACM 11(6), 1968; Russ Cox, "Regular Expression Matching
/// Can Be Simple And Fast", 2007.
package struct Pattern: Sendable {
  /// The most instructions that a pattern may compile to; a longer one is refused when it is read.
  package static let programLimit = 4096

  fileprivate enum Step: Sendable {
    case scalar(UnicodeScalar)
    case any
    case set([ClosedRange<UInt32>], Bool)
    case split(Int, Int)
    case jump(Int)
    case match
  }
  fileprivate let program: [Step]

  /// Nil if the text is no pattern, or too large a one.
  package init?(_ text: String) {
    var parser = PatternParser(scalars: Array(text.unicodeScalars))
    guard let node = parser.alternatives(depth: 0), parser.i == parser.scalars.count else { return nil }
    var program: [Step] = []
    guard Pattern.compile(node, into: &program) else { return nil }
    program.append(.match)
    self.program = program
  }

  package func matches(_ text: String) -> Bool {
    var current: [Int] = []
    var next: [Int] = []
    var mark = [Int](repeating: -1, count: program.count)
    add(0, to: &current, &mark, 0)
    var step = 1
    for scalar in text.unicodeScalars {
      next.removeAll(keepingCapacity: true)
      for pc in current {
        let hit =
          switch program[pc] {
          case .scalar(let s): s == scalar
          case .any: true
          case .set(let ranges, let negated): ranges.contains { $0.contains(scalar.value) } != negated
          default: false
          }
        if hit { add(pc + 1, to: &next, &mark, step) }
      }
      swap(&current, &next)
      if current.isEmpty { return false }
      step += 1
    }
    return current.contains { if case .match = program[$0] { true } else { false } }
  }

  private func add(_ start: Int, to list: inout [Int], _ mark: inout [Int], _ step: Int) {
    var stack = [start]
    while let pc = stack.popLast() {
      if mark[pc] == step { continue }
      mark[pc] = step
      switch program[pc] {
      case .jump(let to): stack.append(to)
      case .split(let a, let b):
        stack.append(b)
        stack.append(a)
      default: list.append(pc)
      }
    }
  }

  fileprivate indirect enum Node {
    case empty
    case one(Step)
    case sequence([Node])
    case either([Node])
    case times(Node, Int, Int?)
  }

  private static func compile(_ node: Node, into program: inout [Step]) -> Bool {
    guard program.count < programLimit else { return false }
    switch node {
    case .empty: return true
    case .one(let step): program.append(step)
    case .sequence(let nodes):
      for n in nodes { guard compile(n, into: &program) else { return false } }
    case .either(let nodes):
      var jumps: [Int] = []
      for (k, n) in nodes.enumerated() {
        guard k < nodes.count - 1 else {
          guard compile(n, into: &program) else { return false }
          break
        }
        let split = program.count
        program.append(.split(split + 1, 0))
        guard compile(n, into: &program) else { return false }
        jumps.append(program.count)
        program.append(.jump(0))
        program[split] = .split(split + 1, program.count)
      }
      for j in jumps { program[j] = .jump(program.count) }
    case .times(let n, let least, let most):
      for _ in 0..<least { guard compile(n, into: &program) else { return false } }
      if let most {
        var splits: [Int] = []
        for _ in least..<max(least, most) {
          splits.append(program.count)
          program.append(.split(0, 0))
          guard compile(n, into: &program) else { return false }
        }
        for s in splits { program[s] = .split(s + 1, program.count) }
      } else {
        let split = program.count
        program.append(.split(0, 0))
        guard compile(n, into: &program) else { return false }
        program.append(.jump(split))
        program[split] = .split(split + 1, program.count)
      }
    }
    return program.count < programLimit
  }
}

private struct PatternParser {
  let scalars: [UnicodeScalar]
  var i = 0

  mutating func alternatives(depth: Int) -> Pattern.Node? {
    guard depth < 50 else { return nil }
    var branches: [Pattern.Node] = []
    repeat {
      var items: [Pattern.Node] = []
      while i < scalars.count, scalars[i] != "|", scalars[i] != ")" {
        guard let item = item(depth: depth) else { return nil }
        items.append(item)
      }
      branches.append(.sequence(items))
    } while take("|")
    return branches.count == 1 ? branches[0] : .either(branches)
  }

  private mutating func take(_ s: UnicodeScalar) -> Bool {
    guard i < scalars.count, scalars[i] == s else { return false }
    i += 1
    return true
  }

  private mutating func item(depth: Int) -> Pattern.Node? {
    guard var node = atom(depth: depth) else { return nil }
    while i < scalars.count {
      if take("*") {
        node = .times(node, 0, nil)
      } else if take("+") {
        node = .times(node, 1, nil)
      } else if take("?") {
        node = .times(node, 0, 1)
      } else if scalars[i] == "{" {
        i += 1
        guard let least = number() else { return nil }
        var most: Int? = least
        if take(",") { most = i < scalars.count && scalars[i] == "}" ? nil : number() ?? -1 }
        guard take("}"), least <= 100, most ?? 0 <= 100, most == nil || most! >= least else { return nil }
        node = .times(node, least, most)
      } else {
        break
      }
    }
    return node
  }

  private mutating func number() -> Int? {
    var v: Int?
    while i < scalars.count, let d = Int(String(scalars[i])), v ?? 0 < 1000 {
      v = (v ?? 0) * 10 + d
      i += 1
    }
    return v
  }

  private mutating func atom(depth: Int) -> Pattern.Node? {
    let s = scalars[i]
    i += 1
    switch s {
    case "(":
      if i + 1 < scalars.count, scalars[i] == "?", scalars[i + 1] == ":" { i += 2 }
      guard let node = alternatives(depth: depth + 1), take(")") else { return nil }
      return node
    case ".": return .one(.any)
    case "^", "$": return .empty
    case "[": return set()
    case "\\":
      guard i < scalars.count else { return nil }
      i += 1
      return .one(PatternParser.escape(scalars[i - 1]))
    case "*", "+", "?", "{": return nil
    default: return .one(.scalar(s))
    }
  }

  private static let word: [ClosedRange<UInt32>] = [48...57, 65...90, 95...95, 97...122]
  private static let space: [ClosedRange<UInt32>] = [9...13, 32...32]

  private static func escape(_ s: UnicodeScalar) -> Pattern.Step {
    switch s {
    case "d": .set([48...57], false)
    case "D": .set([48...57], true)
    case "w": .set(word, false)
    case "W": .set(word, true)
    case "s": .set(space, false)
    case "S": .set(space, true)
    case "n": .scalar("\n")
    case "t": .scalar("\t")
    default: .scalar(s)
    }
  }

  private mutating func set() -> Pattern.Node? {
    let negated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    var first = true
    while i < scalars.count, first || scalars[i] != "]" {
      first = false
      var low = scalars[i]
      i += 1
      if low == "\\" {
        guard i < scalars.count else { return nil }
        let step = PatternParser.escape(scalars[i])
        i += 1
        switch step {
        case .set(let more, false):
          ranges += more
          continue
        case .scalar(let s): low = s
        default: return nil
        }
      }
      if i + 1 < scalars.count, scalars[i] == "-", scalars[i + 1] != "]" {
        let high = scalars[i + 1]
        guard high >= low else { return nil }
        ranges.append(low.value...high.value)
        i += 2
      } else {
        ranges.append(low.value...low.value)
      }
    }
    guard take("]") else { return nil }
    return .one(.set(ranges, negated))
  }
}
