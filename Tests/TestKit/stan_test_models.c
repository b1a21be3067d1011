// A library with BridgeStan's C interface for tests: three independent standard normals, computed by hand, that behave
// badly when their data say so.
//
// Data: {"mode": "..."} with one of
//   normal         no mischief
//   refuse         the data are not accepted
//   throw          every evaluation fails
//   throw_beyond   evaluations with x[1] > 1.5 fail
//   nan_beyond     the log density is not a number there, and the call succeeds
//   nan_gradient   the gradient is not a number there, and the call succeeds
//   print          every evaluation prints, through the callback and to standard output
//   flood          prints a hundred kilobytes each time
//   sleep          an evaluation takes a fifth of a second
//   crash          every evaluation ends the process
//   crash_beyond   evaluations with x[1] > 1.5 do
//   crash_outputs  constraining a point does
//   alone          two evaluations at once end the process
// Build with -DMAJOR=1 for another version, with -DTHREADS for a library that threads may call, with -DINCOMPLETE for one
// that lacks a function.
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef MAJOR
#define MAJOR 2
#endif

const int bs_major_version = MAJOR, bs_minor_version = 7, bs_patch_version = 0;

typedef struct {
  char mode[32];
} bs_model;
typedef struct {
  unsigned int seed;
} bs_rng;

enum { DIMENSION = 3 };
static void (*print_callback)(const char *, size_t) = NULL;
static atomic_int inside = 0;

static char *copy(const char *text) { return strdup(text); }

bs_model *bs_model_construct(const char *data, unsigned int seed, char **message) {
  bs_model *model = calloc(1, sizeof *model);
  const char *mode = strstr(data, "\"mode\"");
  if (mode != NULL) sscanf(mode, "\"mode\" : \"%31[a-z_]", model->mode);
  if (mode != NULL && model->mode[0] == 0) sscanf(mode, "\"mode\": \"%31[a-z_]", model->mode);
  if (strcmp(model->mode, "refuse") == 0) {
    *message = copy("Exception: variable does not exist; processing stage=data initialization; variable name=N");
    free(model);
    return NULL;
  }
  if (strcmp(model->mode, "print") == 0) printf("constructed\n");
  return model;
}

void bs_free_error_msg(char *message) { free(message); }
void bs_model_destruct(bs_model *model) { free(model); }
const char *bs_name(const bs_model *model) { return "test_model"; }

const char *bs_model_info(const bs_model *model) {
#ifdef THREADS
  return "BridgeStan version: 2.7.0\nStan C++ Defines:\n\tSTAN_THREADS=true\n";
#else
  return "BridgeStan version: 2.7.0\nStan C++ Defines:\n\tSTAN_THREADS=false\n";
#endif
}

const char *bs_param_names(const bs_model *model, bool transformed, bool generated) {
  if (transformed && generated) return "x.1,x.2,x.3,square,noise.1.1,noise.2.1,noise.1.2,noise.2.2,noise.1.3,noise.2.3";
  if (transformed) return "x.1,x.2,x.3,square";
  if (generated) return "x.1,x.2,x.3,noise.1.1,noise.2.1,noise.1.2,noise.2.2,noise.1.3,noise.2.3";
  return "x.1,x.2,x.3";
}

const char *bs_param_unc_names(const bs_model *model) { return "x.1,x.2,x.3"; }
int bs_param_num(const bs_model *model, bool transformed, bool generated) {
  return 3 + (transformed ? 1 : 0) + (generated ? 6 : 0);
}
int bs_param_unc_num(const bs_model *model) { return DIMENSION; }

#ifndef INCOMPLETE
int bs_param_constrain(
    const bs_model *model, bool transformed, bool generated, const double *point, double *output, bs_rng *rng,
    char **message) {
  if (strcmp(model->mode, "crash_outputs") == 0) abort();
  if (strcmp(model->mode, "print") == 0) printf("constrained\n");
  for (int k = 0; k < DIMENSION; k++) *output++ = point[k];
  if (transformed) *output++ = point[0] * point[0];
  if (!generated) return 0;
  // In Stan's order: the first index runs fastest.
  for (int column = 1; column <= 3; column++)
    for (int row = 1; row <= 2; row++) *output++ = rng->seed + 10 * row + column;
  return 0;
}
#endif

bs_rng *bs_rng_construct(unsigned int seed, char **message) {
  bs_rng *rng = malloc(sizeof *rng);
  rng->seed = seed;
  return rng;
}
void bs_rng_destruct(bs_rng *rng) { free(rng); }

int bs_set_print_callback(void (*callback)(const char *, size_t), char **message) {
  print_callback = callback;
  return 0;
}

static bool is(const bs_model *model, const char *mode) { return strcmp(model->mode, mode) == 0; }

int bs_log_density_gradient(
    const bs_model *model, bool propto, bool jacobian, const double *point, double *value, double *gradient,
    char **message) {
  if (is(model, "crash")) abort();
  if (is(model, "crash_beyond") && point[0] > 1.5) abort();
  if (is(model, "sleep")) usleep(200000);
  if (is(model, "alone")) {
    if (atomic_fetch_add(&inside, 1) > 0) abort();
    usleep(100);
    atomic_fetch_sub(&inside, 1);
  }
  if (is(model, "print")) {
    if (print_callback != NULL) print_callback("evaluated\n", 10);
    printf("by hand\n");
  }
  if (is(model, "flood")) {
    char line[101];
    memset(line, 'x', 100);
    line[100] = '\n';
    for (int i = 0; i < 1000; i++)
      if (print_callback != NULL) print_callback(line, 101);
  }
  bool is_beyond = point[0] > 1.5;
  if (is(model, "throw") || (is(model, "throw_beyond") && is_beyond)) {
    *message = copy("Exception: normal_lpdf: Scale parameter is -1, but must be positive!");
    return -1;
  }
  *value = propto ? 0 : -1.5 * log(2 * M_PI);
  for (int k = 0; k < DIMENSION; k++) {
    *value -= 0.5 * point[k] * point[k];
    if (gradient != NULL) gradient[k] = -point[k];
  }
  if (is(model, "nan_beyond") && is_beyond) *value = NAN;
  if (is(model, "nan_gradient") && is_beyond && gradient != NULL) gradient[1] = NAN;
  return 0;
}

int bs_log_density(
    const bs_model *model, bool propto, bool jacobian, const double *point, double *value, char **message) {
  return bs_log_density_gradient(model, propto, jacobian, point, value, NULL, message);
}
