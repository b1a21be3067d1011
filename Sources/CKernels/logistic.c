#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "vector_math.h"
#include "vector_math_float.h"

// Terms 1 + e^-|z| ≤ 2 whose product one logarithm serves: 2^512 is far from overflow.
#define TERMS_PER_LOG 512
// A logit that, with response 0, adds nothing to value and gradient: it pads the last lanes of a row.
#define PADDING -1000.0

// log(1 + e^z) - y z = max(z, 0) - y z + log(1 + e^-|z|); its derivative is 1 / (1 + e^-z) - y.
ISOMIX_INLINE void logistic_lanes(double *restrict z, const double *restrict y,
                                  double *restrict product, double *restrict sum) {
  for (int l = 0; l < LANES; l++) {
    double logit = z[l];
    double e = exp_nonpositive(-__builtin_fabs(logit));
    double q = 1.0 + e;
    double numerator = logit >= 0.0 ? 1.0 : e;
    z[l] = numerator / q - y[l];
    sum[l] += (logit > 0.0 ? logit : 0.0) - y[l] * logit;
    product[l] *= q;
  }
}

// Residuals of one row of logits in place; the sum of the linear parts and the product of the others.
ISOMIX_INLINE void logistic_row(double *restrict z, const double *restrict y, size_t count,
                                double *restrict row_sum, double *restrict row_product) {
  double sum[LANES], product[LANES];
  for (int l = 0; l < LANES; l++) {
    sum[l] = 0.0;
    product[l] = 1.0;
  }
  size_t j = 0;
  for (; j + LANES <= count; j += LANES) logistic_lanes(z + j, y + j, product, sum);
  if (j < count) {
    double tail[LANES], tail_responses[LANES];
    for (size_t l = 0; l < LANES; l++) {
      tail[l] = j + l < count ? z[j + l] : PADDING;
      tail_responses[l] = j + l < count ? y[j + l] : 0.0;
    }
    logistic_lanes(tail, tail_responses, product, sum);
    for (size_t l = 0; j + l < count; l++) z[j + l] = tail[l];
  }
  *row_sum = sum_of_lanes(sum);
  *row_product = product_of_lanes(product);
}

#define CACHE_LINE 64

// What the next block of rows will read, asked for a little at a time while this one is computed: the
// residuals wait for arithmetic, the matrix product's packing would wait for memory.
typedef struct {
  const char *next;
  size_t lines, lines_per_row;
} prefetch_plan;

static prefetch_plan plan_prefetch(const void *upcoming, size_t bytes, size_t samples, size_t rows) {
  size_t calls = samples * ((rows + TERMS_PER_LOG - 1) / TERMS_PER_LOG);
  size_t lines = upcoming == NULL ? 0 : (bytes + CACHE_LINE - 1) / CACHE_LINE;
  prefetch_plan plan = {(const char *)upcoming, lines, calls == 0 ? 0 : (lines + calls - 1) / calls};
  return plan;
}

ISOMIX_INLINE void prefetch_some(prefetch_plan *plan) {
  for (size_t i = 0; i < plan->lines_per_row && plan->lines > 0; i++) {
    __builtin_prefetch(plan->next, 0, 2);
    plan->next += CACHE_LINE;
    plan->lines--;
  }
}

ISOMIX_CLONES
void isomix_logistic_residual(double *restrict logits, const double *restrict responses, size_t samples,
                              size_t rows, double *restrict value, const void *upcoming,
                              size_t upcoming_bytes) {
  prefetch_plan plan = plan_prefetch(upcoming, upcoming_bytes, samples, rows);
  for (size_t first = 0; first < samples; first += LANES) {
    size_t group = samples - first < LANES ? samples - first : LANES;
    for (size_t start = 0; start < rows; start += TERMS_PER_LOG) {
      size_t count = rows - start < TERMS_PER_LOG ? rows - start : TERMS_PER_LOG;
      double sums[LANES] = {0}, products[LANES];
      for (int l = 0; l < LANES; l++) products[l] = 1.0;
      for (size_t s = 0; s < group; s++) {
        prefetch_some(&plan);
        logistic_row(logits + (first + s) * rows + start, responses + start, count, sums + s, products + s);
      }
      for (int l = 0; l < LANES; l++) sums[l] += log_any(products[l]);
      for (size_t s = 0; s < group; s++) value[first + s] += sums[s];
    }
  }
}

#define FLOAT_LANES 32

ISOMIX_INLINE void logistic_lanes_float(float *restrict z, const float *restrict y,
                                        float *restrict product, float *restrict sum) {
  for (int l = 0; l < FLOAT_LANES; l++) {
    float logit = z[l];
    float exponent = -__builtin_fabsf(logit);
    float e = expf_normal(exponent < -87.0f ? -87.0f : exponent);
    float q = 1.0f + e;
    float numerator = logit >= 0.0f ? 1.0f : e;
    z[l] = numerator / q - y[l];
    sum[l] += (logit > 0.0f ? logit : 0.0f) - y[l] * logit;
    product[l] *= q;
  }
}

// Vectors whose terms are combined in single precision before they go into double sums.
#define VECTORS_PER_FOLD 4

ISOMIX_INLINE void logistic_row_float(float *restrict z, const float *restrict y, size_t count,
                                      double *restrict row_sum, double *restrict row_product) {
  double sum[LANES], product[LANES];
  for (int l = 0; l < LANES; l++) {
    sum[l] = 0.0;
    product[l] = 1.0;
  }
  size_t j = 0;
  while (j < count) {
    float partial_sum[FLOAT_LANES], partial_product[FLOAT_LANES];
    for (int l = 0; l < FLOAT_LANES; l++) {
      partial_sum[l] = 0.0f;
      partial_product[l] = 1.0f;
    }
    if (j + VECTORS_PER_FOLD * FLOAT_LANES <= count) {
      for (int v = 0; v < VECTORS_PER_FOLD; v++, j += FLOAT_LANES)
        logistic_lanes_float(z + j, y + j, partial_product, partial_sum);
    } else if (j + FLOAT_LANES <= count) {
      logistic_lanes_float(z + j, y + j, partial_product, partial_sum);
      j += FLOAT_LANES;
    } else {
      float tail[FLOAT_LANES], tail_responses[FLOAT_LANES];
      for (size_t l = 0; l < FLOAT_LANES; l++) {
        tail[l] = j + l < count ? z[j + l] : (float)PADDING;
        tail_responses[l] = j + l < count ? y[j + l] : 0.0f;
      }
      logistic_lanes_float(tail, tail_responses, partial_product, partial_sum);
      for (size_t l = 0; j + l < count; l++) z[j + l] = tail[l];
      j = count;
    }
    for (int l = 0; l < LANES; l++) {
      sum[l] += (double)partial_sum[l] + (double)partial_sum[l + LANES];
      product[l] *= (double)partial_product[l] * (double)partial_product[l + LANES];
    }
  }
  *row_sum = sum_of_lanes(sum);
  *row_product = product_of_lanes(product);
}

ISOMIX_CLONES
void isomix_logistic_residual_float(float *restrict logits, const float *restrict responses, size_t samples,
                                    size_t rows, double *restrict value, const void *upcoming,
                                    size_t upcoming_bytes) {
  prefetch_plan plan = plan_prefetch(upcoming, upcoming_bytes, samples, rows);
  for (size_t first = 0; first < samples; first += LANES) {
    size_t group = samples - first < LANES ? samples - first : LANES;
    for (size_t start = 0; start < rows; start += TERMS_PER_LOG) {
      size_t count = rows - start < TERMS_PER_LOG ? rows - start : TERMS_PER_LOG;
      double sums[LANES] = {0}, products[LANES];
      for (int l = 0; l < LANES; l++) products[l] = 1.0;
      for (size_t s = 0; s < group; s++) {
        prefetch_some(&plan);
        logistic_row_float(logits + (first + s) * rows + start, responses + start, count, sums + s,
                           products + s);
      }
      for (int l = 0; l < LANES; l++) sums[l] += log_any(products[l]);
      for (size_t s = 0; s < group; s++) value[first + s] += sums[s];
    }
  }
}
