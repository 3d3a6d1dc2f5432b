typedef int job_placeholder; /* goes with the first file of this layer */
