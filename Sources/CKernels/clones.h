#ifndef ISOMIX_CLONES_H
#define ISOMIX_CLONES_H

// One source, one machine code a CPU generation, chosen by the loader. The v3 and v4 clones give the same
// bits, because contraction is decided in the source (FP_CONTRACT) and lanes are never summed across.
#if defined(__x86_64__) && defined(__linux__)
#define ISOMIX_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ISOMIX_CLONES
#endif

// Helpers must end up inside the clones, or they would be compiled for the oldest CPU.
#define ISOMIX_INLINE static inline __attribute__((always_inline))

// Lanes of the inner loops: a multiple of every vector width, so that sums over lanes are the same on all.
#define LANES 16

#endif
