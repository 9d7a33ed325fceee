import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { codeOf, messageOf } from '../../../schemas/errors.ts';
import { CliError, EXIT } from './exit.ts';
import type { Io } from './io.ts';

export interface TextFile {
  /** As it was named on the command line; `-` is what comes on standard input. */
  label: string;
  text: string;
}

/** A file, all `.yaml` and `.yml` of a folder (not below it), or `-`. Rejects `CliError` for what is not there. */
export async function readTexts(io: Io, name: string): Promise<TextFile[]> {
  if (name === '-') return [{ label: '-', text: await readStdin(io) }];
  const path = resolve(io.cwd, name);
  const stats = await stat(path).catch((error: unknown) => {
    throw notReadable(name, error);
  });
  if (!stats.isDirectory()) return [{ label: name, text: await textOf(path, name) }];
  const names = (await readdir(path)).filter((base) => /^[^.].*\.ya?ml$/.test(base)).sort();
  if (names.length === 0) throw new CliError(EXIT.notFound, `${name} holds no .yaml file`);
  return Promise.all(
    names.map(async (base) => ({ label: join(name, base), text: await textOf(join(path, base), base) })),
  );
}

async function textOf(path: string, name: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw notReadable(name, error);
  });
}

async function readStdin({ stdin }: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function notReadable(name: string, error: unknown): CliError {
  if (codeOf(error) === 'ENOENT') return new CliError(EXIT.notFound, `there is no ${name}`);
  return new CliError(EXIT.failed, `${name} can not be read: ${messageOf(error)}`);
}
