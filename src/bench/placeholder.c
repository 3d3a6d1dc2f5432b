typedef int bench_placeholder; /* goes with the first file of this layer */
