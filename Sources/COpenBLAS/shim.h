#ifndef ISOMIX_COPENBLAS_SHIM_H
#define ISOMIX_COPENBLAS_SHIM_H
#include <cblas.h>
#endif
