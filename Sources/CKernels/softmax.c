#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "vector_math.h"

// One block of lanes (data rows) of one sample: logits of class c at z + c * stride. Leaves residuals p - [y = c]
// there; gives the sum -log p(y) to `loss`. Lanes from `count` on hold zeros and add nothing.
ISOMIX_INLINE void softmax_lanes(double *restrict z, size_t classes, size_t stride, const double *restrict y,
                                 double *restrict loss) {
  double maximum[LANES], sum[LANES], observed[LANES];
  for (int l = 0; l < LANES; l++) {
    maximum[l] = z[l];
    sum[l] = 0.0;
    observed[l] = 0.0;
  }
  for (size_t c = 1; c < classes; c++)
    for (int l = 0; l < LANES; l++) {
      double logit = z[c * stride + l];
      maximum[l] = logit > maximum[l] ? logit : maximum[l];
    }
  for (size_t c = 0; c < classes; c++)
    for (int l = 0; l < LANES; l++) {
      double centred = z[c * stride + l] - maximum[l];
      double e = exp_nonpositive(centred);
      observed[l] += y[l] == (double)c ? centred : 0.0;
      sum[l] += e;
      z[c * stride + l] = e;
    }
  for (int l = 0; l < LANES; l++) {
    loss[l] = log_any(sum[l]) - observed[l];
    sum[l] = 1.0 / sum[l];
  }
  for (size_t c = 0; c < classes; c++)
    for (int l = 0; l < LANES; l++)
      z[c * stride + l] = z[c * stride + l] * sum[l] - (y[l] == (double)c ? 1.0 : 0.0);
}

ISOMIX_CLONES
void isomix_softmax_residual(double *restrict logits, const double *restrict responses, size_t samples,
                             size_t classes, size_t rows, double *restrict scratch, double *restrict value) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z = logits + s * classes * rows;
    double sum[LANES] = {0};
    size_t j = 0;
    for (; j + LANES <= rows; j += LANES) {
      double loss[LANES];
      softmax_lanes(z + j, classes, rows, responses + j, loss);
      for (int l = 0; l < LANES; l++) sum[l] += loss[l];
    }
    if (j < rows) {
      size_t count = rows - j;
      double loss[LANES], y[LANES];
      for (size_t l = 0; l < LANES; l++) y[l] = l < count ? responses[j + l] : 0.0;
      for (size_t c = 0; c < classes; c++)
        for (size_t l = 0; l < LANES; l++) scratch[c * LANES + l] = l < count ? z[c * rows + j + l] : 0.0;
      softmax_lanes(scratch, classes, LANES, y, loss);
      for (size_t c = 0; c < classes; c++)
        for (size_t l = 0; l < count; l++) z[c * rows + j + l] = scratch[c * LANES + l];
      for (size_t l = 0; l < LANES; l++) sum[l] += l < count ? loss[l] : 0.0;
    }
    value[s] += sum_of_lanes(sum);
  }
}

ISOMIX_CLONES
void isomix_softmax_log_likelihood(const double *restrict logits, const double *restrict responses, size_t samples,
                                   size_t classes, size_t rows, double *restrict log_likelihood) {
  for (size_t s = 0; s < samples; s++) {
    const double *restrict z = logits + s * classes * rows;
    for (size_t j = 0; j < rows; j++) {
      double maximum = z[j], sum = 0.0, observed = 0.0;
      for (size_t c = 1; c < classes; c++) maximum = z[c * rows + j] > maximum ? z[c * rows + j] : maximum;
      for (size_t c = 0; c < classes; c++) {
        double centred = z[c * rows + j] - maximum;
        observed += responses[j] == (double)c ? centred : 0.0;
        sum += exp_nonpositive(centred);
      }
      log_likelihood[s * rows + j] = observed - log_any(sum);
    }
  }
}

ISOMIX_CLONES
void isomix_softmax_probability(double *restrict logits, size_t samples, size_t classes, size_t rows) {
  for (size_t s = 0; s < samples; s++) {
    for (size_t start = 0; start < rows; start += LANES) {
      size_t lanes = rows - start < LANES ? rows - start : LANES;
      double *restrict z = logits + s * classes * rows + start;
      double maximum[LANES], sum[LANES];
      for (size_t l = 0; l < lanes; l++) {
        maximum[l] = z[l];
        sum[l] = 0.0;
      }
      for (size_t c = 1; c < classes; c++)
        for (size_t l = 0; l < lanes; l++)
          maximum[l] = z[c * rows + l] > maximum[l] ? z[c * rows + l] : maximum[l];
      for (size_t c = 0; c < classes; c++)
        for (size_t l = 0; l < lanes; l++) {
          double e = exp_nonpositive(z[c * rows + l] - maximum[l]);
          z[c * rows + l] = e;
          sum[l] += e;
        }
      for (size_t c = 0; c < classes; c++)
        for (size_t l = 0; l < lanes; l++) z[c * rows + l] /= sum[l];
    }
  }
}
