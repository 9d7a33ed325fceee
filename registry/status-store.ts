import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { AppError, codeOf } from '../schemas/errors.ts';
import {
  API_VERSION,
  NAME_PATTERN,
  PROGRAM_STATES,
  type ProgramStatus,
  proxyUrl,
  timestamp,
} from '../schemas/program.ts';
import { stableJson } from '../schemas/stable-json.ts';
import { writeAtomic } from './atomic-write.ts';

const SUFFIX = '.yaml';

/**
 * The ledger: one status a program, in memory and in `status/`. Written before a program's first engine object,
 * removed after its last. The controller alone writes; everybody reads.
 */
export interface StatusStore {
  get(name: string): ProgramStatus | undefined;
  /** Sorted. */
  names(): string[];
  /** Files that could not be read, with why; they are rebuilt from labels. */
  damaged(): ReadonlyMap<string, string>;
  /**
   * Keeps a status and writes it where it differs. In memory it counts at once, so that the host goes on with a
   * full disk; the promise rejects `RegistryUnavailable` when the file could not be written.
   */
  put(status: ProgramStatus, options?: { durable?: boolean }): Promise<void>;
  remove(name: string): Promise<void>;
  /** Calls back with a name after every change. */
  subscribe(listener: (name: string) => void): () => void;
}

/** Reads `status/`. Rejects `RegistryUnavailable` for a file of a newer version, which must not be overwritten. */
export async function openStatusStore(folder: string): Promise<StatusStore> {
  const statuses = new Map<string, ProgramStatus>();
  const damaged = new Map<string, string>();
  /** What the file says, so that equal text is not written again. */
  const written = new Map<string, string>();
  const listeners = new Set<(name: string) => void>();
  /** Writes of one file go one after the other. */
  const tails = new Map<string, Promise<void>>();

  for (const file of await readdir(folder)) {
    const name = file.slice(0, -SUFFIX.length);
    if (!file.endsWith(SUFFIX) || !NAME_PATTERN.test(name)) continue;
    try {
      statuses.set(name, decode(name, await readFile(join(folder, file), 'utf8')));
    } catch (error) {
      if (error instanceof AppError) throw error;
      damaged.set(name, error instanceof Error ? error.message : String(error));
    }
  }

  const enqueue = (name: string, work: () => Promise<void>): Promise<void> => {
    const next = (tails.get(name) ?? Promise.resolve()).then(work, work);
    tails.set(name, next);
    const done = () => {
      if (tails.get(name) === next) tails.delete(name);
    };
    next.then(done, done);
    return next;
  };
  const notify = (name: string) => {
    for (const listener of listeners) listener(name);
  };
  const unavailable = (name: string, error: unknown) =>
    new AppError(
      'RegistryUnavailable',
      `status/${name}.yaml can not be written: ${codeOf(error) || String(error)}`,
      {
        cause: error,
        hint: 'Free disk space or mend the permissions of status/.',
      },
    );

  return {
    get: (name) => statuses.get(name),
    names: () => [...statuses.keys()].sort(),
    damaged: () => damaged,
    async put(status, { durable = false } = {}) {
      const { name } = status;
      const known = statuses.get(name);
      if (known === undefined || stableJson(known) !== stableJson(status)) {
        statuses.set(name, status);
        damaged.delete(name);
        notify(name);
      } else if (written.has(name)) {
        return;
      }
      await enqueue(name, async () => {
        const latest = statuses.get(name);
        if (latest === undefined) return;
        const text = encode(latest);
        if (written.get(name) === text) return;
        try {
          await writeAtomic(join(folder, `${name}${SUFFIX}`), text, { mode: 0o600, durable });
        } catch (error) {
          written.delete(name);
          throw unavailable(name, error);
        }
        written.set(name, text);
      });
    },
    async remove(name) {
      statuses.delete(name);
      damaged.delete(name);
      await enqueue(name, async () => {
        written.delete(name);
        await rm(join(folder, `${name}${SUFFIX}`), { force: true });
      });
      notify(name);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The status of a program nothing is known about yet. */
export function emptyStatus(name: string, nowMs: number): ProgramStatus {
  const now = timestamp(nowMs);
  return {
    name,
    state: 'Created',
    reason: '',
    errorMsg: '',
    observedGeneration: 0,
    observedRevision: '',
    currentRevision: 0,
    conditions: [],
    userId: '',
    buildId: '',
    imageId: '',
    containerId: '',
    publishPort: 0,
    proxyUrl: proxyUrl(0),
    restartCount: 0,
    createdAt: now,
    startedAt: '',
    readyAt: '',
    updatedAt: now,
    lastExit: null,
    memory: {},
  };
}

function encode(status: ProgramStatus): string {
  const { name, ...rest } = status;
  const document = { apiVersion: API_VERSION, kind: 'ProgramStatus', metadata: { name }, status: rest };
  return `# Written by Hersh Host. What is wanted stands in programs/${name}.yaml.\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

function decode(name: string, text: string): ProgramStatus {
  const document = parse(text) as {
    apiVersion?: unknown;
    kind?: unknown;
    metadata?: { name?: unknown };
    status?: Partial<ProgramStatus>;
  } | null;
  if (document === null || document.kind !== 'ProgramStatus' || typeof document.status !== 'object') {
    throw new Error('it is not a ProgramStatus');
  }
  if (document.apiVersion !== API_VERSION) {
    throw new AppError(
      'RegistryUnavailable',
      `status/${name}.yaml is of version ${String(document.apiVersion)}, and this host knows ${API_VERSION} only`,
      { hint: 'It was written by a newer Hersh Host: start that one, or move the file away.' },
    );
  }
  if (document.metadata?.name !== name) throw new Error('metadata.name is not the name of the file');
  const status = { ...emptyStatus(name, 0), ...document.status, name };
  const strings = [status.createdAt, status.buildId, status.containerId, status.imageId, status.userId];
  const sound =
    PROGRAM_STATES.includes(status.state) &&
    Number.isInteger(status.publishPort) &&
    Array.isArray(status.conditions) &&
    typeof status.memory === 'object' &&
    status.memory !== null &&
    strings.every((value) => typeof value === 'string');
  if (!sound) throw new Error('a field is missing or of the wrong type');
  return status;
}
