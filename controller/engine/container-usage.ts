/** Where a container runs, and what it uses: what figures are made of. */

export interface ContainerPlace {
  /** Its first process, where the engine is reached as one of this machine is. It may be of another all the same. */
  pid?: number;
  /** In cores; null where there is none, as of memory. */
  cpuLimit: number | null;
  memoryLimitBytes: number | null;
}

/** Null where the engine does not tell. */
export interface ContainerUsage {
  /** CPU time, in nanoseconds. */
  cpuNanos: number | null;
  /** Without what the kernel gives back when memory is needed. */
  memoryBytes: number | null;
}
