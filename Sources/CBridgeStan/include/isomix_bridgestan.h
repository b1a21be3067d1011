// A Stan model in a shared library with BridgeStan's C interface, versions 2.0 and up, found at run time.
//
// The functions here call those of the library; the symbols they stand for, and what they mean, are BridgeStan's
// (https://roualdes.github.io/bridgestan/latest/languages/c-api.html). A `char **message` gets a text that belongs to
// the library until `isomix_stan_free_message`, or NULL.
#ifndef ISOMIX_BRIDGESTAN_H
#define ISOMIX_BRIDGESTAN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct isomix_stan_library isomix_stan_library;

// How opening a library ended.
enum isomix_stan_open_result {
  ISOMIX_STAN_OPENED = 0,
  ISOMIX_STAN_NOT_LOADED = 1,      // `problem` is the loader's message
  ISOMIX_STAN_MISSING_SYMBOL = 2,  // `problem` names it
};

// Loads a library. Its code may run at once. What is loaded stays until the process ends: Stan's libraries leave
// thread-local destructors behind, and unloading them has no use.
int isomix_stan_open(const char *path, isomix_stan_library **library, char *problem, size_t size);

// The version of the interface: `bs_major_version` and so on.
void isomix_stan_version(const isomix_stan_library *library, int version[3]);

// Whether the library interprets Stan programs (stanli) instead of being one.
bool isomix_stan_is_interpreter(const isomix_stan_library *library);
// The interpreter's name for its build, which a program compiled for it must carry.
const char *isomix_stan_build(const isomix_stan_library *library);
// Compiles a program for the interpreter; NULL with a message in `problem` when that fails. The text is freed with
// `isomix_stan_free_text`.
char *isomix_stan_compile(
    const isomix_stan_library *library, const char *program, const char *include_folder, char *problem,
    size_t size);
void isomix_stan_free_text(const isomix_stan_library *library, char *text);

// Constructs a model from JSON text; NULL with a message when the data don't fit.
void *isomix_stan_construct(
    const isomix_stan_library *library, const char *data, unsigned int seed, char **message);
void isomix_stan_destruct(const isomix_stan_library *library, void *model);
void isomix_stan_free_message(const isomix_stan_library *library, char *message);

const char *isomix_stan_name(const isomix_stan_library *library, const void *model);
const char *isomix_stan_info(const isomix_stan_library *library, const void *model);
// Comma-separated names of the constrained quantities, and of the unconstrained parameters.
const char *isomix_stan_names(
    const isomix_stan_library *library, const void *model, bool transformed, bool generated);
const char *isomix_stan_unconstrained_names(const isomix_stan_library *library, const void *model);
int isomix_stan_count(
    const isomix_stan_library *library, const void *model, bool transformed, bool generated);
int isomix_stan_unconstrained_count(const isomix_stan_library *library, const void *model);

// 0, or -1 with a message. `rng` may be NULL unless quantities are generated.
int isomix_stan_constrain(
    const isomix_stan_library *library, const void *model, bool transformed, bool generated,
    const double *unconstrained, double *output, void *rng, char **message);
int isomix_stan_log_density(
    const isomix_stan_library *library, const void *model, bool propto, bool jacobian,
    const double *unconstrained, double *value, char **message);
int isomix_stan_gradient(
    const isomix_stan_library *library, const void *model, bool propto, bool jacobian,
    const double *unconstrained, double *value, double *gradient, char **message);

void *isomix_stan_rng(const isomix_stan_library *library, unsigned int seed, char **message);
void isomix_stan_free_rng(const isomix_stan_library *library, void *rng);

// What models print goes to this descriptor from now on, for all libraries of the process that say where it goes;
// -1: nowhere. A write that would wait is dropped.
void isomix_stan_print_to(int descriptor);

// Writes out what this process has buffered for standard output, and keeps no more than a line from now on if `lines`.
void isomix_stan_flush_output(bool lines);

#endif
