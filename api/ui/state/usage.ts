import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { UsageBody } from '../../routes/usage.ts';
import { client } from './client.ts';

/** Figures are taken every 15 s by the host, and asked for as often. */
const ASK_MS = 15_000;

const all = new Map<string, Signal<UsageBody | undefined>>();

/** What a program uses, with the series of the last hour; undefined before the first answer. */
export function usageOf(name: string): ReadonlySignal<UsageBody | undefined> {
  let found = all.get(name);
  if (found === undefined) {
    found = signal(undefined);
    all.set(name, found);
  }
  return found;
}

/** What does not run any more uses nothing that is known: the last figure goes with it, and not with the next answer. */
export function noteStopped(name: string): void {
  const known = all.get(name);
  const figures = known?.peek();
  if (known !== undefined && figures !== undefined)
    known.value = { ...figures, cpu: null, memory_bytes: null, reason: 'it does not run' };
}

async function ask(): Promise<void> {
  const programs = await client.usages().catch(() => undefined);
  if (programs === undefined) return;
  batch(() => {
    const told = new Set<string>();
    for (const one of programs) {
      told.add(one.program_id);
      const known = all.get(one.program_id);
      if (known === undefined) all.set(one.program_id, signal(one));
      else if (known.peek()?.sampled_at !== one.sampled_at || one.reason !== known.peek()?.reason)
        known.value = one;
    }
    for (const [name, known] of all) if (!told.has(name)) known.value = undefined;
  });
}

/** Part of its limit that it uses, 0 to 1; null where that is not known. */
export function partOf(used: number | null | undefined, limit: number | null | undefined): number | null {
  return used == null || limit == null || limit === 0 ? null : used / limit;
}

export function startUsage(): void {
  void ask();
  setInterval(() => {
    if (document.visibilityState === 'visible') void ask();
  }, ASK_MS);
}
