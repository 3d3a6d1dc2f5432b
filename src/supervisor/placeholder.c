typedef int supervisor_placeholder; /* goes with the first file of this layer */
