import type { ProgramBody } from '../../../routes/view.ts';
import type { EventBody } from '../../words/event-body.ts';
import { isNews, reasonOf } from '../../words/kind.ts';
import { msOf } from '../../words/span.ts';

/** What is wrong, by the condition that tells since when; any other reason is told by its events. */
const BY_CONDITION: Record<string, string> = {
  InvalidManifest: 'Valid',
  ManifestMissing: 'Valid',
  EngineUnavailable: 'EngineUnavailable',
  ProgressDeadlineExceeded: 'Progressing',
};

/** Behind these it is another trouble, be it of the same name. */
const NEW_BEGIN =
  /^(Ready|Stopped|ManifestChanged|SourcesChanged|ManifestReplaced|SourcesReplaced|[A-Z][a-z]+Requested)$/;

/**
 * Since when what is wrong is wrong, epoch milliseconds; undefined where nothing is, or that is not known. What is
 * tried again and again is as old as the first time.
 */
export function troubleSince(p: ProgramBody, events: readonly EventBody[]): number | undefined {
  const reason = reasonOf(p);
  if (isNews(reason)) return undefined;
  if (p.reason === '' && p.not_ready !== null) return msOf(p.not_ready.since);
  const type = BY_CONDITION[reason];
  const told = type === undefined ? ofSeries(reason, events) : undefined;
  return told ?? conditionSince(p, type ?? 'Progressing') ?? conditionSince(p, 'Ready') ?? msOf(p.updated_at);
}

function conditionSince({ conditions }: ProgramBody, type: string): number | undefined {
  const found = conditions.find((one) => one.type === type);
  const isWrong = type === 'EngineUnavailable' ? found?.status === 'True' : found?.status !== 'True';
  return isWrong ? msOf(found?.last_transition_time) : undefined;
}

/** The oldest event of that reason since it began. */
function ofSeries(reason: string, events: readonly EventBody[]): number | undefined {
  let oldest: EventBody | undefined;
  let count = Number.POSITIVE_INFINITY;
  for (const event of [...events].reverse()) {
    if (event.reason === reason) {
      // Crashes in a row are counted, and what ran long enough is not of that row. It may have been ready meanwhile.
      const times = Number(/^exited (\d+) times in a row/.exec(event.message)?.[1] ?? Number.NaN);
      if (times > count) break;
      if (!Number.isNaN(times)) count = times;
      oldest = event;
    } else if (count === Number.POSITIVE_INFINITY && NEW_BEGIN.test(event.reason) && oldest !== undefined)
      break;
  }
  return msOf(oldest?.time);
}

/** Since when it is in the state that it is in, as far as that is known. */
export function stateSince(p: ProgramBody): number | undefined {
  if (p.state === 'Ready') return msOf(p.ready_at) ?? msOf(p.updated_at);
  if (p.state === 'Running') return msOf(p.not_ready?.since) ?? msOf(p.started_at);
  return msOf(p.updated_at);
}
