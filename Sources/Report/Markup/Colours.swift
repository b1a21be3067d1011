/// Which class of the style sheet a component's or a class's marks have: the same one all over a report.
enum Colours {
  /// Colours that can be told apart, also by most people who see few.
  static let count = 8
  /// With more components than this their colours say nothing, and all are grey.
  static let mostComponents = 24

  /// The class of a component's lines.
  static func component(_ index: Int, of count: Int) -> String {
    count <= mostComponents ? "c\(index % Colours.count)" : "cx"
  }

  /// What a caption says of the colours.
  static func explanation(of components: Int) -> String {
    switch components {
    case 1: ""
    case ...count: " A component has the same colour in every figure."
    case ...mostComponents:
      " A component has the same colour in every figure; after eight components the colours begin again."
    default: " There are too many components for colours of their own."
    }
  }
}
