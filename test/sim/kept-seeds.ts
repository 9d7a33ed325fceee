/** Stories that once ended badly, and what they found. Each is played at every run of the tests. */
export const KEPT_SEEDS: readonly { seed: number; steps: number; found: string }[] = [
  { seed: 27, steps: 40, found: 'a port held by a pass that failed, and another by the next: one leaked' },
  { seed: 99, steps: 40, found: 'the same, where the port of the ledger was held by another program' },
  { seed: 14, steps: 40, found: 'Error without a reason, once a manifest that was never valid went missing' },
];
