import type { NamedEventBody } from '../../../client.ts';
import { LADDER, type LadderState, type Moments } from '../../parts/ladder-steps.ts';
import { msOf } from '../../words/span.ts';

export type EventBody = Omit<NamedEventBody, 'program_id'>;

/** What a deployment has come to, as the program's events tell it. */
export interface Progress {
  moments: Moments;
  failed: { at: LadderState; reason: string; message: string } | undefined;
}

/** Where it stands still for which reason. Other warnings stop nothing. */
const STOPS: Readonly<Record<string, LadderState>> = {
  ...{
    BuildFailed: 'Building',
    BuildNetworkFailed: 'Building',
    ImageNotFound: 'Building',
    ImageRefused: 'Building',
    DiskFull: 'Building',
  },
  ...{
    StartFailed: 'Starting',
    PortConflict: 'Starting',
    PortsExhausted: 'Starting',
    StateNotTaken: 'Starting',
  },
  ...{
    CrashLoopBackOff: 'Running',
    ProgressDeadlineExceeded: 'Running',
    RolledBack: 'Running',
    Unready: 'Running',
  },
};

/** Which events are of what was sent. */
export interface Begin {
  /** When the program was made, as the host has it; undefined for one that was there before. */
  createdAt: string | undefined;
  /** Time of its newest event before that, by the host's clock; `""` for none. */
  since: string;
}

/** Folds the events of a program, the oldest first. Pure. */
export function progressOf(events: readonly EventBody[], { createdAt, since }: Begin): Progress {
  const own = events.filter(({ time }) => time > since);
  const created = msOf(createdAt ?? own[0]?.time);
  const begun: Progress = { moments: created === undefined ? {} : { Created: created }, failed: undefined };
  return own.reduce(after, begun);
}

function after(progress: Progress, { reason, message, time }: EventBody): Progress {
  const stop = STOPS[reason];
  if (stop !== undefined) return { ...progress, failed: { at: stop, reason, message } };
  // Where an older one serves, no state tells that the new image is there; that its container is made does.
  const state = reason === 'Created' ? 'Built' : LADDER.find((one) => one === reason);
  const at = msOf(time);
  if (state === undefined || at === undefined) return progress;
  return reached(progress, state, at);
}

function reached({ moments, failed }: Progress, state: LadderState, at: number): Progress {
  const index = LADDER.indexOf(state);
  // Only a build begins anew; what is started again and again was started when it first was.
  const isAgain = moments[state] !== undefined && state !== 'Building';
  const before = Object.entries(moments).filter(([name]) => LADDER.indexOf(name as LadderState) < index);
  // One that crashes runs again and again: that it runs mends nothing.
  const isPast = failed !== undefined && failed.at !== 'Running' && LADDER.indexOf(failed.at) <= index;
  const isMended = state === 'Ready' || state === 'Building' || isPast;
  return {
    moments: isAgain ? moments : { ...Object.fromEntries(before), [state]: at },
    failed: isMended ? undefined : failed,
  };
}

/** Two lists of the same, as the stream and a question gave them: by time, nothing twice. */
export function merged(one: readonly EventBody[], other: readonly EventBody[]): EventBody[] {
  const byKey = new Map(
    [...one, ...other].map((event) => [`${event.time} ${event.reason} ${event.message}`, event]),
  );
  return [...byKey.values()].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}
