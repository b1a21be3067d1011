#pragma STDC FP_CONTRACT OFF
#include "isomix_kernels.h"
#include "special.h"

#define MOST_TERMS 20000
#define MOST_STEPS 60
#define TINY 1e-300

static double minimum_of(double a, double b) { return a < b ? a : b; }

// A start for other searches: Hastings' rational approximation of the normal quantile (Abramowitz and Stegun 26.2.23),
// within 4.5e-4.
static double rough_normal_quantile(double probability) {
  double p = probability < 0.5 ? probability : 1.0 - probability;
  double t = square_root(-2.0 * log_any(p < TINY ? TINY : p));
  double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                     (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  return probability < 0.5 ? -z : z;
}

// The continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's method.
static double beta_fraction(double a, double b, double x) {
  double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
  d = 1.0 / (__builtin_fabs(d) < TINY ? TINY : d);
  double result = d;
  for (int m = 1; m < MOST_TERMS; m++) {
    double n = (double)m;
    double even = n * (b - n) * x / ((a + 2.0 * n - 1.0) * (a + 2.0 * n));
    d = 1.0 + even * d;
    c = 1.0 + even / c;
    d = 1.0 / (__builtin_fabs(d) < TINY ? TINY : d);
    c = __builtin_fabs(c) < TINY ? TINY : c;
    result *= c * d;
    double odd = -(a + n) * (a + b + n) * x / ((a + 2.0 * n) * (a + 2.0 * n + 1.0));
    d = 1.0 + odd * d;
    c = 1.0 + odd / c;
    d = 1.0 / (__builtin_fabs(d) < TINY ? TINY : d);
    c = __builtin_fabs(c) < TINY ? TINY : c;
    double change = c * d;
    result *= change;
    if (__builtin_fabs(change - 1.0) < 1e-15) break;
  }
  return result;
}

// log P(T > t) of Student's t for t > 0, and the derivative of it by log t.
static double student_tail(double t, double degrees, double log_constant, double *slope) {
  double a = 0.5 * degrees, x = degrees / (degrees + t * t), y = t * t / (degrees + t * t);
  // log of x^(ν/2) y^(1/2) / B(ν/2, 1/2), which is also t times the density, doubled.
  double log_front = log_constant - a * log_one_plus(t * t / degrees) + 0.5 * log_any(y);
  double tail;
  if (x < (a + 1.0) / (a + 2.5)) {
    tail = log_front + log_any(0.5 * beta_fraction(a, 0.5, x) / a);
  } else {
    tail = log_any(0.5 - exp_any(log_front) * beta_fraction(0.5, a, y));
  }
  *slope = -exp_any(log_front - tail);
  return tail;
}

static double student_log_constant(double degrees) {
  double half = 0.5 * degrees;
  return log_gamma(half + 0.5) - log_gamma(half) - HALF_LOG_TWO_PI + 0.5 * 0.69314718055994530942;
}

double isomix_student_distribution(double t, double degrees) {
  if (t == 0.0) return 0.5;
  double slope, tail = exp_any(student_tail(__builtin_fabs(t), degrees, student_log_constant(degrees), &slope));
  return t > 0.0 ? 1.0 - tail : tail;
}

double isomix_student_quantile(double probability, double degrees) {
  double p = probability < 0.5 ? probability : 1.0 - probability;
  if (p == 0.5) return 0.0;
  if (!(p > 0.0)) return probability > 0.5 ? __builtin_inf() : -__builtin_inf();
  double log_constant = student_log_constant(degrees);
  double z = -rough_normal_quantile(p), log_p = log_any(p);
  // Newton's method for log P(T > e^s) = log p. The left side is concave in s, because log |T| has a log-concave
  // density: after the first step the iterates come down from the right.
  double s = log_any(z > 1e-3 ? z : 1e-3);
  for (int step = 0; step < MOST_STEPS; step++) {
    double slope, tail = student_tail(exp_any(s), degrees, log_constant, &slope);
    double change = (log_p - tail) / slope;
    change = minimum_of(change, 5.0);
    change = change < -5.0 ? -5.0 : change;
    s += change;
    if (__builtin_fabs(change) < 1e-14 * (1.0 + __builtin_fabs(s))) break;
  }
  double t = exp_any(s);
  return probability < 0.5 ? -t : t;
}

// log P(G ≤ x) (`upper` = 0) or log P(G > x) of a gamma variable of shape a and scale 1, and its derivative by log x.
static double gamma_tail(double x, double a, double log_gamma_of_a, int upper, double *slope) {
  double log_front = a * log_any(x) - x - log_gamma_of_a;
  double tail;
  if (x < a + 1.0) {
    double term = 1.0 / a, sum = term;
    for (int n = 1; n < MOST_TERMS && term > sum * 1e-17; n++) {
      term *= x / (a + (double)n);
      sum += term;
    }
    tail = log_front + log_any(sum);
    if (upper) tail = log_any(1.0 - exp_any(tail));
  } else {
    double b = x + 1.0 - a, c = 1.0 / TINY, d = 1.0 / b, fraction = d;
    for (int n = 1; n < MOST_TERMS; n++) {
      double factor = -(double)n * ((double)n - a);
      b += 2.0;
      d = factor * d + b;
      d = 1.0 / (__builtin_fabs(d) < TINY ? TINY : d);
      c = b + factor / c;
      c = __builtin_fabs(c) < TINY ? TINY : c;
      double change = c * d;
      fraction *= change;
      if (__builtin_fabs(change - 1.0) < 1e-15) break;
    }
    tail = log_front + log_any(fraction);
    if (!upper) tail = log_any(1.0 - exp_any(tail));
  }
  *slope = (upper ? -1.0 : 1.0) * exp_any(log_front - tail);
  return tail;
}

// The quantile of a gamma variable of shape a and scale 1, by Newton's method in log x on the smaller tail: concave, as
// above.
static double gamma_quantile(double probability, double a) {
  int upper = probability > 0.5;
  double log_p = log_any(upper ? 1.0 - probability : probability), constant = log_gamma(a);
  double z = rough_normal_quantile(probability), cube = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * square_root(a));
  // Wilson and Hilferty's start, or that of the lower tail, P ≈ x^a / Γ(a + 1).
  double s = cube > 0.1 ? log_any(a) + 3.0 * log_any(cube) : (log_p + constant + log_any(a)) / a;
  for (int step = 0; step < MOST_STEPS; step++) {
    double slope, tail = gamma_tail(exp_any(s), a, constant, upper, &slope);
    double change = (log_p - tail) / slope;
    change = minimum_of(change, 5.0);
    change = change < -5.0 ? -5.0 : change;
    if (!(slope != 0.0)) break;
    s += change;
    if (__builtin_fabs(change) < 1e-13) break;
  }
  return exp_any(s);
}

// The least whole number k ≥ 0 with k + ½ ≥ x: the continuity correction.
static double rounded_count(double x) {
  if (!(x > 0.5)) return 0.0;
  if (x > 0x1p53) return 0x1p53;
  double k = (double)(int64_t)(x - 0.5);
  return k < x - 0.5 ? k + 1.0 : k;
}

// For large means: a gamma variable with the counts' mean and variance, or for nearly normal ones the expansion of
// Cornish and Fisher with their skewness and excess kurtosis.
static double large_count(double probability, double mean, double overdispersion) {
  double shape = 1.0 / (1.0 / mean + overdispersion);
  if (shape < 1e3) return rounded_count(gamma_quantile(probability, shape) * mean / shape);
  double variance = mean + overdispersion * mean * mean, deviation = square_root(variance);
  double growth = 1.0 + 2.0 * overdispersion * mean;
  double skewness = growth / deviation, kurtosis = 6.0 * overdispersion + 1.0 / variance;
  // With so many degrees of freedom t is normal to nine digits.
  double z = isomix_student_quantile(probability, 1e9);
  double w = z + skewness * (z * z - 1.0) / 6.0 + kurtosis * (z * z * z - 3.0 * z) / 24.0
    - skewness * skewness * (2.0 * z * z * z - 5.0 * z) / 36.0;
  return rounded_count(mean + deviation * w);
}

#define LARGEST_SUMMED_MEAN 2000.0
#define MOST_COUNTS 100000

double isomix_count_quantile(double probability, double mean, double overdispersion) {
  if (!(mean > 0.0)) return 0.0;
  if (mean > LARGEST_SUMMED_MEAN) return large_count(probability, minimum_of(mean, 0x1p53), overdispersion);
  double r = overdispersion > 0.0 ? 1.0 / overdispersion : 0.0, product = overdispersion * mean;
  // p(0), and the ratio p(k + 1) / p(k) = (k α + 1) μ / ((k + 1)(1 + α μ)).
  int is_poisson = !(overdispersion > 1e-12);
  double log_start = is_poisson ? -mean : -r * log_one_plus(product);
  double first = 0.0;
  if (log_start < -600.0) {
    // Nothing below 12 standard deviations under the mean.
    double deviation = square_root(mean + overdispersion * mean * mean);
    first = (double)(int64_t)(mean - 12.0 * deviation);
    first = first < 0.0 ? 0.0 : first;
    double log_mean = log_any(mean);
    log_start = is_poisson
      ? first * log_mean - mean - log_gamma(first + 1.0)
      : log_gamma(first + r) - log_gamma(r) - log_gamma(first + 1.0) - r * log_one_plus(product)
          + first * (log_any(product) - log_one_plus(product));
  }
  double alpha = is_poisson ? 0.0 : overdispersion, factor = is_poisson ? mean : mean / (1.0 + product);
  double mass = exp_any(log_start), sum = mass, k = first;
  for (int step = 0; step < MOST_COUNTS; step++) {
    if (sum >= probability) return k;
    mass *= (k * alpha + 1.0) * factor / (k + 1.0);
    k += 1.0;
    double next = sum + mass;
    // What is left is lost to rounding: the far upper tail ends here.
    if (next == sum && k > mean) return k;
    sum = next;
  }
  return large_count(probability, mean, overdispersion);
}
