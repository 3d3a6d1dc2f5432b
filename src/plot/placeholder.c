typedef int plot_placeholder; /* goes with the first file of this layer */
