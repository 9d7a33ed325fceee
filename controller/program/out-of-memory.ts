import { type Container, isUp, short } from '../../schemas/container.ts';
import type { ProgramMemory } from '../../schemas/memory.ts';
import type { Situation } from '../../schemas/situation.ts';

/** What ends by it has ended by then, and is told as that. */
const GOES_ON_MS = 1_000;
/** A pool whose workers run out of memory one after the other is told of so often. */
const AGAIN_MS = 60_000;

type Known = Pick<Situation, 'memory' | 'containers' | 'nowMs'>;

/** Of what goes on though a process of it ran out of memory: that this is to be told, once its end would be known. */
function untold({ memory, containers }: Known): Container[] {
  return containers.filter(
    (one) =>
      isUp(one) &&
      one.oomToldMs > one.startedAtMs &&
      one.oomToldMs - (memory.containers[one.id]?.oomAtMs ?? 0) >= AGAIN_MS,
  );
}

/** Milliseconds until it is known whether what just ran out of memory goes on; 0 where nothing did. */
export function oomWaitMs(known: Known): number {
  const waits = untold(known).map(({ oomToldMs }) => oomToldMs + GOES_ON_MS - known.nowMs);
  // A clock that jumps back leaves no longer wait.
  return Math.min(GOES_ON_MS, Math.max(0, ...waits));
}

/** Remembers which processes were killed for want of memory while their program goes on. */
export function noteOom(known: Known): ProgramMemory {
  const { memory, nowMs } = known;
  const news = untold(known).filter(({ oomToldMs }) => nowMs - oomToldMs >= GOES_ON_MS);
  if (news.length === 0) return memory;
  const noted = news.map(
    ({ id, oomToldMs }) => [id, { ...memory.containers[id], oomAtMs: oomToldMs }] as const,
  );
  return { ...memory, containers: { ...memory.containers, ...Object.fromEntries(noted) } };
}

/** What people are told of it, a line for each container. */
export function oomNews(before: ProgramMemory, after: ProgramMemory): string[] {
  return Object.entries(after.containers).flatMap(([id, { oomAtMs }]) =>
    oomAtMs === undefined || oomAtMs === before.containers[id]?.oomAtMs
      ? []
      : `a process in ${short(id)} ran out of memory and was killed; the program itself goes on`,
  );
}
