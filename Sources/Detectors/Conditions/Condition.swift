/// A condition such as `deviation > 0.5 and device == "mobile"`: pure, and the same wherever it is asked.
///
/// What is not known (a detector without `z`, a dimension that this series lacks) is neither true nor false: a comparison with it does
/// not hold, and neither does its negation. `and` and `or` follow Kleene's three-valued logic, as SQL does.
package struct Condition: Sendable, Equatable {
  package indirect enum Node: Sendable, Equatable {
    case number(Double)
    case text(String)
    case truth(Bool)
    case name(String)
    case not(Node)
    case negative(Node)
    case and(Node, Node)
    case or(Node, Node)
    case compare(Comparison, Node, Node)
    case arithmetic(Arithmetic, Node, Node)
    case call(Function, [Node])
    case oneOf(Node, [Node])
  }
  package enum Comparison: String, Sendable {
    case less = "<", most = "<=", greater = ">", least = ">=", equal = "==", unequal = "!="
  }
  package enum Arithmetic: String, Sendable { case plus = "+", minus = "-", times = "*", over = "/" }
  package enum Function: String, Sendable { case abs, min, max }

  package enum Value: Sendable, Equatable {
    case number(Double)
    case text(String)
    case truth(Bool)
  }

  package let text: String
  package let node: Node

  /// True only if it certainly holds. `lookup` gives the value of a name, or nil where there is none.
  package func holds(_ lookup: (String) -> Value?) -> Bool {
    Condition.evaluate(node, lookup) == .truth(true)
  }

  /// The names that it uses.
  package var names: Set<String> {
    var found: Set<String> = []
    func walk(_ node: Node) {
      switch node {
      case .name(let n): found.insert(n)
      case .number, .text, .truth: break
      case .not(let a), .negative(let a): walk(a)
      case .and(let a, let b), .or(let a, let b), .compare(_, let a, let b), .arithmetic(_, let a, let b):
        walk(a)
        walk(b)
      case .call(_, let all): all.forEach(walk)
      case .oneOf(let a, let all):
        walk(a)
        all.forEach(walk)
      }
    }
    walk(node)
    return found
  }

  private static func evaluate(_ node: Node, _ lookup: (String) -> Value?) -> Value? {
    switch node {
    case .number(let n): return .number(n)
    case .text(let t): return .text(t)
    case .truth(let b): return .truth(b)
    case .name(let name): return lookup(name)
    case .not(let a): return evaluate(a, lookup).flatMap { if case .truth(let b) = $0 { .truth(!b) } else { nil } }
    case .negative(let a): return number(a, lookup).map { .number(-$0) }
    case .and(let a, let b):
      let left = truth(a, lookup)
      if left == false { return .truth(false) }
      let right = truth(b, lookup)
      if right == false { return .truth(false) }
      return left == nil || right == nil ? nil : .truth(true)
    case .or(let a, let b):
      let left = truth(a, lookup)
      if left == true { return .truth(true) }
      let right = truth(b, lookup)
      if right == true { return .truth(true) }
      return left == nil || right == nil ? nil : .truth(false)
    case .compare(let op, let a, let b):
      guard let left = evaluate(a, lookup), let right = evaluate(b, lookup) else { return nil }
      return compare(op, left, right).map { .truth($0) }
    case .arithmetic(let op, let a, let b):
      guard let left = number(a, lookup), let right = number(b, lookup) else { return nil }
      let result =
        switch op {
        case .plus: left + right
        case .minus: left - right
        case .times: left * right
        case .over: left / right
        }
      return result.isFinite ? .number(result) : nil
    case .call(let function, let arguments):
      var numbers: [Double] = []
      for a in arguments {
        guard let n = number(a, lookup) else { return nil }
        numbers.append(n)
      }
      let result =
        switch function {
        case .abs: numbers.first?.magnitude
        case .min: numbers.min()
        case .max: numbers.max()
        }
      return result.map { .number($0) }
    case .oneOf(let a, let all):
      guard let left = evaluate(a, lookup) else { return nil }
      var unknown = false
      for item in all {
        guard let right = evaluate(item, lookup), let same = compare(.equal, left, right) else {
          unknown = true
          continue
        }
        if same { return .truth(true) }
      }
      return unknown ? nil : .truth(false)
    }
  }

  private static func number(_ node: Node, _ lookup: (String) -> Value?) -> Double? {
    switch evaluate(node, lookup) {
    case .number(let n): n
    // A dimension may hold a number as text.
    case .text(let t): Double(t).flatMap { $0.isFinite ? $0 : nil }
    default: nil
    }
  }

  private static func truth(_ node: Node, _ lookup: (String) -> Value?) -> Bool? {
    if case .truth(let b) = evaluate(node, lookup) { b } else { nil }
  }

  private static func compare(_ op: Comparison, _ a: Value, _ b: Value) -> Bool? {
    func order<T: Comparable>(_ x: T, _ y: T) -> Bool {
      switch op {
      case .less: x < y
      case .most: x <= y
      case .greater: x > y
      case .least: x >= y
      case .equal: x == y
      case .unequal: x != y
      }
    }
    switch (a, b) {
    case (.number(let x), .number(let y)): return order(x, y)
    case (.text(let x), .text(let y)): return order(x, y)
    case (.text(let x), .number(let y)): return Double(x).map { order($0, y) }
    case (.number(let x), .text(let y)): return Double(y).map { order(x, $0) }
    case (.truth(let x), .truth(let y)): return op == .equal ? x == y : op == .unequal ? x != y : nil
    default: return nil
    }
  }
}
