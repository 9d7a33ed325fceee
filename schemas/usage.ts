/** What a program used at one moment, or on average over a while. Unknown is null, never 0. */
export interface UsageSample {
  /** As a fraction of one core: 1.5 is one and a half. */
  cpu: number | null;
  /** Without the files that the kernel keeps only as long as there is room, as `docker stats` has it. */
  memoryBytes: number | null;
}

/** The newest figures of one program. */
export interface UsageFigures extends UsageSample {
  /** Of the container, in cores; null where there is none, or it is not known. */
  cpuLimit: number | null;
  memoryLimitBytes: number | null;
  /** When it was looked at; epoch milliseconds, 0 before the first time. */
  sampledAtMs: number;
  /** Why a figure is null, for people; `""` where none is. */
  reason: string;
}

/** Figures a step apart, oldest first, with null for gaps. */
export interface UsageSeries {
  /** When the first step begins; epoch milliseconds. */
  startMs: number;
  stepMs: number;
  /** Means of each step. */
  cpu: (number | null)[];
  /** The most of each step: what a limit is reached by. */
  memoryBytes: (number | null)[];
}
