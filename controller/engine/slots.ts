/** Whose turn it is when places are few. */
export type SlotClass = 'calm' | 'crashing';

export interface Slots {
  /** Runs `work` when a place is free; those who wait get theirs in order, calm ones first. */
  run<T>(kind: SlotClass, work: () => Promise<T>): Promise<T>;
  /** How many run, how many wait, and how many may run at a time. */
  counts(): { running: number; waiting: number; max: number };
}

/**
 * At most `max` at a time, of which `reserved` are kept for programs without recent crashes, so that a hundred
 * crash loops do not delay the one healthy program that was killed.
 */
export function createSlots(max: number, reserved: number): Slots {
  let busy = 0;
  const waiting: Record<SlotClass, (() => void)[]> = { calm: [], crashing: [] };

  const admits = (kind: SlotClass) => busy < (kind === 'calm' ? max : max - reserved);
  const next = () => {
    for (const kind of ['calm', 'crashing'] as const) {
      while (waiting[kind].length > 0 && admits(kind)) {
        busy++;
        waiting[kind].shift()?.();
      }
    }
  };

  return {
    counts: () => ({ running: busy, waiting: waiting.calm.length + waiting.crashing.length, max }),
    async run(kind, work) {
      if (admits(kind) && waiting[kind].length === 0) busy++;
      else await new Promise<void>((resolve) => waiting[kind].push(resolve));
      try {
        return await work();
      } finally {
        busy--;
        next();
      }
    },
  };
}
