import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeStatus } from '../../registry/records/status-text.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { emptyStatus } from '../../schemas/status.ts';

/** The files of `status/`: what is known to whoever comes next. */
export interface Ledgers {
  names(): string[];
  /** Undefined where there is none, or it is damaged. */
  get(name: string): ProgramStatus | undefined;
}

export function openLedgers(root: string): Ledgers {
  const folder = join(root, 'status');
  const known = new Map<string, { text: string; status: ProgramStatus | undefined }>();
  return {
    names() {
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
      return readdirSync(folder).flatMap((file) => /^(\w+)\.yaml$/.exec(file)?.[1] ?? []);
    },
    get(name) {
      const path = join(folder, `${name}.yaml`);
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      const before = known.get(name);
      if (before?.text === text) return before.status;
      const status = read(name, text);
      known.set(name, { text, status });
      return status;
    },
  };
}

function read(name: string, text: string): ProgramStatus | undefined {
  try {
    return decodeStatus(text, emptyStatus(name, 0));
  } catch {
    return undefined;
  }
}
