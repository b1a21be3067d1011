import CKernels
import NumericsKit

/// What a regression predicts of rows.
extension GeneralizedLinearModel {
  public var predictedResponse: PredictedResponse? {
    switch likelihood {
    case .gaussian, .studentT: .real
    case .poisson, .negativeBinomial: .count
    case .logistic: .classes(classNames)
    }
  }

  /// Where θ holds β itself; not for Student's t with hardly any degrees of freedom.
  public var predictorLaw: PredictorLaw? {
    guard space.isIdentity else { return nil }
    let response: PredictorLaw.Response
    switch likelihood {
    case .logistic: response = .bernoulli
    case .gaussian: response = .normal
    case .poisson: response = .poisson
    case .negativeBinomial: response = .negativeBinomial
    case .studentT(let degrees, _):
      guard degrees >= PredictorLaw.fewestDegrees else { return nil }
      response = .student(degrees: degrees)
    }
    let auxiliary: PredictorLaw.Auxiliary =
      switch likelihood.auxiliary {
      case nil: .none
      case .known(let value): .known(value)
      case .halfNormal: .coordinate(auxiliaryPlace)
      }
    let law = PredictorLaw(
      response: response, auxiliary: auxiliary, groups: groups.predictorGroups(from: groupStart))
    return law.conditions.count <= PredictorLaw.mostConditions ? law : nil
  }

  public func computeLogLikelihoods(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) {
    visit(rows, draws: draws, count: count, into: output, workspace: workspace) { block in
      kernel.logLikelihoods(
        block.predictors, block.responses, rows: block.count, count: count,
        logarithms: draws + auxiliaryPlace, stride: dimension, workspace: workspace)
    }
  }

  public func computeExpectations(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) {
    visit(rows, draws: draws, count: count, into: output, workspace: workspace) { block in
      kernel.expectations(block.predictors, count: count * block.count)
    }
  }

  public func computeResponses(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, uniforms: UnsafePointer<Double>,
    into output: UnsafeMutablePointer<Double>, workspace: DensityWorkspace
  ) {
    visit(rows, draws: draws, count: count, into: output, workspace: workspace) { block in
      kernel.responses(
        block.predictors, uniforms: uniforms + block.start, uniformStride: rows.count, rows: block.count,
        count: count, logarithms: draws + auxiliaryPlace, stride: dimension, workspace: workspace)
    }
  }

  /// Visits predictors block by block, groups' effects included, and writes what a visit leaves there to `output`
  /// `[count, rows]`.
  private func visit(
    _ rows: RowBlock, draws: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace, _ body: (DesignSweep.Block<Double>) -> Void
  ) {
    defer { withExtendedLifetime(workspace) {} }
    let sweep = DesignSweep(
      rows: rows,
      coefficients: space.coefficients(draws, count: count, stride: dimension, workspace: workspace),
      vectors: count, workspace: workspace)
    let levels = levels(rows)
    let effects = levels.map { _ in
      groups.effects(draws + groupStart, count: count, stride: dimension, workspace: workspace)
    }
    sweep.visitPredictors { block in
      if let levels, let effects {
        groups.add(
          effects, to: block.predictors, points: count, rows: block.count,
          levels: levels + block.start * groups.factors.count)
      }
      body(block)
      for s in 0..<count {
        (output + s * rows.count + block.start).update(
          from: block.predictors + s * block.count, count: block.count)
      }
    }
  }
}

/// What users see of a regression's θ.
extension GeneralizedLinearModel {
  /// `intercept`, `coefficients`, under a horseshoe `local_scale` and `global_scale`, of each group column
  /// `effect_<column>` and `scale_<column>`, and a fitted `noise` or `overdispersion`.
  public var outputVariables: [OutputVariable] {
    let features = Array(columnNames[(hasIntercept ? 1 : 0)...])
    let axis = OutputVariable.Axis(name: "feature", labels: features)
    var variables = hasIntercept ? [OutputVariable(name: columnNames[0])] : []
    if !features.isEmpty {
      variables.append(OutputVariable(name: "coefficients", axes: [axis], columnNames: features))
    }
    if !space.isIdentity {
      variables.append(OutputVariable(name: "local_scale", axes: [axis]))
      variables.append(OutputVariable(name: "global_scale"))
    }
    variables += groups.outputVariables
    if kernel.isFitted { variables.append(OutputVariable(name: likelihood.auxiliaryName)) }
    return variables
  }

  public func computeOutputs(
    points: UnsafePointer<Double>, count: Int, into output: UnsafeMutablePointer<Double>,
    workspace: DensityWorkspace
  ) throws {
    defer { withExtendedLifetime(workspace) {} }
    let coefficients = space.coefficients(points, count: count, stride: dimension, workspace: workspace)
    for s in 0..<count {
      let point = points + s * dimension
      var place = output + s * dimension
      place.update(from: coefficients + s * designColumns, count: designColumns)
      place += designColumns
      if !space.isIdentity {
        space.writeScales(point, into: place)
        place += space.parameterCount - designColumns
      }
      groups.writeOutputs(point + groupStart, into: place)
      if kernel.isFitted {
        place[groups.parameterCount] = VectorMath.boundedExponential(point[auxiliaryPlace]).value
      }
    }
  }
}
