#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "vector_math.h"

ISOMIX_CLONES
void isomix_logistic_scores(double *restrict logits, const double *restrict responses, size_t samples,
                            size_t rows, double *restrict probability) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z = logits + s * rows;
    for (size_t j = 0; j < rows; j++) {
      double logit = z[j];
      double e = exp_nonpositive(-__builtin_fabs(logit));
      probability[j] += (logit >= 0.0 ? 1.0 : e) / (1.0 + e);
      double towards = responses[j] > 0.5 ? logit : -logit;
      // log p(y) = -log(1 + e^-t) with t the logit of the observed class.
      z[j] = (towards < 0.0 ? towards : 0.0) - log_any(1.0 + e);
    }
  }
}

ISOMIX_CLONES
void isomix_linear_scores(double *restrict predictions, const double *restrict responses, size_t samples,
                          size_t rows, double precision, double constant, double *restrict mean) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z = predictions + s * rows;
    for (size_t j = 0; j < rows; j++) {
      double error = z[j] - responses[j];
      mean[j] += z[j];
      z[j] = constant - 0.5 * precision * error * error;
    }
  }
}
