import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Filter, FORM, ignoreFileNames } from '../../../registry/contexts/form.ts';
import { createWork } from '../../../registry/contexts/work.ts';
import { BODY_BYTES_MAX } from '../../../schemas/body-limit.ts';
import { AppError, codeOf, messageOf } from '../../../schemas/errors.ts';
import { gitsOwn } from '../../../schemas/names-of-git.ts';
import { SOURCE_FILES_MAX, sourceFiles } from '../../routes/source-names.ts';
import { CliError, EXIT } from '../io/exit.ts';

/** What is sent of a folder. */
export interface Folder {
  /** Its text. */
  dockerfile: string;
  /** The others by their names. */
  files: Record<string, string>;
  /** What will not be as it is here. */
  warnings: string[];
}

interface Found {
  name: string;
  path: string;
  bytes: number;
  isExecutable: boolean;
}

const DOCKERFILE = 'Dockerfile';
/** Of those that are told. */
const NAMES_MAX = 5;
const EXECUTABLE = 0o111;

/**
 * The files that an image is built of, as the host would read them: without what `.dockerignore` leaves out, what is
 * git's own and what editors leave. Rejects `CliError` for a folder that can not be sent, with all that is wrong.
 * @param label of the folder, for words
 */
export async function readFolder(path: string, label: string): Promise<Folder> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) throw new CliError(EXIT.notFound, `there is no ${label}`);
  if (!stats.isDirectory()) throw new CliError(EXIT.usage, `${label} is no folder`);
  const dockerfile = await readFile(join(path, DOCKERFILE), 'utf8').catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT')
      throw failed(`${label}/${DOCKERFILE} can not be read: ${messageOf(error)}`);
    throw new CliError(
      EXIT.notFound,
      `${label} has no Dockerfile`,
      'It says how the image is built; write one.',
    );
  });
  if (dockerfile.trim() === '') throw failed(`${label}/${DOCKERFILE} is empty`);
  const { ignoreFile, filter } = await readFilter(path, label);
  const { found, refused } = await walk(path, filter);
  // What says what is left out goes along, whether or not it leaves out itself.
  if (ignoreFile !== undefined && !found.some(({ name }) => name === ignoreFile))
    found.push({ name: ignoreFile, path: join(path, ignoreFile), bytes: 0, isExecutable: false });
  mustFit(found, label);
  const { files, binary } = await textsOf(found);
  const problems = [...refused, ...binary];
  if (problems.length > 0) throw notSendable(label, problems);
  delete files[DOCKERFILE];
  mustBeNamed(files, dockerfile);
  const executable = found.filter((one) => one.isExecutable).map(({ name }) => name);
  return { dockerfile, files, warnings: executable.length === 0 ? [] : [notExecutable(executable)] };
}

async function readFilter(path: string, label: string): Promise<{ ignoreFile?: string; filter: Filter }> {
  const build = { context: '.', dockerfile: DOCKERFILE, args: {} };
  for (const ignoreFile of ignoreFileNames(DOCKERFILE)) {
    const text = await readFile(join(path, ignoreFile), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    try {
      return { ignoreFile, filter: await FORM.filter(build, text, createWork()) };
    } catch (error) {
      throw failed(`${label}/${ignoreFile} can not be used: ${messageOf(error)}`);
    }
  }
  return { filter: await FORM.filter(build, undefined, createWork()) };
}

/** All that is kept, in the order of its names, and what of it can not be sent and why. */
async function walk(root: string, filter: Filter): Promise<{ found: Found[]; refused: string[] }> {
  const found: Found[] = [];
  const refused: string[] = [];
  const visit = async (inner: string): Promise<void> => {
    const entries = await readdir(join(root, inner), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = inner === '' ? entry.name : `${inner}/${entry.name}`;
      if (FORM.isForeign(entry.name) || gitsOwn(entry.name) !== undefined) continue;
      const isFolder = entry.isDirectory();
      const isKept = await filter.keeps(name, isFolder);
      if (isFolder && (isKept || filter.mayHoldKept(name))) await visit(name);
      if (isFolder || !isKept) continue;
      if (entry.isSymbolicLink()) refused.push(`${name} is a link`);
      else if (!entry.isFile()) refused.push(`${name} is neither a file nor a folder`);
      else {
        const path = join(root, name);
        const { size: bytes, mode } = await lstat(path);
        found.push({ name, path, bytes, isExecutable: (mode & EXECUTABLE) !== 0 });
      }
    }
  };
  await visit('').catch((error: unknown) => {
    throw failed(messageOf(error));
  });
  return { found, refused };
}

function mustFit(found: readonly Found[], label: string): void {
  const hint = 'List what the build does not need in .dockerignore.';
  if (found.length > SOURCE_FILES_MAX)
    throw failed(`${label} has ${found.length} files; at most ${SOURCE_FILES_MAX} can be sent`, hint);
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  if (bytes <= BODY_BYTES_MAX) return;
  const largest = [...found].sort((a, b) => b.bytes - a.bytes).slice(0, NAMES_MAX);
  const list = largest.map((one) => `  ${mebi(one.bytes).padStart(8)}  ${one.name}`).join('\n');
  throw failed(
    `${label} has ${mebi(bytes)}; at most ${mebi(BODY_BYTES_MAX)} can be sent. The largest:\n${list}`,
    hint,
  );
}

async function textsOf(
  found: readonly Found[],
): Promise<{ files: Record<string, string>; binary: string[] }> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const files: Record<string, string> = Object.create(null);
  const binary: string[] = [];
  for (const { name, path } of found) {
    try {
      files[name] = decoder.decode(await readFile(path));
    } catch (error) {
      binary.push(error instanceof TypeError ? `${name} is no text (UTF-8)` : `${name}: ${messageOf(error)}`);
    }
  }
  return { files, binary };
}

function mustBeNamed(files: Readonly<Record<string, string>>, dockerfile: string): void {
  try {
    sourceFiles(files, dockerfile);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const lines = (error.details ?? []).map(({ message }) => `  ${message}`);
    throw failed([error.message, ...(lines.length > 1 ? lines : [])].join('\n'));
  }
}

function notSendable(label: string, problems: readonly string[]): CliError {
  const more = problems.length > NAMES_MAX ? `\n  and ${problems.length - NAMES_MAX} more` : '';
  return failed(
    `${label} holds what can not be sent:\n  ${problems.slice(0, NAMES_MAX).join('\n  ')}${more}`,
    'List it in .dockerignore, or lay the folder into the registry and name it in a manifest.',
  );
}

function notExecutable(names: readonly string[]): string {
  const more = names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : '';
  const list = names.slice(0, NAMES_MAX).join(', ');
  return `${list}${more}: executable here, and not in the image; RUN chmod +x there, or name the interpreter`;
}

function failed(message: string, hint = ''): CliError {
  return new CliError(EXIT.failed, message, hint);
}

function mebi(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
