#ifndef ISOMIX_SPECIAL_H
#define ISOMIX_SPECIAL_H

// log Γ, digamma and log(1 + x) without branches, so that loops over them vectorise. Stirling's series (DLMF 5.11.1
// and 5.11.2), whose first neglected term at 10 is below 1e-15; smaller arguments are raised by the recurrence.

#include "vector_math.h"

#define STIRLING_START 10.0
#define HALF_LOG_TWO_PI 0.91893853320467274178

// log(1 + u) for u ≥ 0, to full relative precision: the rounding of 1 + u is given back.
ISOMIX_INLINE double log_one_plus(double u) {
  double w = 1.0 + u;
  double lost = u - (w - 1.0);
  double value = log_normal(w > 0x1p1023 ? 0x1p1023 : w) + lost / w;
  return u > 0x1p1023 ? log_normal(0x1p1023) : value;
}

// log Γ(x) - (x - ½) log x + x - ½ log 2π, for x ≥ 10.
ISOMIX_INLINE double stirling_rest(double x) {
  double v = 1.0 / x, w = v * v;
  double series = 8.333333333333333e-2
    + w * (-2.7777777777777778e-3 + w * (7.936507936507937e-4
    + w * (-5.952380952380953e-4 + w * (8.417508417508418e-4 - w * 1.9175269175269176e-3))));
  return v * series;
}

// log x - 1/(2x) - digamma(x), for x ≥ 10.
ISOMIX_INLINE double digamma_rest(double x) {
  double v = 1.0 / x, w = v * v;
  return w * (8.333333333333333e-2 + w * (-8.333333333333333e-3 + w * (3.968253968253968e-3
    + w * (-4.1666666666666667e-3 + w * (7.575757575757576e-3 - w * 2.1092796092796094e-2)))));
}

// An argument raised to 10 or more, with what the recurrence takes away again: Γ(raised) = Γ(x) × product, and
// digamma(raised) = digamma(x) + sum.
typedef struct {
  double argument, product, sum;
} raised_argument;

ISOMIX_INLINE raised_argument raise_argument(double x) {
  int is_small = x < STIRLING_START;
  double low = is_small ? x : 1.0;
  double product = low, slope = 1.0;
  // d/dx of the product beside it: their ratio is the sum of reciprocals, with one division.
  for (int k = 1; k < 10; k++) {
    double factor = low + (double)k;
    slope = slope * factor + product;
    product *= factor;
  }
  raised_argument raised = {is_small ? x + 10.0 : x, is_small ? product : 1.0, is_small ? slope / product : 0.0};
  return raised;
}

// log Γ(x) for x > 0 (normal and below 1e300); absolute error of some 1e-16 × max(1, |result|, x at x < 10).
ISOMIX_INLINE double log_gamma(double x) {
  raised_argument raised = raise_argument(x);
  double y = raised.argument;
  return (y - 0.5) * log_normal(y) - y + HALF_LOG_TWO_PI + stirling_rest(y) - log_normal(raised.product);
}

ISOMIX_INLINE double digamma(double x) {
  raised_argument raised = raise_argument(x);
  double y = raised.argument;
  return log_normal(y) - 0.5 / y - digamma_rest(y) - raised.sum;
}

#endif
