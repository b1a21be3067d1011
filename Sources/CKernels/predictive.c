#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "vector_math.h"

ISOMIX_CLONES
void isomix_logistic_log_likelihood(double *restrict logits, const double *restrict responses, size_t samples,
                                    size_t rows) {
  for (size_t s = 0; s < samples; s++) {
    double *restrict z = logits + s * rows;
    for (size_t j = 0; j < rows; j++) {
      double towards = responses[j] > 0.5 ? z[j] : -z[j];
      double e = exp_nonpositive(-__builtin_fabs(towards));
      // log p(y) = -log(1 + e^-t) with t the logit of the observed class.
      z[j] = (towards < 0.0 ? towards : 0.0) - log_any(1.0 + e);
    }
  }
}

ISOMIX_CLONES
void isomix_logistic_probability(double *logits, size_t count) {
  for (size_t j = 0; j < count; j++) {
    double e = exp_nonpositive(-__builtin_fabs(logits[j]));
    logits[j] = (logits[j] >= 0.0 ? 1.0 : e) / (1.0 + e);
  }
}
