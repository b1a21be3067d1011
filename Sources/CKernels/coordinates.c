#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "blocks.h"
#include "vector_math.h"

// Lanes are coordinates here: every coordinate has a mixture of its own, and all go through the same steps.

size_t isomix_coordinate_mixture_scratch(size_t components) { return 4 * LANES * components; }

// Parameters of LANES coordinates, [components][LANES]; lanes beyond the last coordinate are harmless.
ISOMIX_INLINE void load_parameters(const double *restrict values, size_t components, size_t dimension,
                                   size_t first, size_t filled, double missing, double *restrict block) {
  for (size_t i = 0; i < components; i++)
    for (size_t l = 0; l < LANES; l++)
      block[i * LANES + l] = l < filled ? values[i * dimension + first + l] : missing;
}

// One point's LANES coordinates: log q_k of each, and its derivative.
ISOMIX_INLINE void density_of_lanes(const double *restrict point, size_t components,
                                    const double *restrict means, const double *restrict precisions,
                                    const double *restrict log_factors, double *restrict weights,
                                    double *restrict density, double *restrict pull) {
  double maximum[LANES], sum[LANES];
  for (int l = 0; l < LANES; l++) {
    maximum[l] = -__builtin_inf();
    sum[l] = 0.0;
    pull[l] = 0.0;
  }
  for (size_t i = 0; i < components; i++)
    for (int l = 0; l < LANES; l++) {
      size_t at = i * LANES + l;
      double difference = point[l] - means[at];
      double weight = log_factors[at] - 0.5 * precisions[at] * (difference * difference);
      weights[at] = weight;
      maximum[l] = weight > maximum[l] ? weight : maximum[l];
    }
  for (size_t i = 0; i < components; i++)
    for (int l = 0; l < LANES; l++) {
      size_t at = i * LANES + l;
      double share = exp_nonpositive(weights[at] - maximum[l]);
      sum[l] += share;
      pull[l] += share * precisions[at] * (means[at] - point[l]);
    }
  for (int l = 0; l < LANES; l++) {
    double value = maximum[l] + log_any(sum[l]);
    density[l] = maximum[l] == -__builtin_inf() ? maximum[l] : value;
    pull[l] = pull[l] / sum[l];
  }
}

ISOMIX_CLONES
void isomix_coordinate_mixture_accumulate(const double *restrict points, size_t count, size_t dimension,
                                          size_t components, const double *restrict means,
                                          const double *restrict precisions,
                                          const double *restrict log_factors, double *restrict scratch,
                                          double *restrict log_density, double *restrict score) {
  double *restrict block_means = scratch;
  double *restrict block_precisions = block_means + LANES * components;
  double *restrict block_factors = block_precisions + LANES * components;
  double *restrict weights = block_factors + LANES * components;
  // Coordinates outside, points inside: the parameters of a few coordinates stay in the cache.
  for (size_t first = 0; first < dimension; first += LANES) {
    size_t filled = dimension - first < LANES ? dimension - first : LANES;
    load_parameters(means, components, dimension, first, filled, 0.0, block_means);
    load_parameters(precisions, components, dimension, first, filled, 1.0, block_precisions);
    load_parameters(log_factors, components, dimension, first, filled, 0.0, block_factors);
    for (size_t s = 0; s < count; s++) {
      double point[LANES], density[LANES], pull[LANES];
      for (size_t l = 0; l < LANES; l++) point[l] = l < filled ? points[s * dimension + first + l] : 0.0;
      density_of_lanes(point, components, block_means, block_precisions, block_factors, weights, density,
                       pull);
      double total = 0.0;
      for (size_t l = 0; l < filled; l++) total += density[l];
      log_density[s] += total;
      if (!score) continue;
      for (size_t l = 0; l < filled; l++) score[s * dimension + first + l] += pull[l];
    }
  }
}

ISOMIX_CLONES
void isomix_coordinate_place(const int32_t *restrict chosen, size_t count, size_t dimension,
                             const double *restrict means, const double *restrict variances,
                             double *restrict offsets, double *restrict points) {
  for (size_t s = 0; s < count; s++)
    for (size_t k = 0; k < dimension; k++) {
      size_t at = s * dimension + k, parameter = (size_t)chosen[at] * dimension + k;
      offsets[at] *= square_root(variances[parameter]);
      points[at] = means[parameter] + offsets[at];
    }
}

ISOMIX_CLONES
void isomix_coordinate_contract(const int32_t *restrict chosen, size_t count, size_t dimension,
                                const double *restrict gradients, const double *restrict offsets,
                                double *restrict sums) {
  for (size_t s = 0; s < count; s++)
    for (size_t k = 0; k < dimension; k++) {
      size_t at = s * dimension + k, place = (size_t)chosen[at] * 2 * dimension + k;
      sums[place] += gradients[at];
      sums[place + dimension] += gradients[at] * offsets[at];
    }
}
