#ifndef ISOMIX_LIKELIHOODS_H
#define ISOMIX_LIKELIHOODS_H

// -log p(y | z) of one observation and its derivatives, for the families with a kernel in glm.c. What depends on
// neither z nor the auxiliary parameter is left to the caller.

#include "special.h"

// From here on the mean e^z goes on along its tangent, so that V and its gradient stay finite wherever a sample
// strays: a point with such a predictor has V above 1e86.
#define LARGEST_LOG_MEAN 200.0

// A value and its derivatives by the predictor and by the auxiliary parameter.
typedef struct {
  double loss, slope, auxiliary;
} observation;

ISOMIX_INLINE double bounded_exp(double z, double *slope) {
  double low = z > LARGEST_LOG_MEAN ? LARGEST_LOG_MEAN : z;
  double mean = exp_any(low);
  *slope = mean;
  return mean + mean * (z - low);
}

// y ~ Poisson(e^z): e^z - y z, without log y!.
ISOMIX_INLINE observation poisson_observation(double z, double y) {
  double slope, mean = bounded_exp(z, &slope);
  observation result = {mean - y * z, slope - y, 0.0};
  return result;
}

// Student-t with `degrees` ν around z: (ν + 1)/2 log(1 + (z - y)²/(ν σ²)), and its derivative by log σ; without the
// constant, and log σ itself.
ISOMIX_INLINE observation student_observation(double z, double y, double degrees, double precision) {
  double error = z - y, rate = precision / degrees;
  double square = error * error * rate;
  square = square > 1e300 ? 1e300 : square;
  double share = (degrees + 1.0) / (1.0 + square);
  observation result = {0.5 * (degrees + 1.0) * log_one_plus(square), share * (error * rate), -share * square};
  return result;
}

// What one overdispersion α = e^a, within e^±200, makes of the negative binomial's formulas: r = 1/α.
typedef struct {
  double log_overdispersion, size, log_size_gamma, size_rest, size_digamma;
  // Whether r ≥ 10, where differences of log Γ are taken by their series.
  int is_large;
} dispersion;

ISOMIX_INLINE dispersion make_dispersion(double log_overdispersion) {
  double a = log_overdispersion < -LARGEST_LOG_MEAN ? -LARGEST_LOG_MEAN : log_overdispersion;
  a = a > LARGEST_LOG_MEAN ? LARGEST_LOG_MEAN : a;
  double r = exp_any(-a);
  dispersion result = {a, r, log_gamma(r), stirling_rest(r < STIRLING_START ? STIRLING_START : r), digamma(r),
                       r >= STIRLING_START};
  return result;
}

// log Γ(y + r) - log Γ(r) - y log r, and r (digamma(y + r) - digamma(r)) - y, for a whole number y ≥ 0.
ISOMIX_INLINE void rising_factorial(double y, dispersion d, double *logarithm, double *derivative) {
  double r = d.size;
  if (d.is_large) {
    double growth = log_one_plus(y / r), sum = r + y;
    *logarithm = (sum - 0.5) * growth - y + (stirling_rest(sum) - d.size_rest);
    // digamma(x) = log x - 1/(2x) - rest; r/(2r) - r/(2(r + y)) = y/(2(r + y)).
    *derivative = r * growth - y + 0.5 * y / sum - r * (digamma_rest(sum) - digamma_rest(r));
  } else {
    raised_argument raised = raise_argument(y + r);
    double x = raised.argument, log_x = log_normal(x);
    *logarithm = (x - 0.5) * log_x - x + HALF_LOG_TWO_PI + stirling_rest(x) - log_normal(raised.product)
      - d.log_size_gamma + y * d.log_overdispersion;
    *derivative = r * (log_x - 0.5 / x - digamma_rest(x) - raised.sum - d.size_digamma) - y;
  }
}

// y ~ NegativeBinomial(mean e^z, overdispersion α), Var y = μ + α μ², without log y!: with t = z + log α,
// (r + y) log(1 + e^t) - y z - [log Γ(y + r) - log Γ(r) - y log r]; the derivative `auxiliary` is by log α.
// `is_known`: without the bracket, which is then a constant, and its derivative.
ISOMIX_INLINE observation negative_binomial_observation(double z, double y, dispersion d, int is_known) {
  double t = z + d.log_overdispersion, r = d.size;
  double e = exp_nonpositive(-__builtin_fabs(t)), q = 1.0 + e;
  double softplus = (t > 0.0 ? t : 0.0) + log_one_plus(e);
  double share = (t >= 0.0 ? 1.0 : e) / q;
  observation result = {(r + y) * softplus - y * z, (r + y) * share - y, 0.0};
  if (!is_known) {
    double logarithm, derivative;
    rising_factorial(y, d, &logarithm, &derivative);
    result.loss -= logarithm;
    result.auxiliary = derivative - r * softplus + (r + y) * share;
  }
  return result;
}

#endif
