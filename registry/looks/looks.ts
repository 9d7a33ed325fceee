/** Looking at the folder: what lies there, when to look, and whether what is missing is believed to be gone. */

import { messageOf } from '../../schemas/errors.ts';
import type { Serial } from '../files/serial.ts';
import { LOOK_MS } from './find-files.ts';
import { createOneLook, type OneLook, type OneLookOptions } from './one-look.ts';

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

export function createLooks(options: LooksOptions): Looks {
  const { git, clock, onWarning } = options;
  const one = createOneLook(options);
  let cancelLook: (() => void) | undefined;
  /** A look that was asked for and has not begun. */
  let pending: Promise<void> | undefined;
  let closed = false;

  async function lookNow(): Promise<void> {
    pending = undefined;
    if (closed) return;
    cancelLook?.();
    schedule(await one.look());
  }

  function schedule(ms: number): void {
    if (closed) return;
    cancelLook?.();
    cancelLook = clock.after(ms, () => void look());
  }

  function look(): Promise<void> {
    // Hints come faster than looks when much changes; one that has not begun yet sees it all.
    pending ??= options.exclusive(lookNow).catch((error: unknown) => {
      onWarning({ error: messageOf(error) }, 'the registry could not be looked at');
      schedule(LOOK_MS);
    });
    return pending;
  }

  return {
    ...{ look, schedule, scanned: one.scanned, trouble: one.trouble },
    hint(changed) {
      const others = [...changed].filter(
        (path) => !['', 'programs', 'status', 'data'].includes(path) && !path.startsWith('programs/'),
      );
      if (git === undefined) options.notify([], new Set(others));
      else for (const path of others) one.note(path);
      if (others.length > 0) git?.touch();
      if (git !== undefined || others.length < changed.size) void look();
    },
    close() {
      closed = true;
      cancelLook?.();
    },
  };
}
