#ifndef ISOMIX_CNETCDF_SHIM_H
#define ISOMIX_CNETCDF_SHIM_H
#include <netcdf.h>
#include <netcdf_mem.h>
#endif
