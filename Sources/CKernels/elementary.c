#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "tanh_lane.h"
#include "vector_math.h"

ISOMIX_CLONES
void isomix_exp(const double *input, double *output, size_t count) {
  for (size_t i = 0; i < count; i++) output[i] = exp_any(input[i]);
}

ISOMIX_CLONES
void isomix_log(const double *input, double *output, size_t count) {
  for (size_t i = 0; i < count; i++) output[i] = log_any(input[i]);
}

ISOMIX_CLONES
void isomix_tanh(const double *input, double *output, size_t count) {
  for (size_t i = 0; i < count; i++) output[i] = tanh_any(input[i]);
}

ISOMIX_CLONES
double isomix_sum_of_squares(const double *restrict values, size_t count) {
  double sum[LANES] = {0}, rest = 0.0;
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int l = 0; l < LANES; l++) sum[l] += values[i + l] * values[i + l];
  for (; i < count; i++) rest += values[i] * values[i];
  return sum_of_lanes(sum) + rest;
}

ISOMIX_CLONES
void isomix_add_scaled(double factor, const double *restrict values, size_t count, double *restrict output) {
  for (size_t i = 0; i < count; i++) output[i] += factor * values[i];
}

ISOMIX_CLONES
void isomix_add_floats(const float *restrict values, size_t count, double *restrict output) {
  for (size_t i = 0; i < count; i++) output[i] += (double)values[i];
}

ISOMIX_CLONES
void isomix_to_floats(const double *restrict values, size_t count, float *restrict output) {
  for (size_t i = 0; i < count; i++) output[i] = (float)values[i];
}

ISOMIX_CLONES
void isomix_to_doubles(const float *restrict values, size_t count, double *restrict output) {
  for (size_t i = 0; i < count; i++) output[i] = (double)values[i];
}

// Column by column, so that lanes are columns; -infinity in a whole column gives -infinity.
ISOMIX_CLONES
void isomix_column_log_mean_exp(const double *restrict matrix, size_t rows, size_t columns,
                                double *restrict output) {
  for (size_t start = 0; start < columns; start += LANES) {
    size_t count = columns - start < LANES ? columns - start : LANES;
    double maximum[LANES], sum[LANES] = {0};
    for (size_t l = 0; l < LANES; l++) maximum[l] = -__builtin_inf();
    for (size_t r = 0; r < rows; r++) {
      const double *restrict row = matrix + r * columns + start;
      for (size_t l = 0; l < count; l++) maximum[l] = row[l] > maximum[l] ? row[l] : maximum[l];
    }
    for (size_t r = 0; r < rows; r++) {
      const double *restrict row = matrix + r * columns + start;
      double term[LANES];
      for (size_t l = 0; l < LANES; l++) term[l] = l < count ? row[l] - maximum[l] : 0.0;
      for (size_t l = 0; l < LANES; l++) sum[l] += exp_any(term[l]);
    }
    for (size_t l = 0; l < count; l++) {
      double value = maximum[l] + log_any(sum[l] / (double)rows);
      output[start + l] = maximum[l] == -__builtin_inf() ? maximum[l] : value;
    }
  }
}
