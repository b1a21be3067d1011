#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "blocks.h"
#include "vector_math.h"

size_t isomix_mixture_scratch(size_t components, size_t dimension) {
  return LANES * (components + 2 * dimension) + components;
}

// Components and coordinates whose running sums are kept in registers together.
#define GROUP 4

// ‖x - m‖² directly: a matrix product's ‖x‖² - 2x·m + ‖m‖² loses every digit far from the origin.
ISOMIX_INLINE void squared_distances(const double *restrict block, const double *restrict means, size_t group,
                                     size_t dimension, double *restrict squares) {
  lanes sums[GROUP] = {{0}};
  for (size_t k = 0; k < dimension; k++) {
    lanes point = CONST_LANES_AT(block + k * LANES);
    for (size_t c = 0; c < group; c++) {
      lanes difference = point - means[c * dimension + k];
      sums[c] += difference * difference;
    }
  }
  for (size_t c = 0; c < group; c++) LANES_AT(squares + c * LANES) = sums[c];
}

// Σ_i factors_i (m_i - x) for a few coordinates, over the components that matter.
ISOMIX_INLINE void pull_of_components(const double *restrict block, const double *restrict means,
                                      size_t dimension, const double *restrict factors,
                                      const double *restrict chosen, size_t chosen_count, size_t coordinates,
                                      double *restrict pull) {
  lanes sums[GROUP] = {{0}};
  for (size_t n = 0; n < chosen_count; n++) {
    lanes factor = CONST_LANES_AT(factors + n * LANES);
    const double *restrict mean = means + (size_t)chosen[n] * dimension;
    for (size_t k = 0; k < coordinates; k++)
      sums[k] += factor * (mean[k] - CONST_LANES_AT(block + k * LANES));
  }
  for (size_t k = 0; k < coordinates; k++) LANES_AT(pull + k * LANES) = sums[k];
}

ISOMIX_CLONES
void isomix_mixture_accumulate(const double *restrict points, size_t count, size_t dimension,
                               size_t components, const double *restrict means,
                               const double *restrict precisions, const double *restrict log_factors,
                               double *restrict scratch, double *restrict log_density,
                               double *restrict score) {
  double *restrict shares = scratch;
  double *restrict block = shares + LANES * components;
  double *restrict pull = block + LANES * dimension;
  // Indices of the components that matter to some lane, as numbers, so that one scratch buffer serves.
  double *restrict chosen = pull + LANES * dimension;
  for (size_t start = 0; start < count; start += LANES) {
    size_t filled = count - start < LANES ? count - start : LANES;
    load_block(points + start * dimension, filled, dimension, block);
    double maximum[LANES], sum[LANES];
    for (int l = 0; l < LANES; l++) {
      maximum[l] = -__builtin_inf();
      sum[l] = 0.0;
    }
    size_t grouped = components - components % GROUP;
    for (size_t i = 0; i < grouped; i += GROUP)
      squared_distances(block, means + i * dimension, GROUP, dimension, shares + i * LANES);
    for (size_t i = grouped; i < components; i++)
      squared_distances(block, means + i * dimension, 1, dimension, shares + i * LANES);
    for (size_t i = 0; i < components; i++)
      for (int l = 0; l < LANES; l++) {
        double weight = log_factors[i] - 0.5 * precisions[i] * shares[i * LANES + l];
        shares[i * LANES + l] = weight;
        maximum[l] = weight > maximum[l] ? weight : maximum[l];
      }
    for (size_t i = 0; i < components; i++)
      for (int l = 0; l < LANES; l++) {
        double share = exp_nonpositive(shares[i * LANES + l] - maximum[l]);
        shares[i * LANES + l] = share;
        sum[l] += share;
      }
    double density[LANES];
    for (int l = 0; l < LANES; l++) {
      double value = maximum[l] + log_any(sum[l]);
      density[l] = maximum[l] == -__builtin_inf() ? maximum[l] : value;
      sum[l] = 1.0 / sum[l];
    }
    for (size_t l = 0; l < filled; l++) log_density[start + l] += density[l];
    if (!score) continue;

    size_t chosen_count = 0;
    for (size_t i = 0; i < components; i++) {
      int matters = 0;
      double factor[LANES];
      for (int l = 0; l < LANES; l++) {
        double share = shares[i * LANES + l] * sum[l];
        matters |= !(share < NEGLIGIBLE_SHARE);
        factor[l] = share < NEGLIGIBLE_SHARE ? 0.0 : share * precisions[i];
      }
      // Factors move forward over shares that were read already.
      for (int l = 0; l < LANES; l++) shares[chosen_count * LANES + l] = factor[l];
      chosen[chosen_count] = (double)i;
      chosen_count += matters != 0;
    }
    size_t k = 0;
    for (; k + GROUP <= dimension; k += GROUP)
      pull_of_components(block + k * LANES, means + k, dimension, shares, chosen, chosen_count, GROUP,
                         pull + k * LANES);
    for (; k < dimension; k++)
      pull_of_components(block + k * LANES, means + k, dimension, shares, chosen, chosen_count, 1,
                         pull + k * LANES);
    add_block(pull, filled, dimension, score + start * dimension);
  }
}
