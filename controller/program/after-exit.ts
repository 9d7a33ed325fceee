import type { Container } from '../../schemas/container.ts';
import { finishedOf, type ProgramMemory, withRest } from '../../schemas/memory.ts';
import { type ProgramSpec, timestamp } from '../../schemas/program.ts';
import { ended, endOf, isAccounted } from './transitions.ts';
import { backOffMs } from './waits.ts';

/** Who is started again at once after the engine went down has to run this long to be taken down once more. */
const SHORT_RUN_MS = 1_000;
/** A run this long wipes the slate (design: numbers). */
export const HEALTHY_RUN_MS = 10 * 60_000;

/**
 * What is remembered after a container ended by itself; the same memory back where that is accounted for already.
 * @param wasTakenDown it ended with the engine or the machine: no crash, and its exit code says nothing of its work
 */
export function afterExit(
  memory: ProgramMemory,
  container: Container,
  spec: ProgramSpec,
  specHash: string,
  nowMs: number,
  wasTakenDown = false,
): ProgramMemory {
  if (container.startedAtMs === 0 || isAccounted(memory, container)) return memory;
  const { exitCode } = container;
  // One that ends at once, again and again, does so by itself, whatever a clock that jumped says of the engine.
  const before = memory.containers[container.id]?.run?.end;
  const isShort = container.finishedAtMs - container.startedAtMs < SHORT_RUN_MS;
  const wasRunAgain = isShort && before === 'withEngine';
  const isTakenDown = wasTakenDown && !wasRunAgain && !(isShort && before === 'crashed');
  const { crashes, ...others } = memory.starts;
  // What may have been ended by the engine is rather run once more than taken for done.
  const isDoubtful = wasTakenDown && !wasRunAgain;
  const succeeded = exitCode === 0 && endOf(memory, container) !== 'unhealthy' && !isDoubtful;
  if (isLeftAtEnd(spec, succeeded)) {
    const rest = { why: 'finished', specHash, exitCode, overtaken: false } as const;
    return { ...ended(withRest(memory, rest), container, 'finished'), starts: others };
  }
  // It had come to an end before, was started by hand, and this end is another.
  const isAnother = finishedOf(memory)?.specHash === specHash;
  // Nor does it rest since that was asked for: it has run, though nobody saw it up.
  const known = isAnother || memory.program.rest?.why === 'asked' ? withRest(memory) : memory;
  const isCalm = container.finishedAtMs - container.startedAtMs >= HEALTHY_RUN_MS;
  // What it was ended for by the host is its own fault, whatever went down meanwhile.
  if (isTakenDown && endOf(memory, container) !== 'unhealthy')
    return { ...ended(known, container, 'withEngine'), starts: isCalm ? others : memory.starts };
  const count = (isCalm ? 0 : (crashes?.count ?? 0)) + 1;
  return {
    ...ended(known, container, 'crashed'),
    starts: { ...others, crashes: { count, nextAt: timestamp(nowMs + backOffMs(count)) } },
  };
}

/** Whether what has come to its end is not started again. */
function isLeftAtEnd({ restartPolicy }: Pick<ProgramSpec, 'restartPolicy'>, succeeded: boolean): boolean {
  return restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && succeeded);
}

/** The memory without an end that a program of that policy is not left at. */
export function forgetEnd(memory: ProgramMemory, spec: Pick<ProgramSpec, 'restartPolicy'>): ProgramMemory {
  const end = finishedOf(memory);
  return end === undefined || isLeftAtEnd(spec, end.exitCode === 0) ? memory : withRest(memory);
}
