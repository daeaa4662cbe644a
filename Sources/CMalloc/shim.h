/* The tuning interface of the C library's allocator, which the Glibc module leaves out. */
#ifdef __linux__
#include <malloc.h>
#endif
