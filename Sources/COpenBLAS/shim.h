#ifndef ISOMIX_COPENBLAS_SHIM_H
#define ISOMIX_COPENBLAS_SHIM_H
#include <cblas.h>
#include <stddef.h>

// LAPACK functions: they are Fortran functions inside libopenblas, and no header comes with them. Arguments are
// pointers, and the lengths of texts follow at the end.

// Eigenvalues and eigenvectors of a symmetric matrix.
void dsyevd_(const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda, double *w,
             double *work, const blasint *lwork, blasint *iwork, const blasint *liwork, blasint *info,
             size_t jobz_length, size_t uplo_length);
// A = Q R: R and the reflectors of Q; then Q itself.
void dgeqrf_(const blasint *m, const blasint *n, double *a, const blasint *lda, double *tau, double *work,
             const blasint *lwork, blasint *info);
void dorgqr_(const blasint *m, const blasint *n, const blasint *k, double *a, const blasint *lda,
             const double *tau, double *work, const blasint *lwork, blasint *info);
// A = P L U, and the inverse from that.
void dgetrf_(const blasint *m, const blasint *n, double *a, const blasint *lda, blasint *pivots, blasint *info);
void dgetri_(const blasint *n, double *a, const blasint *lda, const blasint *pivots, double *work,
             const blasint *lwork, blasint *info);
#endif
