#ifndef ISOMIX_BLOCKS_H
#define ISOMIX_BLOCKS_H

#include "clones.h"
#include <stddef.h>

// A number for each of the block's points. A vector type, because loops over 16 lanes with several running sums
// are not reliably vectorised; never passed by value, so that no calling convention depends on it.
typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));

#define LANES_AT(pointer) (*(lanes *)(pointer))
#define CONST_LANES_AT(pointer) (*(const lanes *)(pointer))

// Below this share a component's pull on a sample is lost in rounding: it is skipped.
#define NEGLIGIBLE_SHARE 1e-18

// Points of one block, transposed to [d][LANES]; missing lanes repeat the first point.
ISOMIX_INLINE void load_block(const double *restrict points, size_t count, size_t dimension,
                              double *restrict block) {
  for (size_t l = 0; l < LANES; l++) {
    const double *restrict point = points + (l < count ? l : 0) * dimension;
    for (size_t k = 0; k < dimension; k++) block[k * LANES + l] = point[k];
  }
}

// Adds a transposed block to rows of the output.
ISOMIX_INLINE void add_block(const double *restrict block, size_t count, size_t dimension,
                             double *restrict output) {
  for (size_t l = 0; l < count; l++)
    for (size_t k = 0; k < dimension; k++) output[l * dimension + k] += block[k * LANES + l];
}

#endif
