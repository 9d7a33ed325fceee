import { open } from 'node:fs/promises';
import { AppError, codeOf } from '../../schemas/errors.ts';
import type { StoredToken } from '../../schemas/token.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { statKey, statKeyNow } from '../files/settle.ts';
import { parseTokens } from './tokens-text.ts';

/** Ten thousand tokens, and room for comments. */
const BYTES_MAX = 8 * 2 ** 20;
const OTHERS = 0o077;
const TRIES_MAX = 5;

export interface TokensFile {
  tokens: StoredToken[];
  text: string;
  /** Equal for a file that was not touched. */
  key: string;
}

/** Rejects `BadRequest` in words for people: it is not there, others may read it, it is broken. */
export async function readTokensFile(file: string): Promise<TokensFile> {
  const { text, key } = await readText(file);
  return { tokens: parseTokens(text, file), text, key };
}

/**
 * Writes the file anew, whole or not at all, and readable by its owner alone; what somebody else wrote meanwhile is read
 * again and kept. Gives what `change` gave beside the text. Rejects `BadRequest`.
 * @param change of `""` where there is no file and `mayCreate`
 */
export async function changeTokensFile<T>(
  file: string,
  mayCreate: boolean,
  change: (text: string) => { text: string; result: T },
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const before = await readText(file).catch((error: unknown) => {
      if (mayCreate && error instanceof AppError && codeOf(error.cause) === 'ENOENT')
        return { text: '', key: undefined };
      throw error;
    });
    const { text, result } = change(before.text);
    const isNew = before.key === undefined;
    const beforeRename = () => {
      if (statKeyNow(file) !== before.key) throw new Changed();
    };
    try {
      await writeAtomic(file, text, { mode: 0o600, exclusive: isNew, ...(!isNew && { beforeRename }) });
      return result;
    } catch (error) {
      const isRaced = error instanceof Changed || (isNew && codeOf(error) === 'EEXIST');
      if (!isRaced || tries === TRIES_MAX)
        throw new AppError(
          'BadRequest',
          `${file} can not be written: ${codeOf(error) || 'it keeps changing'}`,
        );
    }
  }
}

class Changed extends Error {}

async function readText(file: string): Promise<{ text: string; key: string }> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    const why = codeOf(cause) === 'ENOENT' ? 'is not there' : `can not be read (${codeOf(cause)})`;
    throw new AppError('BadRequest', `${file} ${why}`, {
      cause,
      hint: `hershctl token create --file ${file} --name NAME --role admin makes it`,
    });
  });
  try {
    // Of the file that is open, whatever lies at its name by now.
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw new AppError('BadRequest', `${file} is no file`);
    if ((Number(stats.mode) & OTHERS) !== 0)
      throw new AppError('BadRequest', `${file} may be read by others`, { hint: `chmod 600 ${file}` });
    if (stats.size > BYTES_MAX) throw new AppError('BadRequest', `${file} is larger than ${BYTES_MAX} bytes`);
    return { text: await handle.readFile('utf8'), key: statKey(stats) };
  } finally {
    await handle.close();
  }
}
