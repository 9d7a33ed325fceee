import { join } from 'node:path';
import type { Clock } from '../../schemas/clock.ts';
import { codeOf, messageOf } from '../../schemas/errors.ts';
import { isRecord } from '../../schemas/is-record.ts';
import type { Pause, PauseAsked, Paused } from '../../schemas/pause.ts';
import { timestamp } from '../../schemas/program.ts';
import { createSerial } from '../../schemas/serial.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import { dataUnavailable } from './data-unavailable.ts';

const FILE = 'pauses.json';

/**
 * What the host is to leave alone, in `data/pauses.json`: a wish about this host and not about a program, so that no
 * commit carries it to another host, and none takes it away (ADR 20).
 */
export interface Pauses {
  /** Why that program is left alone: its own pause, before that of the host; undefined where it is not. */
  of(name: string): Paused | undefined;
  /** Of everything. */
  host(): Pause | undefined;
  /** By name, sorted: those that were named, be they known or not. */
  named(): [name: string, pause: Pause][];
  /**
   * Of one program, or of everything where none is named. One that stands already is left as it is.
   * Rejects `RegistryUnavailable`; then nothing has changed.
   * @returns the pause that stands, and whether it is this one
   */
  pause(name: string | undefined, asked: PauseAsked): Promise<{ pause: Pause; changed: boolean }>;
  /** Ends it. @returns what stood; undefined where none did. Rejects `RegistryUnavailable` */
  resume(name: string | undefined): Promise<Pause | undefined>;
}

interface Standing {
  host: Pause | undefined;
  programs: ReadonlyMap<string, Pause>;
}

/**
 * A file that can not be understood may have held anything, so that everything counts as paused until somebody says
 * otherwise: to leave alone what should run is the lesser harm.
 * @param onChange told of the program whose pause changed; undefined: of the host's, and so of all
 * @param suspecting see `Records`
 */
export async function openPauses(
  data: string,
  clock: Pick<Clock, 'now'>,
  onChange: (name: string | undefined) => void,
  suspecting: <T>(work: Promise<T>) => Promise<T>,
): Promise<Pauses> {
  const path = join(data, FILE);
  const exclusive = createSerial();
  let standing = await read(path, () => timestamp(clock.now()));

  async function write(next: Standing, name: string | undefined): Promise<void> {
    const { host, programs } = next;
    const text = JSON.stringify({ host: host ?? null, programs: Object.fromEntries(programs) });
    await suspecting(writeAtomic(path, `${text}\n`, { mode: 0o600 })).catch((error: unknown) => {
      throw dataUnavailable(FILE, 'written', error);
    });
    standing = next;
    onChange(name);
  }

  const ownOf = (name: string | undefined) =>
    name === undefined ? standing.host : standing.programs.get(name);

  return {
    of(name) {
      const own = standing.programs.get(name);
      if (own !== undefined) return { ...own, of: 'program' };
      return standing.host && { ...standing.host, of: 'host' };
    },
    host: () => standing.host,
    named: () => [...standing.programs].sort(([one], [other]) => (one < other ? -1 : 1)),
    pause: (name, { by, why }) =>
      exclusive(async () => {
        const before = ownOf(name);
        if (before !== undefined) return { pause: before, changed: false };
        const pause = { since: timestamp(clock.now()), by, why };
        const { host, programs } = standing;
        const next = name === undefined ? programs : new Map([...programs, [name, pause]]);
        await write({ host: name === undefined ? pause : host, programs: next }, name);
        return { pause, changed: true };
      }),
    resume: (name) =>
      exclusive(async () => {
        const before = ownOf(name);
        if (before === undefined) return undefined;
        const programs = new Map(standing.programs);
        if (name !== undefined) programs.delete(name);
        await write({ host: name === undefined ? undefined : standing.host, programs }, name);
        return before;
      }),
  };
}

async function read(path: string, now: () => string): Promise<Standing> {
  try {
    return standingIn(await readPlainFile(path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { host: undefined, programs: new Map() };
    const why = `data/${FILE} can not be read (${messageOf(error)}), so that nobody knows what was paused`;
    return { host: { since: now(), by: '', why }, programs: new Map() };
  }
}

/** Throws where the text is not one that was written here. */
function standingIn(text: string): Standing {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value) || !isRecord(value.programs)) throw new Error('it is not what the host wrote');
  const programs = Object.entries(value.programs).map(([name, one]): [string, Pause] => [name, pauseIn(one)]);
  return { host: value.host === null ? undefined : pauseIn(value.host), programs: new Map(programs) };
}

function pauseIn(value: unknown): Pause {
  if (!isRecord(value)) throw new Error('it is not what the host wrote');
  const { since, by, why } = value;
  if (typeof since !== 'string' || typeof by !== 'string' || typeof why !== 'string')
    throw new Error('it is not what the host wrote');
  return { since, by, why };
}
