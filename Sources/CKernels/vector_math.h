#ifndef ISOMIX_VECTOR_MATH_H
#define ISOMIX_VECTOR_MATH_H

// Elementary functions without branches or tables, so that loops over them vectorise. The including file
// says by FP_CONTRACT whether multiply-adds may be fused.

#include "clones.h"
#include <stdint.h>
#include <string.h>

#define LOG2_E 0x1.71547652b82fep0
// ln 2 in two parts; the first has 32 trailing zero bits, so that its product with an exponent is exact.
#define LN2_HIGH 0x1.62e42feep-1
#define LN2_LOW 0x1.a39ef35793c76p-33
// Adding 1.5 × 2^52 rounds a double of magnitude < 2^51 to an integer, found in the low bits of the sum.
#define ROUNDER 0x1.8p52

ISOMIX_INLINE double double_of_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

ISOMIX_INLINE uint64_t bits_of_double(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// √x as one instruction: the plain call keeps a branch that sets errno, which stops vectorisation.
#if defined(__clang__)
#define square_root(x) __builtin_elementwise_sqrt(x)
#else
#define square_root(x) __builtin_sqrt(x)
#endif

// e^r - 1 for |r| ≤ ln(2)/2: minimax (Remez) of degree 11 with exact terms 1 + r, error of e^r 4e-18.
ISOMIX_INLINE double expm1_reduced(double r) {
  double r2 = r * r;
  double r4 = r2 * r2;
  double q01 = 0x1.000000000000bp-1 + r * 0x1.5555555555561p-3;
  double q23 = 0x1.555555555008ep-5 + r * 0x1.111111110d668p-7;
  double q45 = 0x1.6c16c18596fc2p-10 + r * 0x1.a01a01bad4406p-13;
  double q67 = 0x1.a01996b907c1dp-16 + r * 0x1.71dddfe87dcfbp-19;
  double q89 = 0x1.28b02b220179ap-22 + r * 0x1.af855d7174b93p-26;
  double low = q01 + r2 * q23;
  double high = q45 + r2 * q67 + r4 * q89;
  double q = low + r4 * high;
  return r + r2 * q;
}

ISOMIX_INLINE double exp_reduced(double r) { return 1.0 + expm1_reduced(r); }

// e^x for -708 ≤ x ≤ 709 (NaN stays NaN): no subnormal results, one scaling.
ISOMIX_INLINE double exp_normal(double x) {
  double shifted = x * LOG2_E + ROUNDER;
  double n = shifted - ROUNDER;
  double r = (x - n * LN2_HIGH) - n * LN2_LOW;
  // The low bits of `shifted` hold n in two's complement; shifted to the exponent field they scale by 2^n.
  uint64_t scale = (bits_of_double(shifted) << 52) + (1023ull << 52);
  return exp_reduced(r) * double_of_bits(scale);
}

// e^x for every double: underflows gradually to 0, overflows to infinity.
ISOMIX_INLINE double exp_any(double x) {
  double clamped = x > 800.0 ? 800.0 : x;
  clamped = clamped < -800.0 ? -800.0 : clamped;
  double shifted = clamped * LOG2_E + ROUNDER;
  double n = shifted - ROUNDER;
  double r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
  // 2^n in two factors, because |n| reaches 1155.
  uint64_t whole = bits_of_double(shifted) - bits_of_double(ROUNDER);
  double half_shifted = n * 0.5 + ROUNDER;
  uint64_t half = bits_of_double(half_shifted) - bits_of_double(ROUNDER);
  uint64_t rest = whole - half;
  double first = double_of_bits((half + 1023ull) << 52);
  double second = double_of_bits((rest + 1023ull) << 52);
  return exp_reduced(r) * first * second;
}

// e^x for x ≤ 0 where results below 1e-307 may be rounded up to 1e-307 or so.
ISOMIX_INLINE double exp_nonpositive(double x) { return exp_normal(x < -708.0 ? -708.0 : x); }

// ln x for normal, positive, finite x, within 1 ulp: the method of fdlibm's e_log.c (Sun Microsystems).
ISOMIX_INLINE double log_normal(double x) {
  // Subtracting sqrt(1/2)'s bits makes the exponent field that of x / sqrt(1/2).
  const uint64_t offset = 0x3fe6a09e667f3bcdull;
  uint64_t bits = bits_of_double(x);
  uint64_t shifted = bits - offset;
  // Exponent as a double without a 64-bit conversion: biased by 2^11 it is positive, and 2^52 + it is exact.
  uint64_t biased = (shifted + (2048ull << 52)) >> 52;
  double e = double_of_bits((biased & 4095ull) | 0x4330000000000000ull) - (0x1p52 + 2048.0);
  double m = double_of_bits(bits - ((shifted >> 52) << 52));
  double f = m - 1.0;
  double s = f / (2.0 + f);
  double z = s * s;
  double w = z * z;
  double odd = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  double even = z * (6.666666666666735130e-01
    + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  double poly = odd + even;
  double half_square = 0.5 * f * f;
  return e * 6.93147180369123816490e-01
    - ((half_square - (s * (half_square + poly) + e * 1.90821492927058770002e-10)) - f);
}

// ln x for every double: -infinity at 0, NaN below.
ISOMIX_INLINE double log_any(double x) {
  int subnormal = x < 0x1p-1022;
  double value = log_normal(subnormal ? x * 0x1p54 : x);
  value = subnormal ? value - 54.0 * 0.693147180559945309417 : value;
  value = x == 0.0 ? -__builtin_inf() : value;
  value = x == __builtin_inf() ? x : value;
  value = x < 0.0 || x != x ? __builtin_nan("") : value;
  return value;
}

// Σ and Π over lanes by halves: one fixed order, and vectors until the last four.
ISOMIX_INLINE double sum_of_lanes(double *restrict lanes) {
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++) lanes[l] += lanes[l + width];
  return lanes[0];
}

ISOMIX_INLINE double product_of_lanes(double *restrict lanes) {
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++) lanes[l] *= lanes[l + width];
  return lanes[0];
}

#endif
