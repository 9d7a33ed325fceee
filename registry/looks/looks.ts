/** Looking at the folder: what lies there, when to look, and whether what is missing is believed to be gone. */

import type { Clock } from '../../schemas/clock.ts';
import { messageOf } from '../../schemas/errors.ts';
import { NAME_PATTERN } from '../../schemas/program.ts';
import type { Serial } from '../../schemas/serial.ts';
import { programOf } from '../paths.ts';
import { LOOK_MS } from './find-files.ts';
import { createOneLook, type OneLook, type OneLookOptions } from './one-look.ts';
import { createTurns, type Turns } from './turns.ts';

/** Looks at the files of a registry: now and then, whenever something hints at a change, and when git took a step. */
export interface Looks extends Pick<OneLook, 'scanned' | 'trouble'> {
  /** Looks now; resolves when it is done. */
  look(): Promise<void>;
  /** Looks after so many milliseconds, instead of when the next look was due. */
  schedule(ms: number): void;
  /** Takes a hint: paths relative to the root that changed. */
  hint(changed: ReadonlySet<string>): void;
  close(): void;
}

export interface LooksOptions extends OneLookOptions {
  /** Looks and edits go one after the other. */
  exclusive: Serial;
}

/** Of more manifests that are hinted at together all are looked at: some hints may not have come. */
const HINTS_MAX = 1_000;

/** What there is to look at. */
interface Agenda {
  /** All, whatever was hinted at. */
  isOwed: boolean;
  hinted: Set<string>;
  /** When the next look without a hint is due; monotonic milliseconds. */
  dueMs: number;
}

export function createLooks(options: LooksOptions): Looks {
  const { git, clock, onWarning } = options;
  const one = createOneLook(options);
  const turns = createTurns(options);
  const agenda: Agenda = { isOwed: true, hinted: new Set(), dueMs: 0 };
  let cancelLook: (() => void) | undefined;
  /** A look that was asked for and has not begun. */
  let pending: Promise<void> | undefined;
  let closed = false;

  async function lookNow(): Promise<void> {
    pending = undefined;
    if (closed) return;
    cancelLook?.();
    const againMs = await workOff(agenda, one, turns, clock);
    plan(Math.min(againMs || LOOK_MS, Math.max(0, agenda.dueMs - clock.monotonic())));
  }

  function plan(ms: number): void {
    if (closed) return;
    cancelLook?.();
    cancelLook = clock.after(ms, () => void run());
  }

  function run(): Promise<void> {
    // Hints come faster than looks when much changes; one that has not begun yet sees it all.
    pending ??= options.exclusive(lookNow).catch((error: unknown) => {
      onWarning({ error: messageOf(error) }, 'the registry could not be looked at');
      agenda.isOwed = true;
      plan(LOOK_MS);
    });
    return pending;
  }

  function look(): Promise<void> {
    agenda.isOwed = true;
    return run();
  }

  return {
    ...{ look, scanned: one.scanned, trouble: one.trouble },
    schedule(ms) {
      agenda.isOwed = true;
      plan(ms);
    },
    hint(changed) {
      const { manifests, others } = toldApart(changed);
      if (git !== undefined) {
        for (const path of others) one.note(path);
        if (others.size > 0) git.touch();
        return void look();
      }
      options.notify([], others);
      const names = manifests.map(programOf);
      if (!names.every(isName)) return void look();
      for (const name of names) agenda.hinted.add(name);
      if (names.length > 0) void run();
    },
    close() {
      closed = true;
      cancelLook?.();
    },
  };
}

/** Looks at what is on the agenda now. Gives the milliseconds after which to look again before it is due; 0 for none. */
async function workOff(agenda: Agenda, one: OneLook, turns: Turns, clock: Clock): Promise<number> {
  const { isOwed, hinted, dueMs } = agenda;
  const isAll = isOwed || hinted.size > HINTS_MAX;
  const isDue = clock.monotonic() >= dueMs;
  const names = [...hinted];
  hinted.clear();
  agenda.isOwed = false;
  const isTurn = !isAll && isDue && (await turns.isDue());
  const againMs = isAll || isTurn ? undefined : await one.lookAt(names);
  if (againMs === undefined) {
    await turns.begin();
    const waitMs = await one.look();
    // Sooner than by itself: there is something that this look could not bring to its end.
    agenda.isOwed ||= waitMs < LOOK_MS;
    agenda.dueMs = clock.monotonic() + waitMs;
    return 0;
  }
  if (againMs > 0) for (const name of names) hinted.add(name);
  if (isDue) agenda.dueMs = clock.monotonic() + LOOK_MS;
  return againMs;
}

/** What has to do with manifests and the host's own folders, and the rest: sources. */
function toldApart(paths: ReadonlySet<string>): { manifests: string[]; others: Set<string> } {
  const isOwn = (path: string) => OWN.includes(path) || path.startsWith('programs/');
  const all = [...paths];
  return { manifests: all.filter(isOwn), others: new Set(all.filter((path) => !isOwn(path))) };
}

const OWN = ['', 'programs', 'status', 'data'];

const isName = (name: string | undefined): name is string => name !== undefined && NAME_PATTERN.test(name);
