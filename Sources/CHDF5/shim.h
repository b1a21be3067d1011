#ifndef ISOMIX_CHDF5_SHIM_H
#define ISOMIX_CHDF5_SHIM_H
#include <hdf5.h>

// What libhdf5 has as macros that call functions, which Swift can't import.

static inline hid_t isomix_h5_open_file(const char *path) { return H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT); }

static inline hid_t isomix_h5_open_dataset(hid_t at, const char *path) {
  return H5Dopen2(at, path, H5P_DEFAULT);
}

static inline hid_t isomix_h5_open_group(hid_t at, const char *path) { return H5Gopen2(at, path, H5P_DEFAULT); }

// Whether `name` of a group is a dataset (1), a group (2) or anything else (0).
static inline int isomix_h5_kind(hid_t group, const char *name) {
  hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object < 0) return 0;
  H5I_type_t type = H5Iget_type(object);
  H5Oclose(object);
  return type == H5I_DATASET ? 1 : type == H5I_GROUP ? 2 : 0;
}

// The name of the i-th link of a group in the order of names; its length, or a negative number.
static inline long isomix_h5_link_name(hid_t group, unsigned long long index, char *name, size_t capacity) {
  return (long)H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, index, name, capacity, H5P_DEFAULT);
}

static inline long long isomix_h5_link_count(hid_t group) {
  H5G_info_t info;
  return H5Gget_info(group, &info) < 0 ? -1 : (long long)info.nlinks;
}

// Whether a type is a number (1), a compound (2) or anything else (0). An enumeration is a number: h5py's booleans.
static inline int isomix_h5_type_kind(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
    case H5T_FLOAT:
      return 1;
    case H5T_COMPOUND:
      return 2;
    case H5T_ENUM:
      return 3;
    default:
      return 0;
  }
}

// A compound of doubles, one after the other, with the given names: what a row is read as.
static inline hid_t isomix_h5_row_type(const char *const *names, size_t count) {
  hid_t type = H5Tcreate(H5T_COMPOUND, 8 * count);
  for (size_t i = 0; type >= 0 && i < count; i++)
    if (H5Tinsert(type, names[i], 8 * i, H5T_NATIVE_DOUBLE) < 0) {
      H5Tclose(type);
      return -1;
    }
  return type;
}

// Reads rows first … first + rows of a dataset of one or two dimensions. `row_type` is negative for doubles.
// An enumeration, which converts to no number, is read as bytes and widened.
static inline int isomix_h5_read(
    hid_t dataset, int dimensions, unsigned long long first, unsigned long long rows, unsigned long long columns,
    hid_t row_type, int is_enumeration, double *numbers) {
  hsize_t start[2] = {first, 0}, count[2] = {rows, columns};
  hid_t space = H5Dget_space(dataset);
  if (space < 0) return -1;
  int status = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
  hid_t memory = H5Screate_simple(dimensions, count, NULL);
  if (status >= 0 && memory >= 0) {
    if (is_enumeration) {
      hid_t type = H5Dget_type(dataset), base = H5Tget_super(type);
      size_t size = H5Tget_size(base), total = rows * (dimensions == 2 ? columns : 1);
      // An enumeration of bytes, read as it is into the end of the result, then widened from the front.
      signed char *bytes = (signed char *)numbers + 7 * total;
      status = size == 1 ? H5Dread(dataset, type, memory, space, H5P_DEFAULT, bytes) : -1;
      for (size_t i = 0; status >= 0 && i < total; i++) {
        signed char byte = bytes[i];
        numbers[i] = byte;
      }
      H5Tclose(base);
      H5Tclose(type);
    } else {
      status = H5Dread(
          dataset, row_type < 0 ? H5T_NATIVE_DOUBLE : row_type, memory, space, H5P_DEFAULT, numbers);
    }
  } else {
    status = -1;
  }
  if (memory >= 0) H5Sclose(memory);
  H5Sclose(space);
  return status;
}

// Errors become return values; libhdf5 prints nothing.
static inline void isomix_h5_be_silent(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }
#endif
