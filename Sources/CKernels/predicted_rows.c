#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "special.h"

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

// Beyond, squares would overflow.
#define LARGEST_LOG_MEAN 300.0
// Within, e^x - 1 takes no reduction.
#define REDUCED 0.34

// e^x - 1 for x ≤ 700, whose digits for small x the subtraction would lose.
ISOMIX_INLINE double exp_minus_one(double x) {
  double reduced = expm1_reduced(x);
  return __builtin_fabs(x) <= REDUCED ? reduced : exp_nonpositive(x) - 1.0;
}

// The log of a term's mean.
ISOMIX_INLINE double log_mean_of(double center, double deviation) {
  double log_mean = center + 0.5 * deviation * deviation;
  return log_mean < LARGEST_LOG_MEAN ? log_mean : LARGEST_LOG_MEAN;
}

// Means are multiples of the largest, e^top, and squares are of offsets from it: no digits are lost where all are near it.
// `is_reduced`: all exponents are small, so that nothing else is computed; the numbers are the same.
ISOMIX_INLINE void log_normal_moments(const double *restrict centers, const double *restrict deviations,
                                      const double *restrict shares, const double *restrict overdispersions,
                                      size_t terms, size_t stride, size_t lanes, int of_counts, int is_reduced,
                                      const double *restrict top, double *restrict mean, double *restrict deviation) {
  double average[LANES] = {0}, variance[LANES] = {0};
  for (size_t m = 0; m < terms; m++) {
    double overdispersion = of_counts ? overdispersions[m] : 0.0;
    for (size_t l = 0; l < lanes; l++) {
      double own = deviations[m * stride + l], v = own * own;
      double distance = log_mean_of(centers[m * stride + l], own) - top[l];
      v = v < LARGEST_LOG_MEAN ? v : LARGEST_LOG_MEAN;
      double offset = is_reduced ? expm1_reduced(distance) : exp_minus_one(distance);
      double growth = is_reduced ? expm1_reduced(v) : exp_minus_one(v);
      double term = 1.0 + offset, square = term * term;
      average[l] += shares[m] * offset;
      // Of counts with a given mean: μ + α μ², and E μ² = term² e^v. What μ alone adds comes at the end.
      variance[l] += shares[m] * (square * (growth + overdispersion * (1.0 + growth)) + offset * offset);
    }
  }
  for (size_t l = 0; l < lanes; l++) {
    double unit = exp_any(top[l]), rest = variance[l] - average[l] * average[l];
    double own = unit * (1.0 + average[l]);
    rest = rest > 0.0 ? rest * unit * unit : 0.0;
    mean[l] = own;
    deviation[l] = square_root(of_counts ? rest + own : rest);
  }
}

ISOMIX_CLONES
void isomix_log_normal_moments(const double *restrict centers, const double *restrict deviations,
                               const double *restrict shares, const double *restrict overdispersions,
                               size_t terms, size_t rows, int of_counts, double *restrict mean,
                               double *restrict deviation) {
  for (size_t start = 0; start < rows; start += LANES) {
    size_t lanes = rows - start < LANES ? rows - start : LANES;
    const double *restrict own_centers = centers + start, *restrict own_deviations = deviations + start;
    double top[LANES], least[LANES], widest[LANES] = {0};
    for (size_t l = 0; l < lanes; l++) top[l] = least[l] = log_mean_of(own_centers[l], own_deviations[l]);
    for (size_t m = 0; m < terms; m++)
      for (size_t l = 0; l < lanes; l++) {
        double own = own_deviations[m * rows + l], log_mean = log_mean_of(own_centers[m * rows + l], own);
        top[l] = log_mean > top[l] ? log_mean : top[l];
        least[l] = log_mean < least[l] ? log_mean : least[l];
        widest[l] = own > widest[l] ? own : widest[l];
      }
    int is_reduced = lanes == LANES;
    for (size_t l = 0; l < lanes; l++)
      is_reduced &= top[l] - least[l] <= REDUCED && widest[l] * widest[l] <= REDUCED;
    if (is_reduced) {
      log_normal_moments(own_centers, own_deviations, shares, overdispersions, terms, rows, LANES, of_counts, 1, top,
                         mean + start, deviation + start);
    } else {
      log_normal_moments(own_centers, own_deviations, shares, overdispersions, terms, rows, lanes, of_counts, 0, top,
                         mean + start, deviation + start);
    }
  }
}

// The derivatives by η of a count's distribution function are some c_j g^j, g² = 1 + μ / (1 + α μ): those of a normal one
// for large μ. Over j!, for j from 3.
static const double derivative_bounds[] = {0.067, 0.023, 0.0115, 0.0032};
// What moments that a rule has wrong may change a distribution function by.
#define MERGING_TOLERANCE 3e-5

ISOMIX_INLINE void merge_count_terms(const isomix_count_merging *merging, const double *restrict centers,
                                     const double *restrict deviations, const double *restrict expectations,
                                     size_t rows, size_t lanes, double *restrict scratch, double *restrict means,
                                     double *restrict shares, double *restrict is_merged) {
  size_t terms = merging->terms, points = merging->points, orders = points + 1;
  double center[LANES] = {0}, spread[LANES] = {0}, inverse[LANES], wrong[2][LANES] = {{0}};
  for (size_t m = 0; m < terms; m++)
    for (size_t l = 0; l < lanes; l++) center[l] += merging->shares[m] * centers[m * rows + l];
  for (size_t m = 0; m < terms; m++)
    for (size_t l = 0; l < lanes; l++) {
      double offset = centers[m * rows + l] - center[l], own = deviations[m * rows + l];
      spread[l] += merging->shares[m] * (offset * offset + own * own);
    }
  for (size_t l = 0; l < lanes; l++) {
    spread[l] = square_root(spread[l]);
    inverse[l] = spread[l] > 1e-100 ? 1.0 / spread[l] : 0.0;
  }
  // Moments of each term from the first on, in units of the spread.
  for (size_t m = 0; m < terms; m++) {
    double *restrict own = scratch + m * orders * LANES, offset[LANES], square[LANES];
    for (size_t l = 0; l < lanes; l++) {
      double deviation = deviations[m * rows + l] * inverse[l];
      offset[l] = (centers[m * rows + l] - center[l]) * inverse[l];
      square[l] = deviation * deviation;
      own[l] = offset[l];
      own[LANES + l] = offset[l] * offset[l] + square[l];
    }
    for (size_t j = 2; j < orders; j++)
      for (size_t l = 0; l < lanes; l++)
        own[j * LANES + l] =
          offset[l] * own[(j - 1) * LANES + l] + (double)j * square[l] * own[(j - 2) * LANES + l];
  }
  for (size_t i = 0; i < merging->overdispersions; i++) {
    const double *restrict shared = merging->interpolation + i * terms;
    double *restrict own = shares + i * points * rows, total = 0.0;
    for (size_t m = 0; m < terms; m++) total += shared[m];
    for (size_t p = 0; p < points; p++)
      for (size_t l = 0; l < lanes; l++) own[p * rows + l] = merging->lagrange[p * points] * total;
    for (size_t j = 1; j <= orders; j++) {
      double moment[LANES] = {0};
      for (size_t m = 0; m < terms; m++)
        for (size_t l = 0; l < lanes; l++) moment[l] += shared[m] * scratch[(m * orders + j - 1) * LANES + l];
      if (j < points) {
        for (size_t p = 0; p < points; p++)
          for (size_t l = 0; l < lanes; l++) own[p * rows + l] += merging->lagrange[p * points + j] * moment[l];
        continue;
      }
      // Now the rule is made, and higher moments are what they are.
      for (size_t p = 0; p < points; p++) {
        double power = 1.0;
        for (size_t k = 0; k < j; k++) power *= merging->places[p];
        for (size_t l = 0; l < lanes; l++) moment[l] -= power * own[p * rows + l];
      }
      for (size_t l = 0; l < lanes; l++) wrong[j - points][l] += __builtin_fabs(moment[l]);
    }
  }
  for (size_t l = 0; l < lanes; l++) {
    double expectation = expectations[l];
    double steepness =
      square_root(1.0 + expectation / (1.0 + merging->least_overdispersion * expectation));
    double reach = spread[l] * steepness, power = reach * reach * reach;
    power = points == 5 ? power * reach * reach : power;
    double error = power * (derivative_bounds[points - 3] * wrong[0][l]
      + derivative_bounds[points - 2] * reach * wrong[1][l]);
    int merged = reach <= merging->limit && error <= MERGING_TOLERANCE && expectation <= merging->largest_mean;
    is_merged[l] = merged ? 1.0 : 0.0;
    // The middle one; nothing is left to sum where there is no merging.
    means[points / 2 * rows + l] = merged ? exp_nonpositive(center[l]) : 0.0;
  }
  for (size_t p = 0; p < points / 2; p++) {
    double place = merging->places[points - 1 - p];
    for (size_t l = 0; l < lanes; l++) {
      double reach = is_merged[l] > 0.0 ? place * spread[l] : 0.0, factor = exp_nonpositive(reach);
      double middle = means[points / 2 * rows + l];
      means[(points - 1 - p) * rows + l] = middle * factor;
      means[p * rows + l] = middle / factor;
    }
  }
  for (size_t i = 1; i < merging->overdispersions; i++)
    for (size_t p = 0; p < points; p++)
      for (size_t l = 0; l < lanes; l++) means[(i * points + p) * rows + l] = means[p * rows + l];
}

ISOMIX_CLONES
void isomix_merge_count_terms(const isomix_count_merging *merging, const double *restrict centers,
                              const double *restrict deviations, const double *restrict expectations, size_t rows,
                              double *restrict scratch, double *restrict means, double *restrict shares,
                              double *restrict is_merged) {
  for (size_t start = 0; start < rows; start += LANES) {
    size_t lanes = rows - start < LANES ? rows - start : LANES;
    if (lanes == LANES) {
      merge_count_terms(merging, centers + start, deviations + start, expectations + start, rows, LANES, scratch,
                        means + start, shares + start, is_merged + start);
    } else {
      merge_count_terms(merging, centers + start, deviations + start, expectations + start, rows, lanes, scratch,
                        means + start, shares + start, is_merged + start);
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
    double largest[LANES] = {0}, sum[LANES] = {0}, wanted[LANES];
    size_t open = 0, next[LANES];
    for (size_t m = 0; m < terms; m++) {
      double alpha = overdispersions[m] > 1e-12 ? overdispersions[m] : 0.0, power = alpha > 0.0 ? 1.0 / alpha : 0.0;
      double own[LANES], share[LANES];
      for (size_t l = 0; l < LANES; l++) {
        own[l] = means[m * rows + start + (l < lanes ? l : 0)];
        share[l] = shares[m * rows + start + (l < lanes ? l : 0)];
      }
      for (size_t l = 0; l < LANES; l++) {
        double mean = own[l], product = alpha * mean;
        largest[l] = mean <= largest[l] ? largest[l] : mean;
        // P(0) = (1 + α μ)^(-1/α), and p(k + 1) / p(k) = (1 + k α) μ / ((1 + α μ)(k + 1)).
        double whole = 1.0 + product, inverse = 1.0 / whole;
        double log_none = alpha > 0.0 ? power * (log_normal(whole) + (product - (whole - 1.0)) * inverse) : mean;
        masses[m * LANES + l] = share[l] * exp_nonpositive(-log_none);
        factors[m * LANES + l] = mean * inverse;
      }
    }
    for (size_t l = 0; l < LANES; l++) {
      next[l] = l < lanes && largest[l] <= LARGEST_MEAN ? 0 : count;
      wanted[l] = next[l] < count ? probabilities[0] : __builtin_inf();
      for (size_t q = 0; l < lanes && q < count; q++) output[q * rows + start + l] = -1.0;
      open += next[l] < count;
    }
    for (size_t step = 0; step < MOST_COUNTS && open > 0; step++) {
      double k = (double)step, inverse = 1.0 / (k + 1.0), reached[LANES];
      for (size_t m = 0; m < terms; m++) {
        double growth = (1.0 + k * overdispersions[m]) * inverse;
        double *restrict mass = masses + m * LANES, *restrict factor = factors + m * LANES;
        for (int l = 0; l < LANES; l++) {
          sum[l] += mass[l];
          mass[l] *= growth * factor[l];
        }
      }
      for (int l = 0; l < LANES; l++) reached[l] = sum[l] >= wanted[l] ? 1.0 : 0.0;
      if (sum_of_lanes(reached) == 0.0) continue;
      for (size_t l = 0; l < lanes; l++) {
        if (!(sum[l] >= wanted[l])) continue;
        while (next[l] < count && sum[l] >= probabilities[next[l]]) output[next[l]++ * rows + start + l] = k;
        wanted[l] = next[l] < count ? probabilities[next[l]] : __builtin_inf();
        open -= next[l] >= count;
      }
    }
  }
}

#define ORDER ISOMIX_EXPANSION_ORDER
// The polynomials are nearly straight where they are solved: Newton's error is squared in every step.
#define POLYNOMIAL_STEPS 6

// For LANES rows: the moments E (m - η)^i of each term about the rows' own mean, to [terms][ORDER][LANES] for i from 1.
ISOMIX_INLINE void predictor_moments(const double *restrict centers, const double *restrict deviations,
                                     const double *restrict shares, size_t terms, size_t stride, double unit,
                                     double *restrict moments, double *restrict mean) {
  for (int l = 0; l < LANES; l++) mean[l] = 0.0;
  for (size_t m = 0; m < terms; m++)
    for (int l = 0; l < LANES; l++) mean[l] += shares[m] * centers[m * stride + l];
  double inverse = 1.0 / unit;
  for (size_t m = 0; m < terms; m++) {
    double *restrict own = moments + m * ORDER * LANES;
    double offset[LANES], square[LANES];
    for (int l = 0; l < LANES; l++) {
      double deviation = deviations[m * stride + l] * inverse;
      offset[l] = (mean[l] - centers[m * stride + l]) * inverse;
      square[l] = deviation * deviation;
      own[l] = offset[l];
      own[LANES + l] = offset[l] * offset[l] + square[l];
    }
    for (int i = 2; i < ORDER; i++)
      for (int l = 0; l < LANES; l++)
        own[i * LANES + l] =
          offset[l] * own[(i - 1) * LANES + l] + (double)i * square[l] * own[(i - 2) * LANES + l];
  }
}

// Coefficients of the distribution function less the probability as a polynomial in what is added to the start.
ISOMIX_INLINE void distribution_polynomial(const double *restrict moments, size_t terms,
                                           const double *restrict coefficients, const double *restrict base,
                                           double *restrict polynomial) {
  for (int j = 0; j <= ORDER; j++)
    for (int l = 0; l < LANES; l++) polynomial[j * LANES + l] = base[j];
  for (size_t m = 0; m < terms; m++) {
    const double *restrict own = moments + m * ORDER * LANES;
    const double *restrict next = coefficients + m * ISOMIX_EXPANSION_COEFFICIENTS;
    for (int j = 0; j < ORDER; j++) {
      double sum[LANES];
      for (int l = 0; l < LANES; l++) sum[l] = polynomial[j * LANES + l];
      for (int i = 0; i < ORDER - j; i++)
        for (int l = 0; l < LANES; l++) sum[l] += next[i] * own[i * LANES + l];
      for (int l = 0; l < LANES; l++) polynomial[j * LANES + l] = sum[l];
      next += ORDER - j;
    }
  }
}

ISOMIX_CLONES
void isomix_expanded_quantiles(const double *restrict centers, const double *restrict deviations,
                               const double *restrict shares, size_t terms, size_t rows, double unit,
                               const double *restrict coefficients, const double *restrict bases,
                               const double *restrict starts, size_t count, double *restrict scratch,
                               double *restrict output) {
  double *restrict moments = scratch;
  for (size_t start = 0; start < rows; start += LANES) {
    size_t lanes = rows - start < LANES ? rows - start : LANES;
    double mean[LANES];
    const double *restrict own_centers = centers + start, *restrict own_deviations = deviations + start;
    size_t stride = rows;
    if (lanes < LANES) {
      double *restrict copied = scratch + terms * ORDER * LANES;
      for (size_t m = 0; m < terms; m++)
        for (size_t l = 0; l < LANES; l++) {
          size_t place = m * rows + start + (l < lanes ? l : 0);
          copied[m * LANES + l] = centers[place];
          copied[(terms + m) * LANES + l] = deviations[place];
        }
      own_centers = copied;
      own_deviations = copied + terms * LANES;
      stride = LANES;
    }
    predictor_moments(own_centers, own_deviations, shares, terms, stride, unit, moments, mean);
    for (size_t q = 0; q < count; q++) {
      double polynomial[(ORDER + 1) * LANES], h[LANES] = {0};
      distribution_polynomial(moments, terms, coefficients + q * terms * ISOMIX_EXPANSION_COEFFICIENTS,
                              bases + q * (ORDER + 1), polynomial);
      for (int step = 0; step < POLYNOMIAL_STEPS; step++) {
        double value[LANES], slope[LANES];
        for (int l = 0; l < LANES; l++) {
          value[l] = polynomial[ORDER * LANES + l];
          slope[l] = 0.0;
        }
        for (int j = ORDER - 1; j >= 0; j--)
          for (int l = 0; l < LANES; l++) {
            slope[l] = slope[l] * h[l] + value[l];
            value[l] = value[l] * h[l] + polynomial[j * LANES + l];
          }
        for (int l = 0; l < LANES; l++) h[l] -= value[l] / slope[l];
      }
      for (size_t l = 0; l < lanes; l++) output[q * rows + start + l] = mean[l] + starts[q] + unit * h[l];
    }
  }
}

// An even number of terms, the last of which tells the error.
#define DENSITY_ORDER 12

ISOMIX_CLONES
void isomix_spread_student_log_likelihood(const double *restrict centers, const double *restrict deviations,
                                          const double *restrict responses, const double *restrict scales,
                                          const double *restrict log_factors, double degrees, size_t terms,
                                          size_t rows, double *restrict logs, double *restrict errors) {
  for (size_t j = 0; j < rows; j++) errors[j] = 0.0;
  for (size_t m = 0; m < terms; m++) {
    double inverse = 1.0 / scales[m], factor = log_factors[m];
    for (size_t j = 0; j < rows; j++) {
      double x = (responses[j] - centers[m * rows + j]) * inverse, r = deviations[m * rows + j] * inverse;
      double u = x * x / degrees, square = r * r, pole = 1.0 / (degrees + x * x);
      // Taylor coefficients b_k r^k of the density over its value: (ν + x²)(k + 1) b_(k+1) =
      // -(2k + ν + 1) x b_k - (k + ν) b_(k-1).
      double before = 1.0, last = -(degrees + 1.0) * x * pole * r, sum = 1.0, term = 0.0, moment = 1.0;
      for (int k = 1; k < DENSITY_ORDER; k++) {
        double next = -((2.0 * k + degrees + 1.0) * x * r * last + (k + degrees) * square * before) * pole
          * (1.0 / (k + 1.0));
        before = last;
        last = next;
        if (k % 2 == 1) {
          // E z^(k+1) = k!!
          moment *= (double)k;
          term = moment * next;
          sum += term;
        }
      }
      double left = __builtin_fabs(term);
      // Not a number, too, is an error.
      double usable = left < 0.5 && sum > 0.1 ? sum : 1.0, error = left < 0.5 && sum > 0.1 ? left : 1.0;
      errors[j] = error > errors[j] ? error : errors[j];
      logs[m * rows + j] = factor - 0.5 * (degrees + 1.0) * log_one_plus(u) + log_normal(usable);
    }
  }
}

// Softmax of normal vectors.

#define MOST_CLASSES ISOMIX_MOST_CLASSES
#define MOST_NODES 4096
// A class competes with the most probable one if its logit comes within NEGLIGIBLE of that one's at REACH deviations:
// else its probability is below e^-NEGLIGIBLE + P(z > REACH), some 1e-6.
#define REACH 5.0
#define NEGLIGIBLE 14.0
// Variances of logits below this change probabilities by less than 1e-6.
#define SMALLEST_VARIANCE 1e-5
// Nodes with smaller weights are passed over.
#define SMALLEST_WEIGHT 1e-9
#define LARGEST_LOGIT 650.0

typedef struct {
  size_t top, axes;
  // Logits of the classes over that of the likeliest, and what they change along each of some standard normal variables.
  double logits[MOST_CLASSES], loadings[MOST_CLASSES][MOST_CLASSES], widths[MOST_CLASSES];
  // For each of the variables the class that it was made for.
  size_t pivots[MOST_CLASSES];
  // Variances of the logits, and what is left of them beside the variables; classes without either are taken by a bound.
  double variances[MOST_CLASSES], rest[MOST_CLASSES];
  int competes[MOST_CLASSES], follows[MOST_CLASSES];
} logit_law;

// Covariances of differences of logits from that of class 0, pairs in order.
ISOMIX_INLINE double pair_covariance(const double *restrict covariances, size_t rows, size_t a, size_t b) {
  if (a == 0 || b == 0) return 0.0;
  size_t high = a > b ? a : b, low = a > b ? b : a;
  return covariances[((high - 1) * high / 2 + low - 1) * rows];
}

// Components whose logits have covariances in proportion are taken together, as many as this: over the variables of their
// average law the density is that of their mixture, at equally spaced nodes.
#define MOST_MERGED 8
#define MERGED_NODES 64
// Their variances along a variable are within these bounds, in that of the mixture, and their means no farther away, in its
// deviations.
#define LEAST_RATIO 0.64
#define LARGEST_RATIO 1.2
#define LARGEST_OFFSET 1.0
// What logits of a class that competes may differ by beside the variables.
#define SMALLEST_REST 1e-3

typedef struct {
  size_t count, classes, stride;
  // Of all together; their own shares of it, and variances, and factors and exponents of their densities.
  double share, variance;
  double shares[MOST_MERGED], ratios[MOST_MERGED], factors[MOST_MERGED], precisions[MOST_MERGED];
} component_group;

ISOMIX_INLINE component_group make_group(const double *restrict shares, const double *restrict variances, size_t count,
                                         size_t classes, size_t stride) {
  component_group group = {.count = count, .classes = classes, .stride = stride};
  for (size_t i = 0; i < count; i++) group.share += shares[i];
  for (size_t i = 0; i < count; i++) {
    group.shares[i] = shares[i] / group.share;
    group.variance += group.shares[i] * variances[i];
  }
  for (size_t i = 0; i < count; i++) {
    group.ratios[i] = variances[i] / group.variance;
    group.factors[i] = group.shares[i] / square_root(group.ratios[i]);
    group.precisions[i] = 1.0 / group.ratios[i];
  }
  return group;
}

// The mean of a class's logit over that of class 0.
ISOMIX_INLINE double group_center(const component_group *restrict group, const double *restrict centers, size_t i,
                                  size_t c) {
  return c == 0 ? 0.0 : centers[(i * (group->classes - 1) + c - 1) * group->stride];
}

// The average law of some components, by a pivoted Cholesky factor of the classes that compete in any of them.
ISOMIX_INLINE void make_logit_law(const component_group *restrict group, const double *restrict centers,
                                  const double *restrict covariances, size_t rows, size_t classes,
                                  logit_law *restrict law) {
  double means[MOST_CLASSES], *restrict variances = law->variances, *restrict rest = law->rest;
  int *restrict competes = law->competes, *restrict follows = law->follows;
  double variance = group->variance;
  size_t top = 0;
  means[0] = 0.0;
  for (size_t c = 1; c < classes; c++) {
    means[c] = 0.0;
    for (size_t i = 0; i < group->count; i++) means[c] += group->shares[i] * group_center(group, centers, i, c);
    top = means[c] > means[top] ? c : top;
  }
  double highest = means[top], own = pair_covariance(covariances, rows, top, top);
  for (size_t c = 0; c < classes; c++) {
    double v = variance * (pair_covariance(covariances, rows, c, c)
      - 2.0 * pair_covariance(covariances, rows, c, top) + own);
    v = c != top && v > 0.0 ? v : 0.0;
    means[c] -= highest;
    variances[c] = rest[c] = v;
    competes[c] = 0;
    // The others' E e^logit is exact where its mass is at negative logits; else it bounds nothing.
    follows[c] = c != top;
    for (size_t i = 0; i < group->count && c != top; i++) {
      double mean = group_center(group, centers, i, c) - group_center(group, centers, i, top);
      double missing = -NEGLIGIBLE - mean, square = v * group->ratios[i];
      competes[c] |= missing <= 0.0 || missing * missing <= REACH * REACH * square;
      follows[c] &= square < -mean;
    }
    follows[c] |= competes[c];
  }
  size_t axes = 0;
  for (; axes < classes - 1; axes++) {
    size_t pivot = top;
    double largest = SMALLEST_VARIANCE;
    for (size_t c = 0; c < classes; c++) {
      if (!competes[c] || !(rest[c] > largest)) continue;
      largest = rest[c];
      pivot = c;
    }
    if (pivot == top) break;
    double length = square_root(rest[pivot]), low = 0.0, high = 0.0;
    for (size_t c = 0; c < classes; c++) {
      double loading = 0.0;
      if (follows[c]) {
        double product = variance * (pair_covariance(covariances, rows, c, pivot)
          - pair_covariance(covariances, rows, c, top) - pair_covariance(covariances, rows, pivot, top) + own);
        for (size_t b = 0; b < axes; b++) product -= law->loadings[b][c] * law->loadings[b][pivot];
        loading = c == pivot ? length : product / length;
        rest[c] -= loading * loading;
        rest[c] = c == pivot || !(rest[c] > 0.0) ? 0.0 : rest[c];
        low = competes[c] && loading < low ? loading : low;
        high = competes[c] && loading > high ? loading : high;
      }
      law->loadings[axes][c] = loading;
    }
    law->widths[axes] = high - low;
    law->pivots[axes] = pivot;
  }
  for (size_t c = 0; c < classes; c++) {
    double logit = means[c];
    if (c != top && !competes[c]) {
      // Chernoff's bound of P(logit > 0) where the mass of E e^logit is at positive ones.
      logit = follows[c] ? logit + 0.5 * rest[c] : -0.5 * logit * logit / variances[c];
    }
    law->logits[c] = logit;
  }
  law->top = top;
  law->axes = axes;
}

// Adds share × E softmax to sums [classes]; 0 when that takes too many nodes.
ISOMIX_INLINE int add_softmax_average(const logit_law *restrict law, size_t classes, const isomix_normal_rules *rules,
                                      double share, double *restrict sums) {
  size_t top = law->top, axes = law->axes, others = classes - 1;
  double exponentials[MOST_CLASSES][LANES], shares[MOST_CLASSES][LANES], base[MOST_CLASSES];
  double first[MOST_CLASSES], second[MOST_CLASSES];
  size_t classes_of[MOST_CLASSES];
  for (size_t k = 0; k < others; k++) classes_of[k] = k < top ? k : k + 1;
  if (axes == 0) {
    double sum = 1.0;
    for (size_t k = 0; k < others; k++) {
      double logit = law->logits[classes_of[k]];
      base[k] = exp_any(logit < -LARGEST_LOGIT ? -LARGEST_LOGIT : logit);
      sum += base[k];
    }
    double inverse = share / sum;
    for (size_t k = 0; k < others; k++) sums[classes_of[k]] += base[k] * inverse;
    sums[top] += inverse;
    return 1;
  }
  // Nodes in lanes: of the first variable, or of the first two.
  int is_pair = axes >= 2 && law->widths[0] <= rules->pair_limits[0] && law->widths[1] <= rules->pair_limits[1];
  size_t done = is_pair ? 2 : 1, offsets[MOST_CLASSES], counts[MOST_CLASSES], places[MOST_CLASSES], total = LANES;
  for (size_t b = is_pair ? 2 : 0; b < axes; b++) {
    size_t rule = b == 0 ? rules->first_of_lanes : 0, end = b == 0 ? rules->rules : rules->first_of_lanes, offset = 0;
    for (size_t r = 0; r < rule; r++) offset += rules->counts[r];
    for (; rule < end && law->widths[b] > rules->limits[rule]; rule++) offset += rules->counts[rule];
    if (rule == end) return 0;
    offsets[b] = offset;
    counts[b] = rules->counts[rule];
    places[b] = 0;
    total = b == 0 ? counts[b] : total * counts[b];
    if (total > MOST_NODES) return 0;
  }
  size_t nodes = is_pair ? LANES : counts[0];
  const double *restrict z = is_pair ? rules->pair_places : rules->places + offsets[0];
  const double *restrict other_z = is_pair ? rules->pair_places + LANES : z;
  const double *restrict weights = is_pair ? rules->pair_weights : rules->weights + offsets[0];
  for (size_t k = 0; k < classes; k++)
    for (int l = 0; l < LANES; l++) shares[k][l] = 0.0;
  for (size_t k = 0; k < others; k++) {
    first[k] = law->loadings[0][classes_of[k]];
    second[k] = is_pair ? law->loadings[1][classes_of[k]] : 0.0;
  }
  for (;;) {
    double weight = share;
    for (size_t k = 0; k < others; k++) base[k] = law->logits[classes_of[k]];
    for (size_t b = done; b < axes; b++) {
      double place = rules->places[offsets[b] + places[b]];
      weight *= rules->weights[offsets[b] + places[b]];
      for (size_t k = 0; k < others; k++) base[k] += law->loadings[b][classes_of[k]] * place;
    }
    for (size_t node = 0; weight > SMALLEST_WEIGHT * share && node < nodes; node += LANES) {
      double sum[LANES];
      for (int l = 0; l < LANES; l++) sum[l] = 1.0;
      for (size_t k = 0; k < others; k++)
        for (int l = 0; l < LANES; l++) {
          double logit = base[k] + first[k] * z[node + l] + second[k] * other_z[node + l];
          logit = logit > LARGEST_LOGIT ? LARGEST_LOGIT : logit;
          double e = exp_normal(logit < -LARGEST_LOGIT ? -LARGEST_LOGIT : logit);
          exponentials[k][l] = e;
          sum[l] += e;
        }
      for (int l = 0; l < LANES; l++) {
        sum[l] = weight * weights[node + l] / sum[l];
        shares[others][l] += sum[l];
      }
      for (size_t k = 0; k < others; k++)
        for (int l = 0; l < LANES; l++) shares[k][l] += exponentials[k][l] * sum[l];
    }
    size_t b = done;
    for (; b < axes && ++places[b] == counts[b]; b++) places[b] = 0;
    if (b == axes) break;
  }
  for (size_t k = 0; k < others; k++) sums[classes_of[k]] += sum_of_lanes(shares[k]);
  sums[top] += sum_of_lanes(shares[others]);
  return 1;
}

// The first rule that serves a width, and its place; 0 when there is none.
ISOMIX_INLINE int find_rule(const isomix_normal_rules *rules, size_t first, size_t end, double width, size_t *count,
                            size_t *offset) {
  size_t place = 0, rule = 0;
  for (; rule < first; rule++) place += rules->counts[rule];
  for (; rule < end && width > rules->limits[rule]; rule++) place += rules->counts[rule];
  if (rule == end) return 0;
  *count = rules->counts[rule];
  *offset = place;
  return 1;
}

// e^x for -708 ≤ x ≤ 709 to 5e-9 of it: enough under integrals that are right to 1e-6.
ISOMIX_INLINE double exp_rough(double x) {
  double shifted = x * LOG2_E + ROUNDER;
  double n = shifted - ROUNDER;
  double r = x - n * (LN2_HIGH + LN2_LOW), square = r * r;
  double low = 1.0 + r + square * (0.5 + r * (1.0 / 6.0));
  double high = 1.0 / 24.0 + r * (1.0 / 120.0) + square * (1.0 / 720.0 + r * (1.0 / 5040.0));
  uint64_t scale = (bits_of_double(shifted) << 52) + (1023ull << 52);
  return (low + square * square * high) * double_of_bits(scale);
}

// Adds share × E softmax of all the components to sums [classes]; 0 when they are better taken alone.
ISOMIX_INLINE int add_merged_average(const logit_law *restrict law, const component_group *restrict group,
                                     const double *restrict centers, size_t classes,
                                     const isomix_normal_rules *rules, double *restrict sums) {
  size_t top = law->top, axes = law->axes, others = classes - 1, count = group->count;
  size_t classes_of[MOST_CLASSES];
  for (size_t k = 0; k < others; k++) classes_of[k] = k < top ? k : k + 1;
  if (axes > 2) return 0;
  double offsets[2][MOST_MERGED], scales[2] = {1.0, 1.0};
  for (size_t b = 0; b < axes; b++) {
    size_t pivot = law->pivots[b];
    double square = 0.0, inverse = 1.0 / law->loadings[b][pivot];
    for (size_t i = 0; i < count; i++) {
      double offset =
        group_center(group, centers, i, pivot) - group_center(group, centers, i, top) - law->logits[pivot];
      if (b == 1) offset -= law->loadings[0][pivot] * offsets[0][i];
      offset *= inverse;
      offsets[b][i] = offset;
      square += group->shares[i] * (group->ratios[i] + offset * offset);
    }
    for (size_t i = 0; i < count; i++)
      if (group->ratios[i] < LEAST_RATIO * square || group->ratios[i] > LARGEST_RATIO * square
          || offsets[b][i] * offsets[b][i] > LARGEST_OFFSET * LARGEST_OFFSET * square)
        return 0;
    scales[b] = square_root(square);
  }
  // Logits of each component beside the variables: of classes that compete only where there is no variable.
  double powers[MOST_CLASSES * MOST_MERGED];
  for (size_t k = 0; k < others; k++) {
    size_t c = classes_of[k];
    for (size_t i = 0; i < count; i++) {
      double mean = group_center(group, centers, i, c) - group_center(group, centers, i, top), logit = mean;
      for (size_t b = 0; b < axes; b++) logit -= law->loadings[b][c] * offsets[b][i];
      if (law->competes[c]) {
        if (axes > 0 && __builtin_fabs(logit - law->logits[c]) > SMALLEST_REST) return 0;
      } else if (law->follows[c]) {
        logit += 0.5 * group->ratios[i] * law->rest[c];
      } else {
        logit = -0.5 * mean * mean * group->precisions[i] / law->variances[c];
      }
      powers[k * count + i] = logit;
    }
  }
  size_t numbers = others * count;
  for (size_t n = numbers; n % LANES != 0; n++) powers[n] = 0.0;
  for (size_t n = 0; n < numbers; n += LANES)
    for (int l = 0; l < LANES; l++) {
      double logit = powers[n + l] < LARGEST_LOGIT ? powers[n + l] : LARGEST_LOGIT;
      powers[n + l] = exp_normal(logit < -LARGEST_LOGIT ? -LARGEST_LOGIT : logit);
    }
  if (axes == 0) {
    for (size_t i = 0; i < count; i++) {
      double sum = 1.0;
      for (size_t k = 0; k < others; k++) sum += powers[k * count + i];
      double inverse = group->share * group->shares[i] / sum;
      for (size_t k = 0; k < others; k++) sums[classes_of[k]] += powers[k * count + i] * inverse;
      sums[top] += inverse;
    }
    return 1;
  }
  size_t counts[2] = {0, 1}, places[2] = {0, 0};
  if (!find_rule(rules, rules->first_of_lanes, rules->rules, law->widths[0] * scales[0], &counts[0], &places[0]))
    return 0;
  if (axes == 2) {
    double first = law->widths[0] * scales[0], second = law->widths[1] * scales[1];
    if (first <= rules->pair_limits[0] && second <= rules->pair_limits[1]) return 0;
    if (!find_rule(rules, rules->first_spaced, rules->first_of_lanes, second, &counts[1], &places[1])) return 0;
  }
  if (counts[0] > MERGED_NODES || counts[1] > MERGED_NODES) return 0;
  // Densities of the components at the nodes along each variable, and what the classes' powers change.
  double densities[2][MOST_MERGED][MERGED_NODES], changes[2][MOST_CLASSES][MERGED_NODES];
  for (size_t b = 0; b < axes; b++) {
    // Up to whole lanes: rules with more nodes follow, and what is computed beyond the own ones is not used.
    const double *restrict z = rules->places + places[b];
    size_t end = (counts[b] + LANES - 1) / LANES * LANES;
    for (size_t i = 0; i < count; i++) {
      double exponent = -0.5 * group->precisions[i], offset = offsets[b][i], scale = scales[b];
      // Products over the variables have all of their densities' factors.
      double factor = b == 0 ? group->factors[i] : group->factors[i] / group->shares[i];
      for (size_t n = 0; n < end; n += LANES)
        for (int l = 0; l < LANES; l++) {
          double distance = scale * z[n + l] - offset;
          double e = exponent * distance * distance;
          densities[b][i][n + l] = factor * exp_rough(e < -LARGEST_LOGIT ? -LARGEST_LOGIT : e);
        }
    }
    for (size_t k = 0; k < others; k++) {
      size_t c = classes_of[k];
      double loading = law->loadings[b][c] * scales[b], base = b == axes - 1 && law->competes[c] ? law->logits[c] : 0.0;
      for (size_t n = 0; n < end; n += LANES)
        for (int l = 0; l < LANES; l++) {
          double logit = base + loading * z[n + l];
          logit = logit < LARGEST_LOGIT / 2 ? logit : LARGEST_LOGIT / 2;
          changes[b][k][n + l] = exp_rough(logit < -LARGEST_LOGIT / 2 ? -LARGEST_LOGIT / 2 : logit);
        }
    }
  }
  double shares[MOST_CLASSES][LANES];
  for (size_t k = 0; k < classes; k++)
    for (int l = 0; l < LANES; l++) shares[k][l] = 0.0;
  for (size_t j = 0; j < counts[1]; j++) {
    double weights[MOST_MERGED], change[MOST_CLASSES];
    for (size_t i = 0; i < count; i++) weights[i] = axes == 2 ? densities[1][i][j] : 1.0;
    for (size_t k = 0; k < others; k++) change[k] = axes == 2 ? changes[1][k][j] : 1.0;
    for (size_t n = 0; n < counts[0]; n += LANES) {
      double sum[LANES], density[LANES], inverse[LANES];
      for (int l = 0; l < LANES; l++) {
        sum[l] = 1.0;
        density[l] = 0.0;
      }
      for (size_t i = 0; i < count; i++)
        for (int l = 0; l < LANES; l++) density[l] += weights[i] * densities[0][i][n + l];
      for (size_t k = 0; k < others; k++) {
        if (!law->competes[classes_of[k]]) continue;
        for (int l = 0; l < LANES; l++) sum[l] += change[k] * changes[0][k][n + l];
      }
      for (int l = 0; l < LANES; l++) {
        inverse[l] = 1.0 / sum[l];
        density[l] *= inverse[l];
        shares[others][l] += density[l];
      }
      for (size_t k = 0; k < others; k++) {
        if (law->competes[classes_of[k]]) {
          for (int l = 0; l < LANES; l++) shares[k][l] += change[k] * changes[0][k][n + l] * density[l];
          continue;
        }
        double own[LANES] = {0};
        for (size_t i = 0; i < count; i++)
          for (int l = 0; l < LANES; l++) own[l] += weights[i] * powers[k * count + i] * densities[0][i][n + l];
        for (int l = 0; l < LANES; l++) shares[k][l] += change[k] * changes[0][k][n + l] * own[l] * inverse[l];
      }
    }
  }
  // The density's integral is the sum over the classes that compete, which the others don't take from.
  double results[MOST_CLASSES], whole = sum_of_lanes(shares[others]);
  results[others] = whole;
  for (size_t k = 0; k < others; k++) {
    results[k] = sum_of_lanes(shares[k]);
    whole += law->competes[classes_of[k]] ? results[k] : 0.0;
  }
  double factor = group->share / whole;
  for (size_t k = 0; k < others; k++) sums[classes_of[k]] += results[k] * factor;
  sums[top] += results[others] * factor;
  return 1;
}

// Adds the averages of some components; 0 when that takes too many nodes.
ISOMIX_INLINE int add_components(const component_group *restrict group, const double *restrict centers,
                                 const double *restrict covariances, size_t classes, size_t rows,
                                 const isomix_normal_rules *rules, logit_law *restrict law, double *restrict sums) {
  if (group->count > 1) {
    make_logit_law(group, centers, covariances, rows, classes, law);
    if (add_merged_average(law, group, centers, classes, rules, sums)) return 1;
  }
  for (size_t i = 0; i < group->count; i++) {
    double share = group->share * group->shares[i], variance = group->variance * group->ratios[i];
    component_group alone = {.count = 1, .classes = classes, .stride = rows, .share = share, .variance = variance,
                             .shares = {1.0}, .ratios = {1.0}, .factors = {1.0}, .precisions = {1.0}};
    make_logit_law(&alone, centers + i * (classes - 1) * rows, covariances, rows, classes, law);
    if (!add_softmax_average(law, classes, rules, share, sums)) return 0;
  }
  return 1;
}

ISOMIX_CLONES
void isomix_softmax_averages(const double *restrict centers, const double *restrict covariances,
                             const double *restrict variances, const double *restrict shares, size_t components,
                             size_t frames, size_t classes, size_t rows, const isomix_normal_rules *rules,
                             double *restrict probabilities) {
  size_t pairs = classes * (classes - 1) / 2, together = frames > 1 ? 1 : MOST_MERGED;
  logit_law law;
  // Marks of rows that take too many nodes stay.
  for (size_t j = 0; j < classes * rows; j++) probabilities[j] = 0.0;
  for (size_t i = 0; i < components; i += together) {
    size_t count = components - i < together ? components - i : together;
    component_group group = make_group(shares + i, variances + i, count, classes, rows);
    for (size_t j = 0; j < rows; j++) {
      double sums[MOST_CLASSES];
      for (size_t c = 0; c < classes; c++) sums[c] = probabilities[c * rows + j];
      if (sums[0] < 0.0) continue;
      const double *restrict own_centers = centers + i * (classes - 1) * rows + j;
      const double *restrict own_covariances = covariances + (frames > 1 ? i : 0) * pairs * rows + j;
      // Three classes are written out for the compiler to unroll.
      int is_done = classes == 3
        ? add_components(&group, own_centers, own_covariances, 3, rows, rules, &law, sums)
        : add_components(&group, own_centers, own_covariances, classes, rows, rules, &law, sums);
      for (size_t c = 0; c < classes; c++) probabilities[c * rows + j] = is_done ? sums[c] : -1.0;
    }
  }
  for (size_t j = 0; j < rows; j++) {
    double total = 0.0;
    for (size_t c = 0; c < classes; c++) total += probabilities[c * rows + j];
    for (size_t c = 0; c < classes && probabilities[j] >= 0.0; c++) probabilities[c * rows + j] /= total;
  }
}
