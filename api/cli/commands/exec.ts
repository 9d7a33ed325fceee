import { InvalidArgumentError } from 'commander';
import { byteLines } from '../../../schemas/byte-lines.ts';
import { type ExecFrame, NDJSON } from '../../../schemas/exec.ts';
import type { Host } from '../host/host.ts';
import { findProgram } from '../host/names.ts';
import { CliError, EXIT, Interrupted } from '../io/exit.ts';
import { type Io, isInterrupted } from '../io/io.ts';
import { tell } from '../tell.ts';
import type { AddCommand, Run } from './run.ts';

interface ExecOptions {
  stdin?: boolean;
  failureCode?: number;
}

/** Of what comes on standard input, in one frame; the host takes more. */
const FRAME_BYTES_MAX = 64 * 1024;

export const addExec: AddCommand = (program, use) => {
  program
    .command('exec')
    .description("run a command in a program's container, without a terminal: exec NAME -- CMD ARG…")
    .argument('<NAME>', 'a name, or what only one name begins with')
    .argument('<CMD...>', 'behind --; no shell reads it. Its exit code is that of this command')
    .option('-i, --stdin', 'pass standard input on')
    .option(
      '--failure-code <CODE>',
      'exit code where it is not CMD that failed: one that CMD never has',
      code,
    )
    .action(use(exec));
};

async function exec(
  run: Run,
  word: string,
  command: string[],
  { stdin, failureCode }: ExecOptions,
): Promise<number> {
  try {
    const host = await run.host();
    const { program_id: name } = await findProgram(host, word);
    return await runIn(run, host, name, { command, hasStdin: stdin === true });
  } catch (error) {
    if (failureCode === undefined || run.io.signal.aborted) throw error;
    tell(error, run.io, (await run.opened().catch(() => undefined))?.trouble());
    return failureCode;
  }
}

async function runIn(
  { io }: Run,
  host: Host,
  name: string,
  { command, hasStdin }: { command: string[]; hasStdin: boolean },
): Promise<number> {
  const over = new AbortController();
  const signal = AbortSignal.any([io.signal, over.signal]);
  const first = JSON.stringify({ command });
  const sent: RequestInit = hasStdin
    ? // Sent while the answer comes: what is sent and what is answered need each other.
      ({ body: bodyOf(io, first, signal), duplex: 'half' } as RequestInit)
    : { body: first };
  const headers = { 'Content-Type': hasStdin ? NDJSON : 'application/json' };
  const path = `/programs/${encodeURIComponent(name)}/exec`;
  let isBegun = false;
  try {
    const { body } = await host.ask(path, { method: 'POST', headers, signal, ...sent });
    for await (const frame of framesOf(body)) {
      isBegun = true;
      if ('exit_code' in frame) return frame.exit_code;
      if ('error' in frame) throw new CliError(EXIT.failed, frame.error.message, frame.error.hint);
      if ('stream' in frame) await io[frame.stream].pass(Buffer.from(frame.data, 'base64'));
    }
    throw lost(name);
  } catch (error) {
    if (isInterrupted(io)) throw new Interrupted(isBegun ? GOES_ON : '');
    if (error instanceof CliError || io.signal.aborted || !isBegun) throw error;
    throw host.lostTunnel() ?? lost(name);
  } finally {
    over.abort();
  }
}

const GOES_ON =
  'the command is told to end; in a container without a shell it goes on until it ends by itself or the program is restarted';

function lost(name: string): CliError {
  return new CliError(
    EXIT.unreachable,
    `the host went away while the command ran in ${name}: how it ended is not known`,
    `hershctl events ${name} shows that it was begun.`,
  );
}

function bodyOf(io: Io, first: string, signal: AbortSignal): ReadableStream<Uint8Array> {
  const frames = framesFrom(io, first);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await frames.next();
      if (signal.aborted) return;
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
  });
}

async function* framesFrom({ stdin }: Io, first: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${first}\n`);
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array);
    for (let at = 0; at < bytes.length; at += FRAME_BYTES_MAX) {
      const data = bytes.subarray(at, at + FRAME_BYTES_MAX).toString('base64');
      yield Buffer.from(`${JSON.stringify({ data })}\n`);
    }
  }
}

/** What stands behind the last line feed was broken off. */
async function* framesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<ExecFrame> {
  if (body === null) return;
  for await (const line of byteLines(body)) yield JSON.parse(line.toString('utf8')) as ExecFrame;
}

function code(text: string): number {
  const value = Number(text);
  if (/^\d{1,3}$/.test(text) && value > 0 && value < 256) return value;
  throw new InvalidArgumentError('Write a number from 1 to 255.');
}
