import { join } from 'node:path';
import { writeAtomic } from '../files/atomic-write.ts';
import { readPlainFile } from '../files/read-plain-file.ts';

/** Names whose absence waits for somebody's word, in `data/unconfirmed.json`: the next host must not forget them. */
export interface Unconfirmed {
  /** As the host before left them. */
  names: readonly string[];
  /** Writes them where they changed; never rejects. */
  keep(names: readonly string[]): Promise<void>;
}

/** @param onError told what could not be written */
export async function openUnconfirmed(data: string, onError: (error: unknown) => void): Promise<Unconfirmed> {
  const path = join(data, 'unconfirmed.json');
  const names = namesIn(await readPlainFile(path).catch(() => '[]'));
  let written = JSON.stringify(names);
  return {
    names,
    async keep(next) {
      const text = JSON.stringify(next);
      if (text === written) return;
      try {
        await writeAtomic(path, `${text}\n`, { mode: 0o600 });
        written = text;
      } catch (error) {
        onError(error);
      }
    },
  };
}

function namesIn(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}
