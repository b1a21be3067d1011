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

// Elementary functions (elementary.c). Input and output may be the same buffer.

/// output[i] = e^input[i], within 1.1 ulp (2 when the result is subnormal).
void isomix_exp(const double *input, double *output, size_t count);

/// output[i] = ln input[i], within 1 ulp; -infinity at 0, NaN below.
void isomix_log(const double *input, double *output, size_t count);

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
void isomix_linear_residual_float(float *predictions, const float *responses, size_t samples, size_t rows,
                                  double precision, double *value);

// One hidden layer of rectified linear units (relu.c), for one parameter vector. `products` [units, rows] are the
// inner products of first-layer weights and rows; `biases_and_output` [2 units + 1] are the units' biases b1, the
// output's weights w2 and its bias b2.

/// predictions[j] = b2 + Σ_h w2_h max(0, products[h, j] + b1_h).
void isomix_relu_forward(const double *products, const double *biases_and_output, size_t units, size_t rows,
                         double *predictions);

/// Turns products in place into derivatives of the value by them, given its derivatives by the predictions (the
/// residuals), and adds those by b1, w2 and b2 to gradient [2 units + 1]. The derivative of max(0, x) at 0 is 0.
void isomix_relu_backward(double *products, const double *biases_and_output, const double *residuals,
                          size_t units, size_t rows, double *gradient);

// Predictive scores: turn linear predictors [samples, rows] into log p(y | z).

/// Logits to log p(y | z) in place; adds p(1 | z) over samples to probability[rows].
void isomix_logistic_scores(double *logits, const double *responses, size_t samples, size_t rows,
                            double *probability);

/// Logits [samples, classes, rows] (overwritten) to log p(y | z) in log_likelihood [samples, rows]; adds class
/// probabilities over samples to probability [classes, rows].
void isomix_softmax_scores(double *logits, const double *responses, size_t samples, size_t classes,
                           size_t rows, double *log_likelihood, double *probability);

/// Predictions z to constant - (z - y)² precision / 2 in place; adds z over samples to mean[rows].
void isomix_linear_scores(double *predictions, const double *responses, size_t samples, size_t rows,
                          double precision, double constant, double *mean);

// Mixtures of Gaussians by log-sum-exp, with direct distances. Shares of a component below 1e-18 are skipped.

/// Numbers of scratch that isomix_mixture_accumulate needs.
size_t isomix_mixture_scratch(size_t components, size_t dimension);

/// q(x) = Σ_i e^log_factors[i] e^(-‖x - m_i‖² precisions[i] / 2) at points [count, dimension]: adds log q to
/// log_density[count] and, unless null, ∇ log q to score [count, dimension].
void isomix_mixture_accumulate(const double *points, size_t count, size_t dimension, size_t components,
                               const double *means, const double *precisions, const double *log_factors,
                               double *scratch, double *log_density, double *score);

/// Numbers of scratch that isomix_gaussian_mixture_accumulate needs.
size_t isomix_gaussian_mixture_scratch(size_t components, size_t dimension);

/// p(x) = Σ_i e^log_factors[i] e^(-‖L_i⁻¹(x - μ_i)‖² / 2), covariances Σ_i = L_i L_iᵀ with lower factors
/// [components, dimension, dimension] and 1 / their diagonals [components, dimension]: adds -log p to
/// value[count] and, unless null, its gradient to gradient [count, dimension].
void isomix_gaussian_mixture_accumulate(const double *points, size_t count, size_t dimension,
                                        size_t components, const double *means, const double *lowers,
                                        const double *inverse_diagonals, const double *log_factors,
                                        double *scratch, double *value, double *gradient);

#endif
