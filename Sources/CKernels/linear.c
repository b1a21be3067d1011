#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "vector_math.h"

ISOMIX_CLONES
void isomix_linear_residual(double *restrict predictions, const double *restrict responses, size_t samples,
                            size_t rows, double precision, double *restrict value) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z = predictions + s * rows;
    double sum[LANES] = {0}, rest = 0.0;
    size_t j = 0;
    for (; j + LANES <= rows; j += LANES)
      for (int l = 0; l < LANES; l++) {
        double error = z[j + l] - responses[j + l];
        sum[l] += error * error;
        z[j + l] = error * precision;
      }
    for (; j < rows; j++) {
      double error = z[j] - responses[j];
      rest += error * error;
      z[j] = error * precision;
    }
    value[s] += 0.5 * precision * (sum_of_lanes(sum) + rest);
  }
}
