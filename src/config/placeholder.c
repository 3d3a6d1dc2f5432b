typedef int config_placeholder; /* goes with the first file of this layer */
