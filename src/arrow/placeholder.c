typedef int arrow_placeholder; /* goes with the first file of this layer */
