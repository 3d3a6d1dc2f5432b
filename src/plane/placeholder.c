typedef int plane_placeholder; /* goes with the first file of this layer */
