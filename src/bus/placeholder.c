typedef int bus_placeholder; /* goes with the first file of this layer */
