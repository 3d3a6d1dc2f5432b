/* clones.h: a function compiled for several generations of processors, of which the loader takes the best that this
 * machine has. */
#ifndef WAVEFORM_CLONES_H
#define WAVEFORM_CLONES_H

/* clang 14 takes no arch=… there, and the sanitizers of gcc run before the choice can be made. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&               \
	!defined(__SANITIZE_THREAD__)
#define WAVEFORM_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define WAVEFORM_CLONES
#endif

#endif
