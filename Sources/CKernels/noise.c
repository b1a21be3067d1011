// No contraction here: random numbers have the same bits on every CPU.
#pragma STDC FP_CONTRACT OFF
#include "isomix_kernels.h"
#include "vector_math.h"

#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0 0x9E3779B9u
#define WEYL_1 0xBB67AE85u
#define ROUNDS 10
// The third and fourth words of a key's counter: they keep key derivation apart from other uses.
#define KEY_DOMAIN 0x69736F6Du

ISOMIX_INLINE void philox_rounds(uint32_t *restrict c0, uint32_t *restrict c1, uint32_t *restrict c2,
                                 uint32_t *restrict c3, uint32_t k0, uint32_t k1) {
  uint32_t x0 = *c0, x1 = *c1, x2 = *c2, x3 = *c3;
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t product0 = (uint64_t)MULTIPLIER_0 * x0;
    uint64_t product1 = (uint64_t)MULTIPLIER_1 * x2;
    uint32_t y0 = (uint32_t)(product1 >> 32) ^ x1 ^ k0;
    uint32_t y2 = (uint32_t)(product0 >> 32) ^ x3 ^ k1;
    x1 = (uint32_t)product1;
    x3 = (uint32_t)product0;
    x0 = y0;
    x2 = y2;
    k0 += WEYL_0;
    k1 += WEYL_1;
  }
  *c0 = x0;
  *c1 = x1;
  *c2 = x2;
  *c3 = x3;
}

void isomix_philox4x32_10(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]) {
  uint32_t words[4] = {counter[0], counter[1], counter[2], counter[3]};
  philox_rounds(words, words + 1, words + 2, words + 3, key[0], key[1]);
  for (int i = 0; i < 4; i++) output[i] = words[i];
}

isomix_noise_key isomix_derive_noise_key(uint64_t seed, uint32_t stream) {
  const uint32_t counter[4] = {(uint32_t)seed, (uint32_t)(seed >> 32), stream, KEY_DOMAIN};
  const uint32_t key[2] = {0, 0};
  uint32_t words[4];
  isomix_philox4x32_10(counter, key, words);
  return (isomix_noise_key){words[0], words[1]};
}

// A uniform deviate in (0, 1], a multiple of 2^-52: two minus a double in [1, 2) made from 52 bits.
ISOMIX_INLINE double uniform_of_words(uint32_t high, uint32_t low) {
  uint64_t mantissa = ((uint64_t)high << 20) | (low >> 12);
  return 2.0 - double_of_bits(mantissa | 0x3ff0000000000000ull);
}

// cos(2πu) and sin(2πu) for u in [0, 1]: polynomials of fdlibm's k_cos.c and k_sin.c on a quarter turn.
ISOMIX_INLINE void cosine_sine_of_turns(double u, double *restrict cosine, double *restrict sine) {
  double shifted = 4.0 * u + ROUNDER;
  double a = (4.0 * u - (shifted - ROUNDER)) * 1.57079632679489661923;
  double z = a * a;
  double sin_a = a + a * z * (-1.66666666666666324348e-01
    + z * (8.33333333332248946124e-03 + z * (-1.98412698298579493134e-04
    + z * (2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
  double half = 0.5 * z;
  double w = 1.0 - half;
  double cos_a = w + (((1.0 - w) - half) + z * z * (4.16666666666666019037e-02
    + z * (-1.38888888888741095749e-03 + z * (2.48015872894767294178e-05
    + z * (-2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11))))));
  uint64_t quadrant = bits_of_double(shifted);
  // Odd quadrants exchange sine and cosine; signs: cosine negative in 1 and 2, sine in 2 and 3.
  uint64_t odd = 0 - (quadrant & 1);
  uint64_t sine_bits = bits_of_double(sin_a), cosine_bits = bits_of_double(cos_a);
  uint64_t exchange = (sine_bits ^ cosine_bits) & odd;
  *cosine = double_of_bits((cosine_bits ^ exchange) ^ (((quadrant + 1) & 2) << 62));
  *sine = double_of_bits((sine_bits ^ exchange) ^ ((quadrant & 2) << 62));
}

// Deviates 2p and 2p+1 of a row come from the Philox block of counter (p, sample, component, iteration).
ISOMIX_INLINE void fill(isomix_noise_key key, uint32_t iteration, uint32_t component, uint32_t first_sample,
                        size_t samples, size_t dimension, int normal, double *restrict output) {
  size_t pairs = (dimension + 1) / 2, blocks = samples * pairs;
  size_t sample = 0, pair = 0;
  for (size_t start = 0; start < blocks; start += LANES) {
    uint32_t pair_of_lane[LANES], sample_of_lane[LANES];
    size_t next_sample = sample, next_pair = pair;
    for (int l = 0; l < LANES; l++) {
      pair_of_lane[l] = (uint32_t)next_pair;
      sample_of_lane[l] = first_sample + (uint32_t)next_sample;
      if (++next_pair == pairs) {
        next_pair = 0;
        next_sample++;
      }
    }
    double even[LANES], odd[LANES];
    for (int l = 0; l < LANES; l++) {
      uint32_t c0 = pair_of_lane[l], c1 = sample_of_lane[l], c2 = component, c3 = iteration;
      philox_rounds(&c0, &c1, &c2, &c3, key.words[0], key.words[1]);
      even[l] = uniform_of_words(c0, c1);
      odd[l] = uniform_of_words(c2, c3);
    }
    if (normal) {
      for (int l = 0; l < LANES; l++) {
        double radius = square_root(-2.0 * log_normal(even[l]));
        double cosine, sine;
        cosine_sine_of_turns(odd[l], &cosine, &sine);
        even[l] = radius * cosine;
        odd[l] = radius * sine;
      }
    }
    for (int l = 0; l < LANES && start + l < blocks; l++) {
      size_t at = sample * dimension + 2 * pair;
      output[at] = even[l];
      if (2 * pair + 1 < dimension) output[at + 1] = odd[l];
      if (++pair == pairs) {
        pair = 0;
        sample++;
      }
    }
  }
}

ISOMIX_CLONES
void isomix_fill_normals(isomix_noise_key key, uint32_t iteration, uint32_t component, uint32_t first_sample,
                         size_t samples, size_t dimension, double *output) {
  fill(key, iteration, component, first_sample, samples, dimension, 1, output);
}

ISOMIX_CLONES
void isomix_fill_uniforms(isomix_noise_key key, uint32_t iteration, uint32_t component, uint32_t first_sample,
                          size_t samples, size_t dimension, double *output) {
  fill(key, iteration, component, first_sample, samples, dimension, 0, output);
}

// Outcomes that one uniform decides between, at most: 2^32 of its 2^52 values, so that none is likelier than another
// by more than one part in a million.
#define MOST_OUTCOMES 4294967296.0

size_t isomix_permutation_uniforms(size_t size) {
  size_t uniforms = size > 1;
  double outcomes = 1.0;
  for (size_t left = size; left > 1; left--) {
    outcomes *= (double)left;
    if (outcomes <= MOST_OUTCOMES) continue;
    outcomes = (double)left;
    uniforms++;
  }
  return uniforms;
}

void isomix_fill_permutations(const double *uniforms, size_t columns, size_t size, size_t first, size_t count,
                              int32_t *scratch, int32_t *output, size_t stride) {
  size_t per_column = isomix_permutation_uniforms(size);
  for (size_t column = 0; column < columns; column++) {
    const double *next = uniforms + column * per_column;
    for (size_t i = 0; i < size; i++) scratch[i] = (int32_t)i;
    // The uniform's part that has decided nothing yet, in [0, 1).
    double rest = 0.0, outcomes = MOST_OUTCOMES;
    for (size_t left = size; left > 1; left--) {
      outcomes *= (double)left;
      if (outcomes > MOST_OUTCOMES) {
        rest = 1.0 - *next++;
        outcomes = (double)left;
      }
      double scaled = rest * (double)left;
      size_t place = (size_t)scaled;
      if (place >= left) place = left - 1;
      rest = scaled - (double)place;
      int32_t taken = scratch[place];
      scratch[place] = scratch[left - 1];
      scratch[left - 1] = taken;
    }
    for (size_t i = 0; i < count; i++) output[i * stride + column] = scratch[first + i];
  }
}
