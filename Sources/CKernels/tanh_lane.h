#ifndef ISOMIX_TANH_LANE_H
#define ISOMIX_TANH_LANE_H

#include "vector_math.h"

// tanh x for every double, within 3 ulp: with m = e^(-2|x|) - 1, which keeps its digits next to 0, it is -m / (2 + m).
ISOMIX_INLINE double tanh_any(double x) {
  double twice = -2.0 * __builtin_fabs(x);
  // Below this the result is 1. This way round, so that NaN passes.
  twice = twice < -60.0 ? -60.0 : twice;
  double shifted = twice * LOG2_E + ROUNDER;
  double n = shifted - ROUNDER;
  double r = (twice - n * LN2_HIGH) - n * LN2_LOW;
  double scale = double_of_bits((bits_of_double(shifted) << 52) + (1023ull << 52));
  double m = scale * expm1_reduced(r) + (scale - 1.0);
  return __builtin_copysign(m / (2.0 + m), x);
}

#endif
