import { createClient } from '../../../api/client.ts';
import { until } from '../poll.ts';
import { type Expected, type Shown, wrongIn } from './verdict.ts';

const SYNCED_MS_MAX = 60_000;

/** All that a host tells of its programs, held against what it may tell. */
export interface Watch {
  /** As all programs are by now. */
  shown: ReadonlyMap<string, Shown>;
  /** From now on that is to hold, until something else is. */
  expect(users: Expected['users']): void;
  /** What was wrong since it was asked last. */
  wrong(): string[];
  close(): void;
}

export async function openWatch(url: string): Promise<Watch> {
  const abort = new AbortController();
  const shown = new Map<string, Shown>();
  let expected: Expected | undefined;
  let wrong: string[] = [];
  let isSynced = false;
  const read = async (): Promise<void> => {
    for await (const message of createClient({ base: url }).follow('', abort.signal)) {
      if (message.type === 'synced') isSynced = true;
      const what = expected === undefined ? undefined : wrongIn(message, expected);
      if (what !== undefined) wrong.push(what);
      if (message.type === 'program') shown.set(message.data.program_id, message.data as unknown as Shown);
      if (message.type === 'removed') shown.delete(message.data.program_id);
    }
  };
  const reading = read().catch(() => {});
  void reading.then(() => {
    if (!abort.signal.aborted) wrong.push('the stream ended');
  });
  await until('the stream told of all programs', async () => isSynced, undefined, { limitMs: SYNCED_MS_MAX });
  return {
    shown,
    expect(users) {
      expected = { before: new Map(shown), users };
    },
    wrong() {
      const found = wrong;
      wrong = [];
      return found;
    },
    close: () => abort.abort(),
  };
}
