#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "likelihoods.h"

// Sums over the rows of a sample by lanes, the last of them padded; `BODY` makes an observation of z and y, and
// its slope takes the predictor's place.
#define SWEEP_ROWS(BODY)                                                          \
  for (size_t j = 0; j < rows; j += LANES) {                                      \
    size_t count = rows - j < LANES ? rows - j : LANES;                           \
    double tail[LANES], tail_responses[LANES];                                    \
    double *block = z_row + j;                                                    \
    const double *observed = responses + j;                                       \
    if (count < LANES) {                                                          \
      for (size_t l = 0; l < LANES; l++) {                                        \
        tail[l] = l < count ? block[l] : 0.0;                                     \
        tail_responses[l] = l < count ? observed[l] : 0.0;                        \
      }                                                                           \
      block = tail;                                                               \
      observed = tail_responses;                                                  \
    }                                                                             \
    double loss[LANES], auxiliary[LANES];                                         \
    for (int l = 0; l < LANES; l++) {                                             \
      double z = block[l], y = observed[l];                                       \
      observation o = BODY;                                                       \
      loss[l] = o.loss;                                                           \
      auxiliary[l] = o.auxiliary;                                                 \
      block[l] = o.slope;                                                       \
    }                                                                             \
    for (size_t l = 0; l < LANES; l++) {                                          \
      loss_sum[l] += l < count ? loss[l] : 0.0;                                   \
      auxiliary_sum[l] += l < count ? auxiliary[l] : 0.0;                         \
    }                                                                             \
    if (count < LANES)                                                            \
      for (size_t l = 0; l < count; l++) z_row[j + l] = tail[l];                  \
  }

ISOMIX_CLONES
void isomix_poisson_residual(double *restrict predictors, const double *restrict responses, size_t samples,
                             size_t rows, double *restrict value) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z_row = predictors + s * rows;
    double loss_sum[LANES] = {0}, auxiliary_sum[LANES] = {0};
    SWEEP_ROWS(poisson_observation(z, y))
    value[s] += sum_of_lanes(loss_sum);
  }
}

ISOMIX_CLONES
void isomix_student_residual(double *restrict predictors, const double *restrict responses, size_t samples,
                             size_t rows, double degrees, const double *restrict precisions,
                             double *restrict value, double *restrict auxiliary_slope) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z_row = predictors + s * rows;
    double loss_sum[LANES] = {0}, auxiliary_sum[LANES] = {0}, precision = precisions[s];
    SWEEP_ROWS(student_observation(z, y, degrees, precision))
    value[s] += sum_of_lanes(loss_sum);
    if (auxiliary_slope) auxiliary_slope[s] += sum_of_lanes(auxiliary_sum);
  }
}

ISOMIX_CLONES
void isomix_negative_binomial_residual(double *restrict predictors, const double *restrict responses,
                                       size_t samples, size_t rows, const double *restrict log_overdispersions,
                                       double *restrict value, double *restrict auxiliary_slope) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z_row = predictors + s * rows;
    double loss_sum[LANES] = {0}, auxiliary_sum[LANES] = {0};
    dispersion d = make_dispersion(log_overdispersions[s]);
    if (!auxiliary_slope) {
      SWEEP_ROWS(negative_binomial_observation(z, y, d, 1))
    } else if (d.is_large) {
      d.is_large = 1;
      SWEEP_ROWS(negative_binomial_observation(z, y, d, 0))
    } else {
      d.is_large = 0;
      SWEEP_ROWS(negative_binomial_observation(z, y, d, 0))
    }
    value[s] += sum_of_lanes(loss_sum);
    int is_inside = __builtin_fabs(log_overdispersions[s]) <= LARGEST_LOG_MEAN;
    if (auxiliary_slope) auxiliary_slope[s] += is_inside ? sum_of_lanes(auxiliary_sum) : 0.0;
  }
}

ISOMIX_CLONES
double isomix_sum_log_factorials(const double *restrict responses, size_t rows) {
  double sum[LANES] = {0};
  for (size_t j = 0; j < rows; j += LANES) {
    size_t count = rows - j < LANES ? rows - j : LANES;
    for (size_t l = 0; l < count; l++) sum[l] += log_gamma(responses[j + l] + 1.0);
  }
  return sum_of_lanes(sum);
}

ISOMIX_CLONES
double isomix_sum_rising_factorials(const double *restrict responses, size_t rows, double log_overdispersion) {
  double sum[LANES] = {0};
  dispersion d = make_dispersion(log_overdispersion);
  for (size_t j = 0; j < rows; j += LANES) {
    size_t count = rows - j < LANES ? rows - j : LANES;
    for (size_t l = 0; l < count; l++) {
      double logarithm, derivative;
      rising_factorial(responses[j + l], d, &logarithm, &derivative);
      sum[l] += logarithm;
    }
  }
  return sum_of_lanes(sum);
}

ISOMIX_CLONES
void isomix_gaussian_log_likelihood(double *restrict predictors, const double *restrict responses, size_t samples,
                                    size_t rows, const double *restrict precisions,
                                    const double *restrict constants) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z = predictors + s * rows, precision = precisions[s], constant = constants[s];
    for (size_t j = 0; j < rows; j++) {
      double error = z[j] - responses[j];
      z[j] = constant - 0.5 * precision * error * error;
    }
  }
}

ISOMIX_CLONES
void isomix_student_log_likelihood(double *restrict predictors, const double *restrict responses, size_t samples,
                                   size_t rows, double degrees, const double *restrict precisions,
                                   const double *restrict constants) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z = predictors + s * rows, precision = precisions[s], constant = constants[s];
    for (size_t j = 0; j < rows; j++) {
      observation o = student_observation(z[j], responses[j], degrees, precision);
      z[j] = constant - o.loss;
    }
  }
}

ISOMIX_CLONES
void isomix_poisson_log_likelihood(double *restrict predictors, const double *restrict responses, size_t samples,
                                   size_t rows, const double *restrict log_factorials) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z = predictors + s * rows;
    for (size_t j = 0; j < rows; j++) {
      observation o = poisson_observation(z[j], responses[j]);
      z[j] = -o.loss - log_factorials[j];
    }
  }
}

ISOMIX_CLONES
void isomix_negative_binomial_log_likelihood(double *restrict predictors, const double *restrict responses,
                                             size_t samples, size_t rows,
                                             const double *restrict log_overdispersions,
                                             const double *restrict log_factorials) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z = predictors + s * rows;
    dispersion d = make_dispersion(log_overdispersions[s]);
    for (size_t j = 0; j < rows; j++) {
      observation o = negative_binomial_observation(z[j], responses[j], d, 0);
      z[j] = -o.loss - log_factorials[j];
    }
  }
}

ISOMIX_CLONES
void isomix_log_factorials(const double *restrict numbers, size_t count, double *restrict output) {
  for (size_t j = 0; j < count; j++) output[j] = log_gamma(numbers[j] + 1.0);
}

ISOMIX_CLONES
void isomix_log_gamma(const double *input, double *output, size_t count) {
  for (size_t i = 0; i < count; i++) output[i] = log_gamma(input[i]);
}

ISOMIX_CLONES
void isomix_digamma(const double *input, double *output, size_t count) {
  for (size_t i = 0; i < count; i++) output[i] = digamma(input[i]);
}

ISOMIX_CLONES
void isomix_bounded_exp(const double *input, double *output, double *slope, size_t count) {
  for (size_t i = 0; i < count; i++) {
    double derivative;
    output[i] = bounded_exp(input[i], &derivative);
    if (slope) slope[i] = derivative;
  }
}
