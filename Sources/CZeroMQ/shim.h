#ifndef ISOMIX_CZEROMQ_SHIM_H
#define ISOMIX_CZEROMQ_SHIM_H
#include <zmq.h>
#endif
