#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "vector_math.h"

ISOMIX_CLONES
void isomix_add_biases(double *restrict matrix, const double *restrict bias, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++) {
    double *restrict row = matrix + i * columns;
    double b = bias[i];
    for (size_t j = 0; j < columns; j++) row[j] += b;
  }
}

ISOMIX_CLONES
void isomix_add_row_sums(const double *restrict matrix, size_t rows, size_t columns, double *restrict output) {
  for (size_t i = 0; i < rows; i++) {
    const double *restrict row = matrix + i * columns;
    double sum[LANES] = {0}, rest = 0.0;
    size_t j = 0;
    for (; j + LANES <= columns; j += LANES)
      for (int l = 0; l < LANES; l++) sum[l] += row[j + l];
    for (; j < columns; j++) rest += row[j];
    output[i] += sum_of_lanes(sum) + rest;
  }
}
