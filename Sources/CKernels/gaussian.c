#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "blocks.h"
#include "vector_math.h"

size_t isomix_gaussian_mixture_scratch(size_t components, size_t dimension) {
  return LANES * (components + components * dimension + 2 * dimension);
}

size_t isomix_student_mixture_scratch(size_t components, size_t dimension) {
  return isomix_gaussian_mixture_scratch(components, dimension) + LANES * components;
}

// ln(1 + u) for u ≥ 0: what rounding 1 + u has lost is put back, so that the result has its digits next to 0.
ISOMIX_INLINE double log1p_nonnegative(double u) {
  double sum = 1.0 + u;
  double lost = (u - (sum - 1.0)) / sum;
  return log_any(sum) + (sum < 0x1p1000 ? lost : 0.0);
}

// Solves L w = x - μ by forward substitution, a lane a point; gives ‖w‖².
ISOMIX_INLINE void whiten(const double *restrict block, const double *restrict mean,
                          const double *restrict lower, const double *restrict inverse_diagonal,
                          size_t dimension, double *restrict whitened, double *restrict squares) {
  lanes sum = {0};
  for (size_t k = 0; k < dimension; k++) {
    lanes value = CONST_LANES_AT(block + k * LANES) - mean[k];
    for (size_t j = 0; j < k; j++) value -= lower[k * dimension + j] * CONST_LANES_AT(whitened + j * LANES);
    value *= inverse_diagonal[k];
    LANES_AT(whitened + k * LANES) = value;
    sum += value * value;
  }
  LANES_AT(squares) = sum;
}

// Solves Lᵀ g = w in place by back substitution: g = Σ⁻¹ (x - μ).
ISOMIX_INLINE void unwhiten(const double *restrict lower, const double *restrict inverse_diagonal,
                            size_t dimension, double *restrict whitened) {
  for (size_t k = dimension; k-- > 0;) {
    lanes value = CONST_LANES_AT(whitened + k * LANES) * inverse_diagonal[k];
    LANES_AT(whitened + k * LANES) = value;
    for (size_t j = 0; j < k; j++) LANES_AT(whitened + j * LANES) -= lower[k * dimension + j] * value;
  }
}

// Both mixtures: of Gaussians without degrees of freedom (NULL), of Student's t with them.
ISOMIX_INLINE void mixture_of_ellipses(const double *restrict points, size_t count, size_t dimension,
                                       size_t components, const double *restrict means,
                                       const double *restrict lowers,
                                       const double *restrict inverse_diagonals,
                                       const double *restrict log_factors, const double *restrict degrees,
                                       double *restrict scratch, double *restrict value,
                                       double *restrict gradient) {
  double *restrict shares = scratch;
  double *restrict whitened = shares + LANES * components;
  double *restrict block = whitened + LANES * components * dimension;
  double *restrict pull = block + LANES * dimension;
  // (ν + d) / (ν + δ²), by which a component of Student's t pulls less than a Gaussian.
  double *restrict slack = pull + LANES * dimension;
  for (size_t start = 0; start < count; start += LANES) {
    size_t filled = count - start < LANES ? count - start : LANES;
    load_block(points + start * dimension, filled, dimension, block);
    double maximum[LANES], sum[LANES];
    for (int l = 0; l < LANES; l++) {
      maximum[l] = -__builtin_inf();
      sum[l] = 0.0;
    }
    for (size_t i = 0; i < components; i++) {
      double squares[LANES];
      whiten(block, means + i * dimension, lowers + i * dimension * dimension,
             inverse_diagonals + i * dimension, dimension, whitened + i * LANES * dimension, squares);
      for (int l = 0; l < LANES; l++) {
        double weight;
        if (degrees) {
          double power = degrees[i] + (double)dimension;
          weight = log_factors[i] - 0.5 * power * log1p_nonnegative(squares[l] / degrees[i]);
          slack[i * LANES + l] = power / (degrees[i] + squares[l]);
        } else {
          weight = log_factors[i] - 0.5 * squares[l];
        }
        shares[i * LANES + l] = weight;
        maximum[l] = weight > maximum[l] ? weight : maximum[l];
      }
    }
    for (size_t i = 0; i < components; i++)
      for (int l = 0; l < LANES; l++) {
        double share = exp_nonpositive(shares[i * LANES + l] - maximum[l]);
        shares[i * LANES + l] = share;
        sum[l] += share;
      }
    double density[LANES];
    for (int l = 0; l < LANES; l++) {
      double logarithm = maximum[l] + log_any(sum[l]);
      density[l] = maximum[l] == -__builtin_inf() ? maximum[l] : logarithm;
      sum[l] = 1.0 / sum[l];
    }
    for (size_t l = 0; l < filled; l++) value[start + l] -= density[l];
    if (!gradient) continue;

    for (size_t k = 0; k < LANES * dimension; k++) pull[k] = 0.0;
    for (size_t i = 0; i < components; i++) {
      double factor[LANES];
      int matters = 0;
      for (int l = 0; l < LANES; l++) {
        double share = shares[i * LANES + l] * sum[l];
        matters |= !(share < NEGLIGIBLE_SHARE);
        double effect = degrees ? share * slack[i * LANES + l] : share;
        factor[l] = share < NEGLIGIBLE_SHARE ? 0.0 : effect;
      }
      if (!matters) continue;
      double *restrict direction = whitened + i * LANES * dimension;
      unwhiten(lowers + i * dimension * dimension, inverse_diagonals + i * dimension, dimension, direction);
      lanes shares_of_component = CONST_LANES_AT(factor);
      for (size_t k = 0; k < dimension; k++)
        LANES_AT(pull + k * LANES) += shares_of_component * CONST_LANES_AT(direction + k * LANES);
    }
    add_block(pull, filled, dimension, gradient + start * dimension);
  }
}

ISOMIX_CLONES
void isomix_gaussian_mixture_accumulate(const double *restrict points, size_t count, size_t dimension,
                                        size_t components, const double *restrict means,
                                        const double *restrict lowers,
                                        const double *restrict inverse_diagonals,
                                        const double *restrict log_factors, double *restrict scratch,
                                        double *restrict value, double *restrict gradient) {
  mixture_of_ellipses(points, count, dimension, components, means, lowers, inverse_diagonals, log_factors, NULL,
                      scratch, value, gradient);
}

ISOMIX_CLONES
void isomix_student_mixture_accumulate(const double *restrict points, size_t count, size_t dimension,
                                       size_t components, const double *restrict means,
                                       const double *restrict lowers,
                                       const double *restrict inverse_diagonals,
                                       const double *restrict log_factors, const double *restrict degrees,
                                       double *restrict scratch, double *restrict value,
                                       double *restrict gradient) {
  mixture_of_ellipses(points, count, dimension, components, means, lowers, inverse_diagonals, log_factors,
                      degrees, scratch, value, gradient);
}
