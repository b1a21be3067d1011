#ifndef ISOMIX_KERNELS_H
#define ISOMIX_KERNELS_H

// Numerical kernels in plain C, compiled for several CPU generations from one source (clones.h).
//
// Ownership: every pointer is borrowed for the call; nothing is allocated. Matrices are row-major. Buffers
// passed as separate arguments must not overlap, unless said otherwise. No function fails: non-finite inputs
// give non-finite outputs. Results don't depend on alignment or on earlier calls.

#include <stddef.h>
#include <stdint.h>

/// The clone that the dispatcher chose: "x86-64-v4", "x86-64-v3" or "default". A static string.
const char *isomix_kernel_variant(void);

// Noise (noise.c): the same bits on every CPU.

/// A key of Philox4x32, as derived from a seed and a stream.
typedef struct {
  uint32_t words[2];
} isomix_noise_key;

/// Philox4x32-10 of Random123 (Salmon, Moraes, Dror, Shaw, SC'11).
void isomix_philox4x32_10(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]);

/// The key of one stream of one seed: Philox of (seed low, seed high, stream, a constant).
isomix_noise_key isomix_derive_noise_key(uint64_t seed, uint32_t stream);

/// Fills [samples, dimension] with uniform deviates in (0, 1], multiples of 2^-52. Deviates 2p and 2p+1 of
/// sample s come from the Philox block of counter (p, s, component, iteration).
void isomix_fill_uniforms(isomix_noise_key key, uint32_t iteration, uint32_t component,
                          uint32_t first_sample, size_t samples, size_t dimension, double *output);

/// Fills [samples, dimension] with standard normal deviates by Box and Muller's transform of the uniforms
/// that isomix_fill_uniforms would give: sqrt(-2 ln u) cos(2πv), sqrt(-2 ln u) sin(2πv).
void isomix_fill_normals(isomix_noise_key key, uint32_t iteration, uint32_t component,
                         uint32_t first_sample, size_t samples, size_t dimension, double *output);

/// Uniform deviates that one random permutation of 0 ..< size takes: each serves several exchanges, as long as at
/// least 20 of its 52 bits are left.
size_t isomix_permutation_uniforms(size_t size);

/// A random permutation of 0 ..< size for each column, by Fisher and Yates (Durstenfeld, CACM 7, 1964): writes its
/// values at the places first ..< first + count to output[place - first, column], rows `stride` apart.
/// `uniforms` are [columns, isomix_permutation_uniforms(size)] in (0, 1]; `scratch` holds `size` numbers.
void isomix_fill_permutations(const double *uniforms, size_t columns, size_t size, size_t first, size_t count,
                              int32_t *scratch, int32_t *output, size_t stride);

// Elementary functions (elementary.c). Input and output may be the same buffer.

/// output[i] = e^input[i], within 1.1 ulp (2 when the result is subnormal).
void isomix_exp(const double *input, double *output, size_t count);

/// output[i] = ln input[i], within 1 ulp; -infinity at 0, NaN below.
void isomix_log(const double *input, double *output, size_t count);

/// output[i] = log Γ(input[i]) for numbers above 0, within 4e-15 × max(1, |result|).
void isomix_log_gamma(const double *input, double *output, size_t count);

/// output[i] = the derivative of log Γ at input[i] > 0, within 1e-15 × max(1, |result|).
void isomix_digamma(const double *input, double *output, size_t count);

/// output[i] = log input[i]! for whole numbers from 0.
void isomix_log_factorials(const double *input, size_t count, double *output);

/// output[i] = e^input[i] up to e^200, along its tangent from there; slope (may be NULL) its derivative.
void isomix_bounded_exp(const double *input, double *output, double *slope, size_t count);

/// output[i] = tanh input[i], within 3 ulp.
void isomix_tanh(const double *input, double *output, size_t count);

/// Σ values[i]².
double isomix_sum_of_squares(const double *values, size_t count);

/// output[i] += factor × values[i].
void isomix_add_scaled(double factor, const double *values, size_t count, double *output);

/// output[i] += values[i].
void isomix_add_floats(const float *values, size_t count, double *output);

/// output[i] = values[i], rounded to single precision.
void isomix_to_floats(const double *values, size_t count, float *output);

/// output[i] = values[i].
void isomix_to_doubles(const float *values, size_t count, double *output);

/// output[j] = log((1/rows) Σ_r e^matrix[r, j]) for a matrix [rows, columns].
void isomix_column_log_mean_exp(const double *matrix, size_t rows, size_t columns, double *output);

// Residuals of generalised linear models: turn linear predictors [samples, rows] in place into the derivative
// of -log p(y | z) by z, and add its sum over rows to value[samples].

/// Responses 0 or 1, logits z: residual 1/(1 + e^-z) - y, value log(1 + e^z) - yz.
/// `upcoming` (may be NULL) is memory that the caller reads next: it is brought into the cache meanwhile.
void isomix_logistic_residual(double *logits, const double *responses, size_t samples, size_t rows,
                              double *value, const void *upcoming, size_t upcoming_bytes);
void isomix_logistic_residual_float(float *logits, const float *responses, size_t samples, size_t rows,
                                    double *value, const void *upcoming, size_t upcoming_bytes);

/// Class indices as responses, logits [samples, classes, rows]: residual softmax(z)_c - [y = c], value
/// -log softmax(z)_y. `scratch` holds 16 × classes numbers.
void isomix_softmax_residual(double *logits, const double *responses, size_t samples, size_t classes,
                             size_t rows, double *scratch, double *value);

/// Real responses, known noise of the given precision (1/σ²): residual (z - y)/σ², value (z - y)²/(2σ²).
void isomix_linear_residual(double *predictions, const double *responses, size_t samples, size_t rows,
                            double precision, double *value);

/// Counts, mean e^z: residual e^z - y, value e^z - yz (without log y!). Beyond z = 200 the mean goes on along its
/// tangent, so that both stay finite.
void isomix_poisson_residual(double *predictors, const double *responses, size_t samples, size_t rows,
                             double *value);

/// Student-t noise with ν degrees of freedom and precisions 1/σ² [samples]: value (ν + 1)/2 log(1 + (z - y)²/(νσ²)),
/// without constants and log σ; adds the value's derivative by log σ to auxiliary_slope [samples] unless null.
void isomix_student_residual(double *predictors, const double *responses, size_t samples, size_t rows,
                             double degrees, const double *precisions, double *value, double *auxiliary_slope);

/// Counts with mean e^z and overdispersion α (variance μ + αμ²), log α [samples]: with r = 1/α and t = z + log α value
/// (r + y) log(1 + e^t) - yz, without log y!. Unless auxiliary_slope [samples] is null, α is a parameter: the value is
/// then less by log Γ(y + r) - log Γ(r) - y log r, and the derivative by log α is added there. Outside e^±200 an
/// α counts as the bound.
void isomix_negative_binomial_residual(double *predictors, const double *responses, size_t samples, size_t rows,
                                       const double *log_overdispersions, double *value,
                                       double *auxiliary_slope);

/// Σ log y!, and Σ log Γ(y + 1/α) - log Γ(1/α) + y log α, over rows.
double isomix_sum_log_factorials(const double *responses, size_t rows);
double isomix_sum_rising_factorials(const double *responses, size_t rows, double log_overdispersion);

// Hidden layers (relu.c, tanh.c), for one parameter vector. Matrices [units, rows] hold a unit's values for all rows.

/// products[h, j] = max(0, products[h, j] + bias[h]), or tanh of the sum.
void isomix_relu_activate(double *products, const double *bias, size_t units, size_t rows);
void isomix_tanh_activate(double *products, const double *bias, size_t units, size_t rows);

/// Turns derivatives of the value by a layer's activations in place into those by its products, and adds their sums
/// over rows to bias_gradient [units]. The derivative of max(0, x) at 0 is 0.
void isomix_relu_pull(const double *activations, double *derivatives, size_t units, size_t rows,
                      double *bias_gradient);
void isomix_tanh_pull(const double *activations, double *derivatives, size_t units, size_t rows,
                      double *bias_gradient);

// The last hidden layer with a single output. `products` [units, rows] are the inner products of the layer's weights
// and what comes in; `biases_and_output` [2 units + 1] are the units' biases b, the output's weights w and its bias c.

/// predictions[j] = c + Σ_h w_h max(0, products[h, j] + b_h).
void isomix_relu_forward(const double *products, const double *biases_and_output, size_t units, size_t rows,
                         double *predictions);

/// Turns products in place into derivatives of the value by them, given its derivatives by the predictions (the
/// residuals), and adds those by b, w and c to gradient [2 units + 1].
void isomix_relu_backward(double *products, const double *biases_and_output, const double *residuals,
                          size_t units, size_t rows, double *gradient);

/// predictions[j] = c + Σ_h w_h tanh(products[h, j] + b_h); leaves the hyperbolic tangents in `products`.
void isomix_tanh_forward(double *products, const double *biases_and_output, size_t units, size_t rows,
                         double *predictions);

/// As isomix_relu_backward, from the hyperbolic tangents.
void isomix_tanh_backward(double *activations, const double *biases_and_output, const double *residuals,
                          size_t units, size_t rows, double *gradient);

/// matrix[i, j] += bias[i] for a matrix [rows, columns].
void isomix_add_biases(double *matrix, const double *bias, size_t rows, size_t columns);

/// output[i] += Σ_j matrix[i, j].
void isomix_add_row_sums(const double *matrix, size_t rows, size_t columns, double *output);

// Predictions: turn linear predictors [samples, rows] in place into log p(y | z), all constants included; or into what
// is expected.

/// Logits to log p(y | z), and to p(1 | z).
void isomix_logistic_log_likelihood(double *logits, const double *responses, size_t samples, size_t rows);
void isomix_logistic_probability(double *logits, size_t count);

/// Logits [samples, classes, rows] to log p(y | z) in log_likelihood [samples, rows], and to probabilities in place.
void isomix_softmax_log_likelihood(const double *logits, const double *responses, size_t samples, size_t classes,
                                   size_t rows, double *log_likelihood);
void isomix_softmax_probability(double *logits, size_t samples, size_t classes, size_t rows);

/// Predictors to constants[s] - (z - y)² precisions[s] / 2.
void isomix_gaussian_log_likelihood(double *predictors, const double *responses, size_t samples, size_t rows,
                                    const double *precisions, const double *constants);

/// Predictors to constants[s] - (ν + 1)/2 log(1 + (z - y)² precisions[s] / ν).
void isomix_student_log_likelihood(double *predictors, const double *responses, size_t samples, size_t rows,
                                   double degrees, const double *precisions, const double *constants);

/// Predictors to log p(y | z), given log y! [rows].
void isomix_poisson_log_likelihood(double *predictors, const double *responses, size_t samples, size_t rows,
                                   const double *log_factorials);
void isomix_negative_binomial_log_likelihood(double *predictors, const double *responses, size_t samples,
                                             size_t rows, const double *log_overdispersions,
                                             const double *log_factorials);

// Quantiles (quantiles.c): the inverses of distribution functions at probabilities in (0, 1). No fused operations: the
// same bits on every CPU of an architecture. Bounded work a number, some microseconds at most.

/// Student's t with ν > 0 degrees of freedom.
double isomix_student_quantile(double probability, double degrees);
/// P(T ≤ t) of it, for finite t, to 1e-14.
double isomix_student_distribution(double t, double degrees);

/// The least k whose distribution function reaches the probability, for counts of a mean and overdispersion α ≥ 0
/// (0: Poisson). Exact for means to 2000; beyond, to a tenth of a standard deviation in far tails.
double isomix_count_quantile(double probability, double mean, double overdispersion);

// Predictions of rows (predicted_rows.c).

/// Quantiles of the columns of a matrix [draws, columns] by sorting: output [count, columns] at `places` in the
/// sorted numbers, from 0 to draws - 1, interpolated linearly between neighbours. `scratch` holds 16 × draws numbers.
void isomix_column_quantiles(const double *matrix, size_t draws, size_t columns, const double *places,
                             size_t count, double *scratch, double *output);

/// Mean and (unless null) standard deviation, with the divisor `draws`, of the columns of a matrix [draws, columns].
void isomix_column_moments(const double *matrix, size_t draws, size_t columns, double *mean,
                           double *deviation);

/// values[j] = 1/(1 + e^-values[j]).
void isomix_logistic(double *values, size_t count);

/// probability[j] = Σ_i shares[i] E[1/(1 + e^-η)], η ~ N(centers[i, j], deviations[i, j]²), matrices
/// [components, rows], by the trapezoidal rule. `nodes` and `weights` hold seven rules one after the other, of 16, 32, …
/// 1024 nodes: rule l serves deviations up to 2^l.
void isomix_logistic_averages(const double *centers, const double *deviations, const double *shares,
                              size_t components, size_t rows, const double *nodes, const double *weights,
                              double *probability);

/// Quantiles of Σ_i shares[i] N(centers[i, j], deviations[i, j]²) for every row j: output [count, rows]. Matrices are
/// [components, rows], deviations positive, shares sum to 1; `normal_quantiles` are those of N(0, 1) at
/// `probabilities`. `scratch` holds 32 × components numbers. A result does not depend on other rows.
void isomix_normal_mixture_quantiles(const double *centers, const double *deviations, const double *shares,
                                     size_t components, size_t rows, const double *probabilities,
                                     const double *normal_quantiles, size_t count, double *scratch,
                                     double *output);

/// Stands for a standard deviation of 0.
#define ISOMIX_SMALLEST_DEVIATION 1e-150

/// What a Gaussian N(m, ε W Wᵀ) has of the linear predictors of rows, `η = aᵀθ` with `a = x + Σ_g scale_g e_g`: one
/// coordinate for each group. Arrays [·, rows]; V is an orthonormal basis [conditions, d] of what is conditioned on.
typedef struct {
  size_t rows, conditions, groups;
  const double *centers;       ///< x·m
  const double *squares;       ///< ‖Wᵀx‖²
  const double *shares;        ///< V Wᵀx, [conditions, rows]
  const double *effects;       ///< e_g·m, [groups, rows]
  const double *products;      ///< Wᵀx·Wᵀe_g, [groups, rows]
  const double *lengths;       ///< ‖Wᵀe_g‖², [groups, rows]
  const double *group_shares;  ///< V Wᵀe_g, [groups, conditions, rows]
  const double *crosses;       ///< Wᵀe_g·Wᵀe_h for h < g, [groups (groups - 1) / 2, rows]
} isomix_predictor_parts;

/// Centres and standard deviations of η given that the conditioned part of the standard normal vector is a node,
/// [nodes, rows]. `root` is √ε, `points` [nodes, conditions], `scales` [nodes, groups].
void isomix_conditional_predictors(const isomix_predictor_parts *parts, double root, size_t nodes,
                                   const double *points, const double *scales, double *centers,
                                   double *deviations);

/// Mean and standard deviation of e^η, η ~ Σ_m shares[m] N(centers[m, j], deviations[m, j]²), or (`of_counts`) of counts
/// with that mean μ and variance μ + overdispersions[m] μ².
void isomix_log_normal_moments(const double *centers, const double *deviations, const double *shares,
                               const double *overdispersions, size_t terms, size_t rows, int of_counts,
                               double *mean, double *deviation);

/// Few terms in place of many that a count's distribution is a mixture of, where their linear predictors lie close
/// together: a rule for each of some overdispersions, between which one of polynomials is taken.
typedef struct {
  size_t terms;                ///< normals that the predictor is a mixture of
  size_t overdispersions;      ///< of the merged terms, each with all points
  size_t points;               ///< for the predictor: 3 or 5, symmetric about 0
  const double *shares;        ///< [terms]
  const double *interpolation; ///< [overdispersions, terms]: shares × Lagrange polynomials at the terms' own
  const double *places;        ///< [points], about a row's mean predictor, in its standard deviations
  const double *lagrange;      ///< [points, points]: coefficients of the Lagrange polynomials of the places, from the constant
  double limit;                ///< of standard deviations × √(1 + μ / (1 + α μ)) that the points serve
  double largest_mean;         ///< that the overdispersions serve
  double least_overdispersion;
} isomix_count_merging;

/// Merges the terms N(centers, deviations²), [terms, rows], of each row with `expectations` [rows] of its counts: means and
/// shares [overdispersions × points, rows], the points of an overdispersion one after the other; shares may be negative.
/// is_merged [rows]: 1, or 0 where distribution functions might be off by more than 3e-5 (then the means are 0).
/// `scratch` holds 16 × (points + 1) × terms numbers. A result does not depend on other rows.
void isomix_merge_count_terms(const isomix_count_merging *merging, const double *centers,
                              const double *deviations, const double *expectations, size_t rows,
                              double *scratch, double *means, double *shares, double *is_merged);

/// The least k whose distribution function reaches each of the ascending probabilities, output [count, rows], for counts
/// whose distribution is a mixture of negative binomial ones of means and shares [terms, rows] and overdispersions
/// [terms] (0: Poisson). -1 where a mean is above 500 or k would be above 16,384. `scratch` holds 32 × terms numbers.
/// A result does not depend on other rows.
void isomix_count_mixture_quantiles(const double *means, const double *overdispersions, const double *shares,
                                    size_t terms, size_t rows, const double *probabilities, size_t count,
                                    double *scratch, double *output);

/// Terms of the expansions of isomix_expanded_quantiles, and numbers of coefficients for each mixture term.
#define ISOMIX_EXPANSION_ORDER 10
#define ISOMIX_EXPANSION_COEFFICIENTS (ISOMIX_EXPANSION_ORDER * (ISOMIX_EXPANSION_ORDER + 1) / 2)

/// Quantiles, output [count, rows], of y = Σ_m shares[m] η_m + noise_m, η_m ~ N(centers[m, j], deviations[m, j]²), where
/// the noise's distribution functions F_m are given by their Taylor coefficients T_k about `starts` [count], in
/// multiples of `unit`: for each quantile and m, and for j = 0, 1, … and i = 1, … order - j, binomial(j + i, i) T_(j+i)
/// times the share. `bases` [count, order + 1] holds the sums over m of shares[m] T_j, and first what the distribution
/// function at the start has too much. For rows whose centres and deviations are small beside the noise. `scratch`
/// holds 16 × (order + 2) × terms numbers. A result does not depend on other rows.
void isomix_expanded_quantiles(const double *centers, const double *deviations, const double *shares,
                               size_t terms, size_t rows, double unit, const double *coefficients,
                               const double *bases, const double *starts, size_t count, double *scratch,
                               double *output);

/// log E p(y | η) + log_factors[m], [terms, rows], of y = η + scales[m] t, Student's t with ν degrees of freedom, η ~
/// N(centers[m, j], deviations[m, j]²), by an expansion in the deviation; to log_factors are to belong the constants
/// of t's density. `errors` [rows]: the largest of the first terms left out, relative to the densities.
void isomix_spread_student_log_likelihood(const double *centers, const double *deviations,
                                          const double *responses, const double *scales,
                                          const double *log_factors, double degrees, size_t terms,
                                          size_t rows, double *logs, double *errors);

/// Most classes of isomix_softmax_averages.
#define ISOMIX_MOST_CLASSES 32

/// Rules for E f(z), z standard normal, one after the other in `places` and `weights`: rule r has counts[r] nodes and
/// serves widths of the logits up to limits[r]. From `first_spaced` on nodes are equally spaced, with weights ∝ e^(-z²/2);
/// from `first_of_lanes` on they start anew and counts are multiples of 16. The pair is one rule of 16 nodes for two
/// variables whose widths are at most the limits.
typedef struct {
  size_t rules, first_spaced, first_of_lanes;
  const size_t *counts;
  const double *limits, *places, *weights;
  const double *pair_places;  ///< [2, 16]
  const double *pair_weights; ///< [16]
  double pair_limits[2];
} isomix_normal_rules;

/// probabilities [classes, rows] = Σ_i shares[i] E softmax(η): differences of η from that of class 0 have means
/// centers [components, classes - 1, rows] and covariances variances[i] × covariances [frames, pairs, rows], the
/// pairs (a, b ≤ a) in order, frames 1 or `components`. With one frame, components that differ little are taken together.
/// Classes that are less probable than 1e-6 beside another are
/// taken by their means alone. -1 for class 0 where a row would take more than 4096 nodes for a component. A result
/// does not depend on other rows.
void isomix_softmax_averages(const double *centers, const double *covariances, const double *variances,
                             const double *shares, size_t components, size_t frames, size_t classes,
                             size_t rows, const isomix_normal_rules *rules, double *probabilities);

// Mixtures of Gaussians by log-sum-exp, with direct distances. Shares of a component below 1e-18 are skipped.

/// Numbers of scratch that isomix_mixture_accumulate needs.
size_t isomix_mixture_scratch(size_t components, size_t dimension);

/// q(x) = Σ_i e^log_factors[i] e^(-‖x - m_i‖² precisions[i] / 2) at points [count, dimension]: adds log q to
/// log_density[count] and, unless null, ∇ log q to score [count, dimension].
void isomix_mixture_accumulate(const double *points, size_t count, size_t dimension, size_t components,
                               const double *means, const double *precisions, const double *log_factors,
                               double *scratch, double *log_density, double *score);

// Densities that factorise over coordinates, each of which has a mixture of its own (coordinates.c): parameters are
// [components, dimension].

/// Numbers of scratch that isomix_coordinate_mixture_accumulate needs.
size_t isomix_coordinate_mixture_scratch(size_t components);

/// q(x) = Π_k Σ_i e^log_factors[i, k] e^(-(x_k - m_ik)² precisions[i, k] / 2) at points [count, dimension]: adds log q to
/// log_density[count] and, unless null, ∇ log q to score [count, dimension].
void isomix_coordinate_mixture_accumulate(const double *points, size_t count, size_t dimension,
                                          size_t components, const double *means, const double *precisions,
                                          const double *log_factors, double *scratch, double *log_density,
                                          double *score);

/// Puts samples [count, dimension] where they are: turns standard normal deviates in `offsets` into
/// √variances[c, k] z, c = chosen[s, k], and adds means[c, k] into `points`.
void isomix_coordinate_place(const int32_t *chosen, size_t count, size_t dimension, const double *means,
                             const double *variances, double *offsets, double *points);

/// Adds to sums [components, 2 dimension], for each sample and coordinate at its chosen component: the gradient, and (in the
/// second half of the row) its product with the offset.
void isomix_coordinate_contract(const int32_t *chosen, size_t count, size_t dimension,
                                const double *gradients, const double *offsets, double *sums);

/// Numbers of scratch that isomix_gaussian_mixture_accumulate needs.
size_t isomix_gaussian_mixture_scratch(size_t components, size_t dimension);

/// p(x) = Σ_i e^log_factors[i] e^(-‖L_i⁻¹(x - μ_i)‖² / 2), covariances Σ_i = L_i L_iᵀ with lower factors
/// [components, dimension, dimension] and 1 / their diagonals [components, dimension]: adds -log p to
/// value[count] and, unless null, its gradient to gradient [count, dimension].
void isomix_gaussian_mixture_accumulate(const double *points, size_t count, size_t dimension,
                                        size_t components, const double *means, const double *lowers,
                                        const double *inverse_diagonals, const double *log_factors,
                                        double *scratch, double *value, double *gradient);

/// Numbers of scratch that isomix_student_mixture_accumulate needs.
size_t isomix_student_mixture_scratch(size_t components, size_t dimension);

/// p(x) = Σ_i e^log_factors[i] (1 + ‖L_i⁻¹(x - μ_i)‖² / ν_i)^(-(ν_i + dimension) / 2) with degrees of freedom ν
/// [components]; otherwise as isomix_gaussian_mixture_accumulate.
void isomix_student_mixture_accumulate(const double *points, size_t count, size_t dimension, size_t components,
                                       const double *means, const double *lowers,
                                       const double *inverse_diagonals, const double *log_factors,
                                       const double *degrees, double *scratch, double *value,
                                       double *gradient);

// Sparse rows (sparse.c), in compressed form: row j has the numbers offsets[j] ..< offsets[j + 1] of `numbers`, in the
// columns `places`, each at most once a row. Vectors `[count, columns]` are taken ISOMIX_SLAB_VECTORS at a time to a
// slab, their transpose `[columns, ISOMIX_SLAB_VECTORS]`.

/// Vectors of a slab; `count` below is at most this.
#define ISOMIX_SLAB_VECTORS 16

/// Writes vectors [count, columns], at least one, as a slab.
void isomix_to_slab(const double *vectors, size_t count, size_t columns, double *slab);

/// Adds a slab to the vectors [count, columns] that it stands for.
void isomix_add_slab(const double *slab, size_t count, size_t columns, double *vectors);

/// Writes the products of a slab's vectors with all rows, [count, rows]. Those of a vector do not depend on the others.
void isomix_sparse_product(const int64_t *offsets, const int32_t *places, const double *numbers, size_t rows,
                           const double *slab, size_t count, double *predictors);
/// The same of numbers in single precision, in double precision.
void isomix_sparse_product_float(const int64_t *offsets, const int32_t *places, const float *numbers, size_t rows,
                                 const double *slab, size_t count, double *predictors);

/// Adds Σ_j residuals[v, j] × row j, row after row, to each vector of a slab; residuals are [count, rows].
void isomix_sparse_gradient(const int64_t *offsets, const int32_t *places, const double *numbers, size_t rows,
                            const double *residuals, size_t count, double *slab);
/// The same of numbers in single precision, in double precision.
void isomix_sparse_gradient_float(const int64_t *offsets, const int32_t *places, const float *numbers, size_t rows,
                                  const double *residuals, size_t count, double *slab);

#endif
