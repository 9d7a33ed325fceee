import type { BuildRecord } from '../../../schemas/build-step.ts';
import { followTold } from '../host/follow.ts';
import type { Host } from '../host/host.ts';
import { Interrupted } from '../io/exit.ts';
import type { Io } from '../io/io.ts';
import type { Progress } from '../output/progress.ts';

/** Before the build is begun, the newest is another one. */
const AGAIN_MS = 500;

export interface StepsOptions {
  name: string;
  buildId: string;
  progress: Progress;
  /** Called when that build is seen. */
  onBegin(): void;
}

/**
 * Shows the steps of a build, once it is begun, until it ends; of another build nothing. Rejects nothing: they are shown
 * beside what counts.
 */
export async function followSteps(io: Io, host: Host, options: StepsOptions): Promise<void> {
  try {
    while (!io.signal.aborted && !(await followNewest(io, host, options)))
      await io.delay(AGAIN_MS, io.signal);
  } catch (error) {
    if (!(error instanceof Interrupted)) options.progress.doing('the steps of the build can not be had');
  }
}

/** Gives whether the newest build is the one that is meant, and has ended. */
async function followNewest(
  io: Io,
  host: Host,
  { name, buildId, progress, onBegin }: StepsOptions,
): Promise<boolean> {
  const path = `/programs/${encodeURIComponent(name)}/build-log?format=json&follow=true`;
  const steps = new Map<number, { name: string; started: string | null }>();
  let isOwn = false;
  for await (const { type, data } of followTold(io, host, path, { last: 'done', mayBeEmpty: true })) {
    const record = { kind: type, ...(data as object) } as BuildRecord;
    if (record.kind === 'build') {
      isOwn = record.build_id === buildId;
      if (isOwn) onBegin();
      steps.clear();
    }
    if (!isOwn) continue;
    if (record.kind === 'step') {
      steps.set(record.number, record);
      progress.doing(record.name);
    }
    if (record.kind === 'end') end(steps.get(record.number), record, progress);
  }
  return isOwn;
}

function end(
  step: { name: string; started: string | null } | undefined,
  { completed, cached, error }: BuildRecord & { kind: 'end' },
  progress: Progress,
): void {
  if (step === undefined) return;
  const ms = Date.parse(completed ?? '') - Date.parse(step.started ?? '');
  const took = Number.isNaN(ms) ? '' : ` ${(ms / 1_000).toFixed(1)}s`;
  if (error === '') progress.done(`${step.name}${cached === true ? ' (cached)' : took}`);
  else if (error !== 'canceled') progress.failed(step.name);
}
