#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "vector_math.h"

// Quantiles of columns by a sorting network: Batcher's odd-even mergesort (AFIPS 1968), whose comparisons don't
// depend on the numbers, so that LANES columns are sorted at once.

ISOMIX_INLINE void compare_exchange(double *restrict low, double *restrict high) {
  double smaller[LANES], larger[LANES];
  for (int l = 0; l < LANES; l++) smaller[l] = low[l] < high[l] ? low[l] : high[l];
  for (int l = 0; l < LANES; l++) larger[l] = low[l] > high[l] ? low[l] : high[l];
  for (int l = 0; l < LANES; l++) low[l] = smaller[l];
  for (int l = 0; l < LANES; l++) high[l] = larger[l];
}

// Sorts each lane of [count][LANES] in ascending order.
ISOMIX_INLINE void sort_lanes(double *restrict values, size_t count) {
  for (unsigned level = 0; (size_t)1 << level < count; level++)
    for (size_t k = (size_t)1 << level; k >= 1; k /= 2)
      for (size_t j = k & (((size_t)1 << level) - 1); j + k < count; j += 2 * k)
        for (size_t i = j; i < j + k && i + k < count; i++)
          if (i >> (level + 1) == (i + k) >> (level + 1))
            compare_exchange(values + i * LANES, values + (i + k) * LANES);
}

ISOMIX_CLONES
void isomix_column_quantiles(const double *restrict matrix, size_t draws, size_t columns,
                             const double *restrict places, size_t count, double *restrict scratch,
                             double *restrict output) {
  for (size_t start = 0; start < columns; start += LANES) {
    size_t lanes = columns - start < LANES ? columns - start : LANES;
    for (size_t s = 0; s < draws; s++)
      for (size_t l = 0; l < LANES; l++)
        scratch[s * LANES + l] = matrix[s * columns + start + (l < lanes ? l : 0)];
    sort_lanes(scratch, draws);
    for (size_t q = 0; q < count; q++) {
      size_t below = (size_t)places[q];
      double share = places[q] - (double)below;
      const double *restrict lower = scratch + below * LANES;
      const double *restrict upper = share > 0.0 ? lower + LANES : lower;
      for (size_t l = 0; l < lanes; l++)
        output[q * columns + start + l] = share > 0.0 ? lower[l] + share * (upper[l] - lower[l]) : lower[l];
    }
  }
}

ISOMIX_CLONES
void isomix_column_moments(const double *restrict matrix, size_t draws, size_t columns, double *restrict mean,
                           double *restrict deviation) {
  for (size_t j = 0; j < columns; j++) mean[j] = 0.0;
  for (size_t s = 0; s < draws; s++)
    for (size_t j = 0; j < columns; j++) mean[j] += matrix[s * columns + j];
  for (size_t j = 0; j < columns; j++) mean[j] /= (double)draws;
  if (deviation == NULL) return;
  for (size_t j = 0; j < columns; j++) deviation[j] = 0.0;
  for (size_t s = 0; s < draws; s++)
    for (size_t j = 0; j < columns; j++) {
      double offset = matrix[s * columns + j] - mean[j];
      deviation[j] += offset * offset;
    }
  for (size_t j = 0; j < columns; j++) deviation[j] = square_root(deviation[j] / (double)draws);
}

// The nodes of the coarsest rule; each finer one has twice as many at half the distance.
#define COARSEST 16
#define FINEST_LEVEL 6

ISOMIX_INLINE double logistic_average(double center, double deviation, const double *restrict nodes,
                                      const double *restrict weights, size_t count) {
  double sum[LANES] = {0};
  for (size_t k = 0; k < count; k += LANES)
    for (int l = 0; l < LANES; l++) {
      double logit = center + deviation * nodes[k + l];
      double e = exp_nonpositive(-__builtin_fabs(logit));
      sum[l] += weights[k + l] * ((logit >= 0.0 ? 1.0 : e) / (1.0 + e));
    }
  return sum_of_lanes(sum);
}

ISOMIX_CLONES
void isomix_logistic_averages(const double *restrict centers, const double *restrict deviations,
                              const double *restrict shares, size_t components, size_t rows,
                              const double *restrict nodes, const double *restrict weights,
                              double *restrict probability) {
  for (size_t j = 0; j < rows; j++) {
    double sum = 0.0;
    for (size_t i = 0; i < components; i++) {
      double deviation = deviations[i * rows + j];
      size_t level = 0;
      while (level < FINEST_LEVEL && deviation > (double)(1u << level)) level++;
      size_t first = COARSEST * (((size_t)1 << level) - 1);
      sum += shares[i] * logistic_average(centers[i * rows + j], deviation, nodes + first, weights + first,
                                          (size_t)COARSEST << level);
    }
    probability[j] = sum;
  }
}

// The upper tail of the normal distribution at |x|: Hart et al. (Computer Approximations, 1968), algorithm 5666, as
// given by West (Better approximations to cumulative normal functions, Wilmott 2005), from e^(-x²/2). Relative error
// 1e-14 up to |x| = 7; beyond, where the tail is below 1e-12, a few per cent.
ISOMIX_INLINE double normal_tail(double x, double e) {
  double a = __builtin_fabs(x);
  double over = 3.52624965998911e-02;
  over = over * a + 0.700383064443688;
  over = over * a + 6.37396220353165;
  over = over * a + 33.912866078383;
  over = over * a + 112.079291497871;
  over = over * a + 221.213596169931;
  over = over * a + 220.206867912376;
  double under = 8.83883476483184e-02;
  under = under * a + 1.75566716318264;
  under = under * a + 16.064177579207;
  under = under * a + 86.7807322029461;
  under = under * a + 296.564248779674;
  under = under * a + 637.333633378831;
  under = under * a + 793.826512519948;
  under = under * a + 440.413735824752;
  return e * over / under;
}

#define INVERSE_ROOT_TWO_PI 0.398942280401432677939946
#define SOLVER_STEPS 64
// Newton's steps double the digits: after one this small the next would change nothing that counts.
#define SMALL_STEP 1e-7

// One quantile for LANES rows: Newton's method within the smallest and largest of the components' own quantiles.
ISOMIX_INLINE void quantile_lanes(const double *restrict centers, const double *restrict deviations,
                                  const double *restrict shares, size_t components, size_t stride,
                                  double probability, double z, double *restrict y) {
  double low[LANES], high[LANES], narrowest[LANES], done[LANES];
  for (int l = 0; l < LANES; l++) {
    double own = centers[l] + deviations[l] * z;
    low[l] = high[l] = own;
    y[l] = shares[0] * own;
    narrowest[l] = deviations[l];
    done[l] = 0.0;
  }
  for (size_t i = 1; i < components; i++)
    for (int l = 0; l < LANES; l++) {
      double own = centers[i * stride + l] + deviations[i * stride + l] * z;
      low[l] = own < low[l] ? own : low[l];
      high[l] = own > high[l] ? own : high[l];
      y[l] += shares[i] * own;
      narrowest[l] = deviations[i * stride + l] < narrowest[l] ? deviations[i * stride + l] : narrowest[l];
    }
  if (components == 1) return;
  for (int step = 0; step < SOLVER_STEPS; step++) {
    double excess[LANES], density[LANES];
    for (int l = 0; l < LANES; l++) {
      excess[l] = 0.0;
      density[l] = 0.0;
    }
    for (size_t i = 0; i < components; i++)
      for (int l = 0; l < LANES; l++) {
        double inverse = 1.0 / deviations[i * stride + l];
        double x = (y[l] - centers[i * stride + l]) * inverse;
        double e = exp_nonpositive(-0.5 * x * x);
        double tail = normal_tail(x, e);
        excess[l] += shares[i] * ((x > 0.0 ? 1.0 - tail : tail) - probability);
        density[l] += shares[i] * (INVERSE_ROOT_TWO_PI * e * inverse);
      }
    double all = 1.0;
    for (int l = 0; l < LANES; l++) {
      double above = excess[l] > 0.0 ? 1.0 : 0.0;
      high[l] = above > 0.0 && done[l] == 0.0 ? y[l] : high[l];
      low[l] = above == 0.0 && done[l] == 0.0 ? y[l] : low[l];
      double next = y[l] - excess[l] / density[l];
      next = next >= low[l] && next <= high[l] ? next : 0.5 * (low[l] + high[l]);
      double moved = __builtin_fabs(next - y[l]);
      // A lane that is done stays as it is, so that its neighbours don't change its bits.
      y[l] = done[l] == 0.0 ? next : y[l];
      done[l] = done[l] == 0.0 && !(moved <= SMALL_STEP * narrowest[l]) ? 0.0 : 1.0;
      all = done[l] < all ? done[l] : all;
    }
    if (all == 1.0) return;
  }
}

ISOMIX_CLONES
void isomix_normal_mixture_quantiles(const double *restrict centers, const double *restrict deviations,
                                     const double *restrict shares, size_t components, size_t rows,
                                     const double *restrict probabilities,
                                     const double *restrict normal_quantiles, size_t count,
                                     double *restrict scratch, double *restrict output) {
  for (size_t start = 0; start < rows; start += LANES) {
    size_t lanes = rows - start < LANES ? rows - start : LANES;
    const double *restrict block_centers = centers + start, *restrict block_deviations = deviations + start;
    size_t stride = rows;
    if (lanes < LANES) {
      double *restrict copied = scratch + components * LANES;
      for (size_t i = 0; i < components; i++)
        for (size_t l = 0; l < LANES; l++) {
          size_t place = i * rows + start + (l < lanes ? l : 0);
          scratch[i * LANES + l] = centers[place];
          copied[i * LANES + l] = deviations[place];
        }
      block_centers = scratch;
      block_deviations = copied;
      stride = LANES;
    }
    for (size_t q = 0; q < count; q++) {
      double y[LANES];
      quantile_lanes(block_centers, block_deviations, shares, components, stride, probabilities[q],
                     normal_quantiles[q], y);
      for (size_t l = 0; l < lanes; l++) output[q * rows + start + l] = y[l];
    }
  }
}

ISOMIX_CLONES
void isomix_logistic(double *restrict values, size_t count) {
  for (size_t j = 0; j < count; j++) {
    double e = exp_nonpositive(-__builtin_fabs(values[j]));
    values[j] = (values[j] >= 0.0 ? 1.0 : e) / (1.0 + e);
  }
}

ISOMIX_CLONES
void isomix_conditional_predictors(const isomix_predictor_parts *parts, double root, size_t nodes,
                                   const double *restrict points, const double *restrict scales,
                                   double *restrict centers, double *restrict deviations) {
  size_t rows = parts->rows, conditions = parts->conditions, groups = parts->groups;
  for (size_t q = 0; q < nodes; q++) {
    const double *point = points + q * conditions, *scale = scales + q * groups;
    for (size_t start = 0; start < rows; start += LANES) {
      size_t lanes = rows - start < LANES ? rows - start : LANES;
      double center[LANES], square[LANES];
      for (size_t l = 0; l < lanes; l++) {
        center[l] = parts->centers[start + l];
        square[l] = parts->squares[start + l];
      }
      for (size_t g = 0, cross = 0; g < groups; g++) {
        const double *means = parts->effects + g * rows + start, *products = parts->products + g * rows + start;
        const double *lengths = parts->lengths + g * rows + start;
        for (size_t l = 0; l < lanes; l++) {
          center[l] += scale[g] * means[l];
          square[l] += scale[g] * (2.0 * products[l] + scale[g] * lengths[l]);
        }
        for (size_t h = 0; h < g; h++, cross++) {
          const double *crosses = parts->crosses + cross * rows + start;
          for (size_t l = 0; l < lanes; l++) square[l] += 2.0 * scale[g] * scale[h] * crosses[l];
        }
      }
      for (size_t k = 0; k < conditions; k++) {
        double share[LANES];
        for (size_t l = 0; l < lanes; l++) share[l] = parts->shares[k * rows + start + l];
        for (size_t g = 0; g < groups; g++) {
          const double *own = parts->group_shares + (g * conditions + k) * rows + start;
          for (size_t l = 0; l < lanes; l++) share[l] += scale[g] * own[l];
        }
        for (size_t l = 0; l < lanes; l++) {
          center[l] += root * point[k] * share[l];
          square[l] -= share[l] * share[l];
        }
      }
      for (size_t l = 0; l < lanes; l++) {
        double deviation = root * square_root(square[l] > 0.0 ? square[l] : 0.0);
        centers[q * rows + start + l] = center[l];
        deviations[q * rows + start + l] =
          deviation > ISOMIX_SMALLEST_DEVIATION ? deviation : ISOMIX_SMALLEST_DEVIATION;
      }
    }
  }
}

ISOMIX_CLONES
void isomix_log_normal_moments(const double *restrict centers, const double *restrict deviations,
                               const double *restrict shares, const double *restrict overdispersions,
                               size_t terms, size_t rows, int of_counts, double *restrict mean,
                               double *restrict deviation) {
  // Beyond, squares would overflow.
  const double most = 300.0;
  for (size_t start = 0; start < rows; start += LANES) {
    size_t lanes = rows - start < LANES ? rows - start : LANES;
    // Squares are of offsets from the first term's mean, which is near the others': no digits are lost.
    double average[LANES] = {0}, variance[LANES] = {0}, first[LANES] = {0};
    for (size_t m = 0; m < terms; m++)
      for (size_t l = 0; l < lanes; l++) {
        double own = deviations[m * rows + start + l], v = own * own;
        double log_mean = centers[m * rows + start + l] + 0.5 * v;
        double term = exp_any(log_mean < most ? log_mean : most);
        first[l] = m == 0 ? term : first[l];
        double offset = term - first[l];
        average[l] += shares[m] * offset;
        // e^v - 1, whose digits for small v the subtraction would lose.
        double growth = v < 1e-4 ? v * (1.0 + v * (0.5 + v / 6.0)) : exp_any(v < most ? v : most) - 1.0;
        variance[l] += shares[m] * (term * term * growth + offset * offset);
        // Of counts with a given mean: μ + α μ², and E μ² = term² e^v.
        if (of_counts) variance[l] += shares[m] * (term + overdispersions[m] * term * term * (1.0 + growth));
      }
    for (size_t l = 0; l < lanes; l++) {
      double rest = variance[l] - average[l] * average[l];
      variance[l] = rest > 0.0 ? rest : 0.0;
      average[l] += first[l];
    }
    for (size_t l = 0; l < lanes; l++) {
      mean[start + l] = average[l];
      deviation[start + l] = square_root(variance[l]);
    }
  }
}

// The largest mean whose counts are summed from 0: e^-μ is a normal number far beyond.
#define LARGEST_MEAN 500.0
#define MOST_COUNTS 16384

ISOMIX_CLONES
void isomix_count_mixture_quantiles(const double *restrict means, const double *restrict overdispersions,
                                    const double *restrict shares, size_t terms, size_t rows,
                                    const double *restrict probabilities, size_t count,
                                    double *restrict scratch, double *restrict output) {
  double *restrict masses = scratch, *restrict factors = scratch + terms * LANES;
  for (size_t start = 0; start < rows; start += LANES) {
    size_t lanes = rows - start < LANES ? rows - start : LANES;
    double largest[LANES] = {0}, sum[LANES] = {0};
    size_t open = 0, next[LANES];
    for (size_t m = 0; m < terms; m++)
      for (size_t l = 0; l < lanes; l++) {
        double mean = means[m * rows + start + l];
        largest[l] = mean > largest[l] ? mean : largest[l];
      }
    for (size_t m = 0; m < terms; m++) {
      double alpha = overdispersions[m];
      for (size_t l = 0; l < LANES; l++) {
        double mean = means[m * rows + start + (l < lanes ? l : 0)], product = alpha * mean;
        // P(0) = (1 + α μ)^(-1/α), and p(k + 1) / p(k) = (1 + k α) μ / ((1 + α μ)(k + 1)).
        double log_none = alpha > 1e-12 ? log_any(1.0 + product) / alpha : mean;
        masses[m * LANES + l] = shares[m] * exp_any(-log_none);
        factors[m * LANES + l] = mean / (1.0 + product);
      }
    }
    for (size_t l = 0; l < lanes; l++) {
      next[l] = largest[l] <= LARGEST_MEAN ? 0 : count;
      for (size_t q = 0; q < count; q++) output[q * rows + start + l] = -1.0;
      open += next[l] < count;
    }
    for (size_t step = 0; step < MOST_COUNTS && open > 0; step++) {
      double k = (double)step, inverse = 1.0 / (k + 1.0);
      for (size_t m = 0; m < terms; m++) {
        double growth = (1.0 + k * overdispersions[m]) * inverse;
        double *restrict mass = masses + m * LANES, *restrict factor = factors + m * LANES;
        for (int l = 0; l < LANES; l++) {
          sum[l] += mass[l];
          mass[l] *= growth * factor[l];
        }
      }
      for (size_t l = 0; l < lanes; l++) {
        if (next[l] >= count || sum[l] < probabilities[next[l]]) continue;
        while (next[l] < count && sum[l] >= probabilities[next[l]]) output[next[l]++ * rows + start + l] = k;
        open -= next[l] >= count;
      }
    }
  }
}
