/* Room for a file beyond its end, which the Glibc module leaves out. */
#ifdef __linux__
#include <sys/types.h>
extern int fallocate(int descriptor, int mode, off_t offset, off_t length);
#endif
