#ifndef ISOMIX_COPENSSL_SHIM_H
#define ISOMIX_COPENSSL_SHIM_H
#include <openssl/crypto.h>
#include <openssl/evp.h>
#endif
