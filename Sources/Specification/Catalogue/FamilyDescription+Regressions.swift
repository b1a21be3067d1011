extension FamilyDescription {
  private static func columns(response: String) -> [Key] {
    [
      Key("response", "a column", default: nil, response),
      Key(
        "features", "a list of columns", default: "all other columns",
        "A column of texts becomes a 0/1 column for each text but the first."),
      Key("intercept", "true | false", default: "true", "Whether there is a column of ones."),
    ]
  }

  private static let prior = Key(
    "prior", "{normal: {scale: s}} | {intercept: LAW, coefficients: LAW}", default: "{normal: {scale: 10}}",
    "LAW: normal {scale}, student_t {degrees, scale}, laplace {scale}; for coefficients also horseshoe {scale}."
  )

  private static let groups = [
    Key(
      "groups", "a list of columns", default: "none",
      "Varying intercepts: an effect ~ N(0, scale²) for each value of the column."),
    Key(
      "group_scale", "{half_normal: {scale: s}}", default: "{half_normal: {scale: 1}}",
      "The prior of the scale of each grouping column's effects."),
    Key(
      "group_effects", "auto | centred | non_centred | {column: …}", default: "auto",
      "Whether the fit's coordinates are the effects or effect/scale: auto goes by what rows say of each level."
    ),
  ]

  private static let noise = Key(
    "noise", "a number | {half_normal: {scale: s}}", default: nil,
    "The scale σ: known, or learned with a half-normal prior.")

  /// A regression's spec.
  private static func example(
    _ family: String, response: String, extra: [String] = [], data: String = "train.csv"
  ) -> String {
    (["model:", "  family: \(family)", "  response: \(response)"] + extra.map { "  " + $0 } + [
      "data:", "  train: \(data)", "mixture:", "  components: 5",
    ]).joined(separator: "\n") + "\n"
  }

  static let regressions = [
    FamilyDescription(
      family: "linear", title: "linear regression",
      formula: ["y ~ Normal(η, σ),  η = intercept + x·coefficients + group effects"],
      keys: columns(response: "A number.") + [prior, noise] + groups,
      example: example("linear", response: "yield", extra: ["noise: {half_normal: {scale: 1}}"])),
    FamilyDescription(
      family: "student_t", title: "robust linear regression",
      formula: ["y ~ StudentT(ν, η, σ),  η as for linear: rows far off count less"],
      keys: columns(response: "A number.") + [
        prior, noise,
        Key("degrees", "a number > 0", default: "4", "Degrees of freedom ν: known; fewer is more robust."),
      ] + groups,
      example: example(
        "student_t", response: "yield", extra: ["noise: {half_normal: {scale: 1}}", "degrees: 4"])),
    FamilyDescription(
      family: "logistic", title: "logistic regression",
      formula: ["y ~ Bernoulli(1 / (1 + exp(−η))),  η as for linear"],
      keys: columns(response: "0 or 1, or two texts, of which the second in order is 1.") + [prior] + groups,
      example: example("logistic", response: "survived")),
    FamilyDescription(
      family: "softmax", title: "softmax regression",
      formula: [
        "P(y = c) ∝ exp(η_c),  η_c = intercept_c + x·coefficients_c",
        "Every class has its own coefficients; the prior identifies them.",
      ],
      keys: columns(response: "Texts or whole numbers: the classes.") + [prior],
      example: example("softmax", response: "species")),
    FamilyDescription(
      family: "poisson", title: "Poisson regression",
      formula: ["y ~ Poisson(exp(η)),  η as for linear"],
      keys: columns(response: "Whole numbers from 0.") + [prior] + groups,
      example: example("poisson", response: "visits", extra: ["prior: {normal: {scale: 1}}"])),
    FamilyDescription(
      family: "negative_binomial", title: "negative binomial regression",
      formula: ["E y = μ = exp(η), Var y = μ + α μ²,  η as for linear"],
      keys: columns(response: "Whole numbers from 0.") + [
        prior,
        Key(
          "overdispersion", "a number | {half_normal: {scale: s}}", default: nil,
          "α: known, or learned with a half-normal prior."),
      ] + groups,
      example: example(
        "negative_binomial", response: "visits",
        extra: [
          "prior: {normal: {scale: 1}}", "overdispersion: {half_normal: {scale: 1}}", "groups: [clinic]",
        ])),
  ]

  private static let layers = [
    Key("hidden", "a number | a list of numbers", default: "50", "Units of each hidden layer."),
    Key("activation", "relu | tanh", default: "relu", "What a hidden unit makes of its input."),
    Key(
      "prior", "{normal: {scale: s}}", default: "{normal: {scale: 10}}", "Of every weight and bias."),
  ]

  static let networks = [
    FamilyDescription(
      family: "bnn_regression", title: "regression by a Bayesian neural network",
      formula: ["y ~ Normal(f(x; θ), σ),  f: dense layers with a bias each; θ: all weights and biases"],
      keys: Array(columns(response: "A number.").prefix(2)) + layers + [noise],
      example: example(
        "bnn_regression", response: "yield",
        extra: ["hidden: 50", "prior: {normal: {scale: 1}}", "noise: 0.5"])),
    FamilyDescription(
      family: "bnn_classification", title: "classification by a Bayesian neural network",
      formula: [
        "P(y = c) ∝ exp(f_c(x; θ)); of two classes one output, P(y = 1) = 1 / (1 + exp(−f(x; θ)))"
      ],
      keys: Array(columns(response: "Texts or whole numbers: the classes.").prefix(2)) + layers,
      example: example(
        "bnn_classification", response: "species",
        extra: ["hidden: [20, 10]", "activation: tanh", "prior: {normal: {scale: 1}}"])),
  ]
}
