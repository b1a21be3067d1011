extension FamilyDescription {
  private static func example(_ model: [String], components: Int = 10) -> String {
    (["model:"] + model.map { "  " + $0 } + ["mixture:", "  components: \(components)"]).joined(
      separator: "\n")
      + "\n"
  }

  private static let covariance = "a matrix | its diagonal | one variance"

  static let stan = FamilyDescription(
    family: "stan", title: "any Stan model, compiled with BridgeStan",
    formula: [
      "The model's own density on the unconstrained scale, with Jacobians and all constants;",
      "results have the model's constrained parameters under Stan's names.",
    ],
    keys: [
      Key(
        "library", "a file", default: nil,
        "The compiled model: a shared library with BridgeStan's C interface."),
      Key(
        "program", "a file", default: "none",
        "The Stan program, for a library that interprets programs (stanli)."),
      Key(
        "data", "a JSON file | a list of them", default: "none",
        "The model's data; of a list each file is one shard, whose prior terms are scaled by prior_weight."),
      Key(
        "shard_by", "{size: N, slice: [names], shards: k}", default: "none",
        "Cut one data file into shards: the variable with the number of rows, and the arrays to cut."),
      Key(
        "outputs", "{transformed: true | false, generated: true | false}", default: "neither",
        "Which other quantities results have besides parameters."),
      Key(
        "seed", "a whole number", default: "inference.seed",
        "Of random numbers in the model: transformed data, generated quantities."),
    ],
    example: example(["family: stan", "library: eight-schools.so", "data: eight-schools.json"]))

  static let custom = FamilyDescription(
    family: "custom", title: "a target of a program of your own (cluster/examples/custom-target)",
    formula: ["What the program registered under the name."],
    keys: [
      Key("name", "a name", default: nil, "The target's name in the program."),
      Key("settings", "{key: number, …}", default: "none", "What the program makes it with."),
      Key("response", "a column", default: "none", "For a target with data: a column of numbers."),
      Key("features", "a list of columns", default: "all other columns", "For a target with data."),
      Key("intercept", "true | false", default: "true", "For a target with data."),
    ],
    example: example(["family: custom", "name: ring", "settings: {radius: 3, width: 0.3}"]))

  static let targets = [
    FamilyDescription(
      family: "gaussian", title: "a Gaussian", formula: ["x ~ Normal(mean, covariance)"],
      keys: [
        Key("mean", "a list of numbers", default: nil, "Its length is the dimension."),
        Key("covariance", covariance, default: nil, "Symmetric and positive definite."),
      ], example: example(["family: gaussian", "mean: [0, 1]", "covariance: [[1, 0.5], [0.5, 2]]"])),
    FamilyDescription(
      family: "gaussian_mixture", title: "a mixture of Gaussians",
      formula: ["x ~ Σ_k weight_k Normal(mean_k, covariance_k)"],
      keys: [
        Key("means", "a list of lists", default: nil, "One for each component."),
        Key("covariances", "a list, each \(covariance)", default: nil, "One for each component."),
        Key("weights", "a list of numbers", default: "equal", "Positive, adding up to 1."),
        Key("file", "a JSON file", default: "none", "With weights, means and covariances, instead of them."),
      ],
      example: example([
        "family: gaussian_mixture", "weights: [0.1, 0.9]", "means: [[-4, -4], [4, 4]]", "covariances: [1, 1]",
      ])),
    FamilyDescription(
      family: "student_t_mixture", title: "a mixture of multivariate Student t distributions",
      formula: ["x ~ Σ_k weight_k StudentT(degrees, mean_k, scale matrix_k)"],
      keys: [
        Key("means", "a list of lists", default: nil, "One for each component."),
        Key("scales", "a list, each \(covariance)", default: nil, "Scale matrices, one for each component."),
        Key("degrees", "a number > 0 | a list of them", default: nil, "Degrees of freedom."),
        Key("weights", "a list of numbers", default: "equal", "Positive, adding up to 1."),
        Key("file", "a JSON file", default: "none", "With all of these, instead of them."),
      ],
      example: example([
        "family: student_t_mixture", "means: [[-4, -4], [4, 4]]", "scales: [1, 1]", "degrees: 5",
      ])),
    FamilyDescription(
      family: "funnel", title: "Neal's funnel",
      formula: ["x₁ ~ Normal(0, variance),  x_k | x₁ ~ Normal(0, exp(x₁)) for k > 1; both are variances"],
      keys: [
        Key("variance", "a number > 0", default: "1.2", "Variance of x₁."),
        Key("dimension", "a number ≥ 2", default: "2", "Number of coordinates."),
      ], example: example(["family: funnel"], components: 20)),
    FamilyDescription(
      family: "banana", title: "Rosenbrock's banana, as Haario and others have it",
      formula: [
        "x₁ ~ Normal(0, variance),  x₂ | x₁ ~ Normal(curvature (x₁² − variance), 1),  x_k ~ Normal(0, 1) for k > 2"
      ],
      keys: [
        Key("variance", "a number > 0", default: "100", "Variance of x₁."),
        Key("curvature", "a number", default: "0.03", "How much it is bent."),
        Key("dimension", "a number ≥ 2", default: "2", "Number of coordinates."),
      ], example: example(["family: banana"], components: 20)),
    FamilyDescription(
      family: "sinh_arcsinh", title: "a sinh-arcsinh normal distribution",
      formula: ["x = sinh((asinh(z) + skew) · tail) in each coordinate,  z ~ Normal(0, covariance)"],
      keys: [
        Key("skew", "a list of numbers", default: nil, "Its length is the dimension."),
        Key("tail", "a list of numbers > 0", default: nil, "Below 1: lighter tails than a Gaussian's."),
        Key("covariance", covariance, default: "1", "Of z."),
      ],
      example: example([
        "family: sinh_arcsinh", "skew: [-0.2, -0.2]", "tail: [0.833, 0.833]",
        "covariance: [[1, 0.4], [0.4, 1]]",
      ])),
  ]
}
