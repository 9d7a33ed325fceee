import type { BuildRecord } from '../../../schemas/build-step.ts';
import { followTold } from '../host/follow.ts';
import type { Host } from '../host/host.ts';
import { Interrupted } from '../io/exit.ts';
import type { Io } from '../io/io.ts';
import type { Progress } from '../output/progress.ts';

/**
 * Shows the steps of a build until it ends; of another build than that, nothing. Rejects nothing: they are shown beside
 * what counts.
 */
export async function followSteps(
  io: Io,
  host: Host,
  { name, buildId }: { name: string; buildId: string },
  progress: Progress,
): Promise<void> {
  const path = `/programs/${encodeURIComponent(name)}/build-log?format=json&follow=true`;
  const steps = new Map<number, { name: string; started: string | null }>();
  let isOther = false;
  try {
    for await (const { type, data } of followTold(io, host, path, 'done')) {
      const record = { kind: type, ...(data as object) } as BuildRecord;
      if (record.kind === 'build') {
        isOther = record.build_id !== buildId;
        steps.clear();
      }
      if (isOther) continue;
      if (record.kind === 'step') {
        steps.set(record.number, record);
        progress.doing(record.name);
      }
      if (record.kind === 'end') end(steps.get(record.number), record, progress);
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) progress.doing('the steps of the build can not be had');
  }
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
