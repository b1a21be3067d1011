#include "isomix_kernels.h"
