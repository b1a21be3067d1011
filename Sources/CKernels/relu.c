#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "vector_math.h"

ISOMIX_CLONES
void isomix_relu_activate(double *restrict products, const double *restrict bias, size_t units, size_t rows) {
  for (size_t h = 0; h < units; h++) {
    double *restrict z = products + h * rows;
    double b = bias[h];
    for (size_t j = 0; j < rows; j++) {
      double input = z[j] + b;
      // This way round, so that NaN passes.
      z[j] = input < 0.0 ? 0.0 : input;
    }
  }
}

ISOMIX_CLONES
void isomix_relu_pull(const double *restrict activations, double *restrict derivatives, size_t units,
                      size_t rows, double *restrict bias_gradient) {
  for (size_t h = 0; h < units; h++) {
    const double *restrict a = activations + h * rows;
    double *restrict d = derivatives + h * rows;
    double sum[LANES] = {0}, rest = 0.0;
    size_t j = 0;
    for (; j + LANES <= rows; j += LANES)
      for (int l = 0; l < LANES; l++) {
        double pull = a[j + l] <= 0.0 ? 0.0 : d[j + l];
        sum[l] += pull;
        d[j + l] = pull;
      }
    for (; j < rows; j++) {
      double pull = a[j] <= 0.0 ? 0.0 : d[j];
      rest += pull;
      d[j] = pull;
    }
    bias_gradient[h] += sum_of_lanes(sum) + rest;
  }
}

ISOMIX_CLONES
void isomix_relu_forward(const double *restrict products, const double *restrict biases_and_output, size_t units,
                         size_t rows, double *restrict predictions) {
  const double *restrict bias = biases_and_output;
  const double *restrict weight = bias + units;
  for (size_t j = 0; j < rows; j++) predictions[j] = weight[units];
  for (size_t h = 0; h < units; h++) {
    const double *restrict z = products + h * rows;
    double b = bias[h], w = weight[h];
    for (size_t j = 0; j < rows; j++) {
      double input = z[j] + b;
      // This way round, so that NaN passes.
      predictions[j] += w * (input < 0.0 ? 0.0 : input);
    }
  }
}

ISOMIX_CLONES
void isomix_relu_backward(double *restrict products, const double *restrict biases_and_output,
                          const double *restrict residuals, size_t units, size_t rows, double *restrict gradient) {
  const double *restrict bias = biases_and_output;
  const double *restrict weight = bias + units;
  for (size_t h = 0; h < units; h++) {
    double *restrict z = products + h * rows;
    double b = bias[h], w = weight[h];
    double bias_sum[LANES] = {0}, weight_sum[LANES] = {0}, bias_rest = 0.0, weight_rest = 0.0;
    size_t j = 0;
    for (; j + LANES <= rows; j += LANES)
      for (int l = 0; l < LANES; l++) {
        double input = z[j + l] + b;
        double pull = input <= 0.0 ? 0.0 : residuals[j + l];
        bias_sum[l] += pull;
        weight_sum[l] += pull * input;
        z[j + l] = w * pull;
      }
    for (; j < rows; j++) {
      double input = z[j] + b;
      double pull = input <= 0.0 ? 0.0 : residuals[j];
      bias_rest += pull;
      weight_rest += pull * input;
      z[j] = w * pull;
    }
    gradient[h] += w * (sum_of_lanes(bias_sum) + bias_rest);
    gradient[units + h] += sum_of_lanes(weight_sum) + weight_rest;
  }
  double sum[LANES] = {0}, rest = 0.0;
  size_t j = 0;
  for (; j + LANES <= rows; j += LANES)
    for (int l = 0; l < LANES; l++) sum[l] += residuals[j + l];
  for (; j < rows; j++) rest += residuals[j];
  gradient[2 * units] += sum_of_lanes(sum) + rest;
}
