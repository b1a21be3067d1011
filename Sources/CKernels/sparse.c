#pragma STDC FP_CONTRACT ON
#include "isomix_kernels.h"
#include "blocks.h"

// A vector is a lane: each stored number meets LANES coefficients that lie side by side, so that its column is looked
// up once for all of them, and sums over a row's numbers need no gather.

_Static_assert(ISOMIX_SLAB_VECTORS == LANES, "a slab has a vector a lane");

// Numbers ahead of the one that is multiplied whose coefficients are asked for: they may be far away.
#define AHEAD 12

// Side of the squares that are transposed in registers.
#define SQUARE 4
typedef double square_row __attribute__((vector_size(SQUARE * sizeof(double)), aligned(8), may_alias));
#define SQUARE_ROW_AT(pointer) (*(square_row *)(pointer))
#define CONST_SQUARE_ROW_AT(pointer) (*(const square_row *)(pointer))

// Loads a square whose rows are `stride` apart, transposed.
ISOMIX_INLINE void load_transposed(const double *restrict from, size_t stride, square_row *restrict rows) {
  square_row r0 = CONST_SQUARE_ROW_AT(from), r1 = CONST_SQUARE_ROW_AT(from + stride);
  square_row r2 = CONST_SQUARE_ROW_AT(from + 2 * stride), r3 = CONST_SQUARE_ROW_AT(from + 3 * stride);
  square_row a = __builtin_shufflevector(r0, r1, 0, 4, 2, 6), b = __builtin_shufflevector(r0, r1, 1, 5, 3, 7);
  square_row c = __builtin_shufflevector(r2, r3, 0, 4, 2, 6), d = __builtin_shufflevector(r2, r3, 1, 5, 3, 7);
  rows[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  rows[1] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  rows[2] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  rows[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

// to[j, i] = from[i, j] for i < height and j < width.
ISOMIX_INLINE void transpose(const double *restrict from, size_t from_stride, size_t height, size_t width,
                             double *restrict to, size_t to_stride) {
  size_t squares = height / SQUARE * SQUARE, whole = width / SQUARE * SQUARE;
  for (size_t j = 0; j < whole; j += SQUARE) {
    for (size_t i = 0; i < squares; i += SQUARE) {
      square_row rows[SQUARE];
      load_transposed(from + i * from_stride + j, from_stride, rows);
      for (size_t k = 0; k < SQUARE; k++) SQUARE_ROW_AT(to + (j + k) * to_stride + i) = rows[k];
    }
    for (size_t i = squares; i < height; i++)
      for (size_t k = j; k < j + SQUARE; k++) to[k * to_stride + i] = from[i * from_stride + k];
  }
  for (size_t j = whole; j < width; j++)
    for (size_t i = 0; i < height; i++) to[j * to_stride + i] = from[i * from_stride + j];
}

ISOMIX_CLONES
void isomix_to_slab(const double *restrict vectors, size_t count, size_t columns, double *restrict slab) {
  transpose(vectors, columns, count, columns, slab, LANES);
  for (size_t k = 0; k < columns; k++)
    for (size_t l = count; l < LANES; l++) slab[k * LANES + l] = 0.0;
}

ISOMIX_CLONES
void isomix_add_slab(const double *restrict slab, size_t count, size_t columns, double *restrict vectors) {
  size_t whole = columns / SQUARE * SQUARE, squares = count / SQUARE * SQUARE;
  for (size_t k = 0; k < whole; k += SQUARE) {
    for (size_t l = 0; l < squares; l += SQUARE) {
      square_row rows[SQUARE];
      load_transposed(slab + k * LANES + l, LANES, rows);
      for (size_t i = 0; i < SQUARE; i++) SQUARE_ROW_AT(vectors + (l + i) * columns + k) += rows[i];
    }
    for (size_t l = squares; l < count; l++)
      for (size_t i = k; i < k + SQUARE; i++) vectors[l * columns + i] += slab[i * LANES + l];
  }
  for (size_t k = whole; k < columns; k++)
    for (size_t l = 0; l < count; l++) vectors[l * columns + k] += slab[k * LANES + l];
}

// Rows whose predictors or residuals are transposed at once: a cache line of each vector's.
#define GROUP 8

ISOMIX_INLINE void prefetch_lanes(const double *lanes) {
  __builtin_prefetch(lanes, 1, 2);
  __builtin_prefetch(lanes + LANES / 2, 1, 2);
}

// Even and odd numbers of a row are summed apart: two chains of additions instead of one.
#define SPARSE_PRODUCT(NAME, NUMBER)                                                                           \
  ISOMIX_CLONES                                                                                                \
  void NAME(const int64_t *restrict offsets, const int32_t *restrict places, const NUMBER *restrict numbers,   \
            size_t rows, const double *restrict slab, size_t count, double *restrict predictors) {             \
    int64_t last = offsets[rows];                                                                              \
    for (size_t start = 0; start < rows; start += GROUP) {                                                     \
      size_t group = rows - start < GROUP ? rows - start : GROUP;                                              \
      double sums[GROUP * LANES];                                                                              \
      for (size_t j = 0; j < group; j++) {                                                                     \
        lanes even = {0}, odd = {0};                                                                           \
        int64_t k = offsets[start + j], end = offsets[start + j + 1];                                          \
        for (; k + 1 < end; k += 2) {                                                                          \
          if (k + AHEAD + 1 < last) {                                                                          \
            prefetch_lanes(slab + (size_t)places[k + AHEAD] * LANES);                                          \
            prefetch_lanes(slab + (size_t)places[k + AHEAD + 1] * LANES);                                      \
          }                                                                                                    \
          even += (double)numbers[k] * CONST_LANES_AT(slab + (size_t)places[k] * LANES);                       \
          odd += (double)numbers[k + 1] * CONST_LANES_AT(slab + (size_t)places[k + 1] * LANES);                \
        }                                                                                                      \
        if (k < end) even += (double)numbers[k] * CONST_LANES_AT(slab + (size_t)places[k] * LANES);            \
        LANES_AT(sums + j * LANES) = even + odd;                                                               \
      }                                                                                                        \
      transpose(sums, LANES, group, count, predictors + start, rows);                                          \
    }                                                                                                          \
  }

#define SPARSE_GRADIENT(NAME, NUMBER)                                                                          \
  ISOMIX_CLONES                                                                                                \
  void NAME(const int64_t *restrict offsets, const int32_t *restrict places, const NUMBER *restrict numbers,   \
            size_t rows, const double *restrict residuals, size_t count, double *restrict slab) {              \
    int64_t last = offsets[rows];                                                                              \
    double group_residuals[GROUP * LANES] = {0};                                                               \
    for (size_t start = 0; start < rows; start += GROUP) {                                                     \
      size_t group = rows - start < GROUP ? rows - start : GROUP;                                              \
      transpose(residuals + start, rows, count, group, group_residuals, LANES);                                \
      for (size_t j = 0; j < group; j++) {                                                                     \
        lanes residual = CONST_LANES_AT(group_residuals + j * LANES);                                          \
        for (int64_t k = offsets[start + j]; k < offsets[start + j + 1]; k++) {                                \
          if (k + AHEAD < last) prefetch_lanes(slab + (size_t)places[k + AHEAD] * LANES);                      \
          LANES_AT(slab + (size_t)places[k] * LANES) += (double)numbers[k] * residual;                         \
        }                                                                                                      \
      }                                                                                                        \
    }                                                                                                          \
  }

SPARSE_PRODUCT(isomix_sparse_product, double)
SPARSE_PRODUCT(isomix_sparse_product_float, float)
SPARSE_GRADIENT(isomix_sparse_gradient, double)
SPARSE_GRADIENT(isomix_sparse_gradient_float, float)
