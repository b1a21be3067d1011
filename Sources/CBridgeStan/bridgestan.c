#include "isomix_bridgestan.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void (*print_function)(const char *, size_t);

struct isomix_stan_library {
  const int *major, *minor, *patch;
  void *(*construct)(const char *, unsigned int, char **);
  void (*destruct)(void *);
  void (*free_message)(char *);
  const char *(*name)(const void *);
  const char *(*info)(const void *);
  const char *(*names)(const void *, bool, bool);
  const char *(*unconstrained_names)(const void *);
  int (*count)(const void *, bool, bool);
  int (*unconstrained_count)(const void *);
  int (*constrain)(const void *, bool, bool, const double *, double *, void *, char **);
  int (*log_density)(const void *, bool, bool, const double *, double *, char **);
  int (*gradient)(const void *, bool, bool, const double *, double *, double *, char **);
  void *(*rng)(unsigned int, char **);
  void (*free_rng)(void *);
  // Optional.
  int (*set_print)(print_function, char **);
  char *(*compile)(const char *, const char *const *, size_t, int, char *, size_t);
  void (*free_text)(void *);
  const char *(*build)(void);
};

static atomic_int print_descriptor = -1;

static void print(const char *text, size_t size) {
  int descriptor = atomic_load(&print_descriptor);
  if (descriptor < 0) return;
  // What does not go at once does not go: a model must not wait for those who read what it prints.
  ssize_t written = write(descriptor, text, size);
  (void)written;
}

void isomix_stan_print_to(int descriptor) { atomic_store(&print_descriptor, descriptor); }

void isomix_stan_flush_output(bool lines) {
  fflush(stdout);
  if (lines) setvbuf(stdout, NULL, _IOLBF, 0);
}

int isomix_stan_open(const char *path, isomix_stan_library **library, char *problem, size_t size) {
  *library = NULL;
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) {
    const char *reason = dlerror();
    snprintf(problem, size, "%s", reason != NULL ? reason : "unknown reason");
    return ISOMIX_STAN_NOT_LOADED;
  }
  struct isomix_stan_library found = {0};
  struct {
    const char *name;
    void *place;
    bool is_optional;
  } symbols[] = {
      {"bs_model_construct", &found.construct, false},
      {"bs_model_destruct", &found.destruct, false},
      {"bs_free_error_msg", &found.free_message, false},
      {"bs_major_version", &found.major, false},
      {"bs_minor_version", &found.minor, false},
      {"bs_patch_version", &found.patch, false},
      {"bs_name", &found.name, false},
      {"bs_model_info", &found.info, false},
      {"bs_param_names", &found.names, false},
      {"bs_param_unc_names", &found.unconstrained_names, false},
      {"bs_param_num", &found.count, false},
      {"bs_param_unc_num", &found.unconstrained_count, false},
      {"bs_param_constrain", &found.constrain, false},
      {"bs_log_density", &found.log_density, false},
      {"bs_log_density_gradient", &found.gradient, false},
      {"bs_rng_construct", &found.rng, false},
      {"bs_rng_destruct", &found.free_rng, false},
      {"bs_set_print_callback", &found.set_print, true},
      {"stanli_stan_to_mir_with_opts", &found.compile, true},
      {"stanli_string_free", &found.free_text, true},
      {"stanli_build_id", &found.build, true},
  };
  for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
    void *address = dlsym(handle, symbols[i].name);
    if (address == NULL && !symbols[i].is_optional) {
      snprintf(problem, size, "%s", symbols[i].name);
      dlclose(handle);
      return ISOMIX_STAN_MISSING_SYMBOL;
    }
    // POSIX: a pointer from dlsym may be stored where a pointer to a function is kept.
    memcpy(symbols[i].place, &address, sizeof address);
  }
  *library = malloc(sizeof found);
  if (*library == NULL) {
    snprintf(problem, size, "no memory is left");
    dlclose(handle);
    return ISOMIX_STAN_NOT_LOADED;
  }
  **library = found;
  if (found.set_print != NULL) {
    char *message = NULL;
    found.set_print(print, &message);
    if (message != NULL) found.free_message(message);
  }
  return ISOMIX_STAN_OPENED;
}

void isomix_stan_version(const isomix_stan_library *library, int version[3]) {
  version[0] = *library->major;
  version[1] = *library->minor;
  version[2] = *library->patch;
}

bool isomix_stan_is_interpreter(const isomix_stan_library *library) {
  return library->compile != NULL && library->free_text != NULL && library->build != NULL;
}

const char *isomix_stan_build(const isomix_stan_library *library) { return library->build(); }

char *isomix_stan_compile(
    const isomix_stan_library *library, const char *program, const char *include_folder, char *problem,
    size_t size) {
  return library->compile(program, &include_folder, 1, 0, problem, size);
}

void isomix_stan_free_text(const isomix_stan_library *library, char *text) { library->free_text(text); }

void *isomix_stan_construct(
    const isomix_stan_library *library, const char *data, unsigned int seed, char **message) {
  return library->construct(data, seed, message);
}

void isomix_stan_destruct(const isomix_stan_library *library, void *model) { library->destruct(model); }

void isomix_stan_free_message(const isomix_stan_library *library, char *message) {
  library->free_message(message);
}

const char *isomix_stan_name(const isomix_stan_library *library, const void *model) {
  return library->name(model);
}

const char *isomix_stan_info(const isomix_stan_library *library, const void *model) {
  return library->info(model);
}

const char *isomix_stan_names(
    const isomix_stan_library *library, const void *model, bool transformed, bool generated) {
  return library->names(model, transformed, generated);
}

const char *isomix_stan_unconstrained_names(const isomix_stan_library *library, const void *model) {
  return library->unconstrained_names(model);
}

int isomix_stan_count(
    const isomix_stan_library *library, const void *model, bool transformed, bool generated) {
  return library->count(model, transformed, generated);
}

int isomix_stan_unconstrained_count(const isomix_stan_library *library, const void *model) {
  return library->unconstrained_count(model);
}

int isomix_stan_constrain(
    const isomix_stan_library *library, const void *model, bool transformed, bool generated,
    const double *unconstrained, double *output, void *rng, char **message) {
  return library->constrain(model, transformed, generated, unconstrained, output, rng, message);
}

int isomix_stan_log_density(
    const isomix_stan_library *library, const void *model, bool propto, bool jacobian,
    const double *unconstrained, double *value, char **message) {
  return library->log_density(model, propto, jacobian, unconstrained, value, message);
}

int isomix_stan_gradient(
    const isomix_stan_library *library, const void *model, bool propto, bool jacobian,
    const double *unconstrained, double *value, double *gradient, char **message) {
  return library->gradient(model, propto, jacobian, unconstrained, value, gradient, message);
}

void *isomix_stan_rng(const isomix_stan_library *library, unsigned int seed, char **message) {
  return library->rng(seed, message);
}

void isomix_stan_free_rng(const isomix_stan_library *library, void *rng) { library->free_rng(rng); }
