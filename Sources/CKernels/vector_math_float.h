#ifndef ISOMIX_VECTOR_MATH_FLOAT_H
#define ISOMIX_VECTOR_MATH_FLOAT_H

#include "clones.h"
#include <stdint.h>
#include <string.h>

// e^x for -87 ≤ x ≤ 88: minimax (Remez) of degree 6 with exact terms 1 + r, error 3e-9.
ISOMIX_INLINE float expf_normal(float x) {
  const float rounder = 0x1.8p23f;
  float shifted = x * 0x1.715476p0f + rounder;
  float n = shifted - rounder;
  float r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
  uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 23) + (127u << 23);
  float scale;
  memcpy(&scale, &bits, sizeof scale);
  float r2 = r * r;
  float q01 = 0.5000000093712794f + r * 0.16666519566745192f;
  float q23 = 0.04166620886950742f + r * 0.008368821921369231f;
  float q = q01 + r2 * (q23 + r2 * 0.0013950337852088152f);
  return (1.0f + (r + r2 * q)) * scale;
}

#endif
