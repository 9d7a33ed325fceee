import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { codeOf, messageOf } from '../../../schemas/errors.ts';
import { exactly, findProgram } from '../host/names.ts';
import { CliError, EXIT } from '../io/exit.ts';
import type { AddCommand, Run } from './run.ts';

const TAR = 'application/x-tar';

export const addState: AddCommand = (program, use) => {
  const state = program.command('state').description("a program's /state, out and in as a tar");
  state
    .command('export')
    .description('copy it out, of a program that is stopped or was deleted within the last seven days')
    .argument('<NAME>', 'a name, or what only one name begins with; of one that is deleted the whole name')
    .argument('<FILE>', 'where to; - for standard output')
    .action(use(exportState));
  state
    .command('import')
    .description('put it in the place of what a stopped program has, all or nothing')
    .argument('<NAME>', 'the whole name')
    .argument('<FILE>', 'a tar without compression; - for standard input')
    .action(use(importState));
};

async function exportState(run: Run, word: string, file: string) {
  const { io } = run;
  if (file === '-' && io.stdout.isTTY)
    throw new CliError(EXIT.usage, 'a tar is nothing for a terminal', 'Name a file, or pipe it somewhere.');
  const host = await run.host();
  // One that is gone is known by its whole name alone.
  const name = await findProgram(host, word).then(
    ({ program_id }) => program_id,
    (error: unknown) => {
      if (error instanceof CliError && error.code === EXIT.notFound) return word;
      throw error;
    },
  );
  const answer = await host.ask(pathOf(name));
  const body = answer.body as AsyncIterable<Uint8Array> | null;
  if (body === null) throw new CliError(EXIT.unreachable, 'the host sent nothing');
  if (file === '-') {
    for await (const piece of cutOff(body)) await io.stdout.pass(piece);
    return EXIT.ok;
  }
  const path = resolve(io.cwd, file);
  // Whole, or not at all: half a state must not be taken for one. Another export may be on its way to the same file, and
  // in a folder of many people nobody is to lay something in its way: a name of its own, that nothing has.
  const part = join(dirname(path), `.hershctl-${randomUUID()}.part`);
  try {
    const options = { flags: 'wx', mode: 0o600, flush: true };
    await pipeline(Readable.from(cutOff(body)), createWriteStream(part, options));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    if (codeOf(error) === '') throw error;
    throw new CliError(EXIT.failed, `${file} can not be written: ${messageOf(error)}`);
  }
  run.say(`the /state of ${name} is in ${file}`);
  return EXIT.ok;
}

const pathOf = (name: string): string => `/programs/${encodeURIComponent(name)}/state`;

async function* cutOff(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw new CliError(
      EXIT.failed,
      `the host broke off in the middle: ${messageOf(cause)}`,
      'Was the program started meanwhile? Stop it, and try again.',
    );
  }
}

async function importState(run: Run, name: string, file: string) {
  const { io } = run;
  const host = await run.host();
  if ((await exactly(host, name)) === undefined)
    throw new CliError(EXIT.notFound, `there is no program ${JSON.stringify(name)}`, 'Write its name whole.');
  const source = file === '-' ? io.stdin : await openFile(io.cwd, file);
  const body = Readable.toWeb(Readable.from(source, { objectMode: false })) as ReadableStream;
  const init = { method: 'PUT', headers: { 'Content-Type': TAR }, body, duplex: 'half', signal: io.signal };
  const answer = await host.ask(pathOf(name), init as RequestInit);
  const { message, note } = (await answer.json()) as { message: string; note?: string };
  run.out(`${name}: ${message}\n`);
  run.say('What it had before is in the trash for seven days.');
  if (note !== undefined) run.say(note);
  return EXIT.ok;
}

async function openFile(cwd: string, file: string): Promise<Readable> {
  try {
    const handle = await open(resolve(cwd, file));
    if (!(await handle.stat()).isDirectory()) return handle.createReadStream();
    await handle.close();
  } catch (error) {
    throw new CliError(EXIT.notFound, `${file} can not be read: ${messageOf(error)}`);
  }
  throw new CliError(EXIT.usage, `${file} is a folder`, `tar -C ${file} -c . | hershctl state import NAME -`);
}
