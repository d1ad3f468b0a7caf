import Mustache

/// What a template may ask for by name. A dictionary would do as well, but that it is one of texts is found out anew at each look, which takes longer than the look.
struct TemplateValues: MustacheParent {
  let values: [String: Any]
  func child(named name: String) -> Any? { values[name] }
}

extension MessageFacts.Row: MustacheParent {
  func child(named name: String) -> Any? {
    switch name {
    case "name": self.name
    case "value": value
    default: nil
    }
  }
}
