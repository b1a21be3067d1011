#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "tanh_lane.h"
#include "vector_math.h"

ISOMIX_CLONES
void isomix_tanh_activate(double *restrict products, const double *restrict bias, size_t units, size_t rows) {
  for (size_t h = 0; h < units; h++) {
    double *restrict z = products + h * rows;
    double b = bias[h];
    for (size_t j = 0; j < rows; j++) z[j] = tanh_any(z[j] + b);
  }
}

ISOMIX_CLONES
void isomix_tanh_pull(const double *restrict activations, double *restrict derivatives, size_t units,
                      size_t rows, double *restrict bias_gradient) {
  for (size_t h = 0; h < units; h++) {
    const double *restrict a = activations + h * rows;
    double *restrict d = derivatives + h * rows;
    double sum[LANES] = {0}, rest = 0.0;
    size_t j = 0;
    for (; j + LANES <= rows; j += LANES)
      for (int l = 0; l < LANES; l++) {
        double pull = d[j + l] * (1.0 - a[j + l] * a[j + l]);
        sum[l] += pull;
        d[j + l] = pull;
      }
    for (; j < rows; j++) {
      double pull = d[j] * (1.0 - a[j] * a[j]);
      rest += pull;
      d[j] = pull;
    }
    bias_gradient[h] += sum_of_lanes(sum) + rest;
  }
}

ISOMIX_CLONES
void isomix_tanh_forward(double *restrict products, const double *restrict biases_and_output, size_t units,
                         size_t rows, double *restrict predictions) {
  const double *restrict bias = biases_and_output;
  const double *restrict weight = bias + units;
  for (size_t j = 0; j < rows; j++) predictions[j] = weight[units];
  for (size_t h = 0; h < units; h++) {
    double *restrict z = products + h * rows;
    double b = bias[h], w = weight[h];
    for (size_t j = 0; j < rows; j++) {
      double activation = tanh_any(z[j] + b);
      z[j] = activation;
      predictions[j] += w * activation;
    }
  }
}

ISOMIX_CLONES
void isomix_tanh_backward(double *restrict activations, const double *restrict biases_and_output,
                          const double *restrict residuals, size_t units, size_t rows,
                          double *restrict gradient) {
  const double *restrict weight = biases_and_output + units;
  for (size_t h = 0; h < units; h++) {
    double *restrict a = activations + h * rows;
    double w = weight[h];
    double bias_sum[LANES] = {0}, weight_sum[LANES] = {0}, bias_rest = 0.0, weight_rest = 0.0;
    size_t j = 0;
    for (; j + LANES <= rows; j += LANES)
      for (int l = 0; l < LANES; l++) {
        double activation = a[j + l];
        double pull = residuals[j + l] * (1.0 - activation * activation);
        bias_sum[l] += pull;
        weight_sum[l] += residuals[j + l] * activation;
        a[j + l] = w * pull;
      }
    for (; j < rows; j++) {
      double activation = a[j];
      double pull = residuals[j] * (1.0 - activation * activation);
      bias_rest += pull;
      weight_rest += residuals[j] * activation;
      a[j] = w * pull;
    }
    gradient[h] += w * (sum_of_lanes(bias_sum) + bias_rest);
    gradient[units + h] += sum_of_lanes(weight_sum) + weight_rest;
  }
  isomix_add_row_sums(residuals, 1, rows, gradient + 2 * units);
}
