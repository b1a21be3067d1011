#ifndef ISOMIX_KERNELS_H
#define ISOMIX_KERNELS_H
#endif
