import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../schemas/clock.ts';
import { codeOf } from '../../schemas/errors.ts';
import { isRecord } from '../../schemas/is-record.ts';
import type { RegistryAuth } from '../engine/engine.ts';
import { CredentialTrouble } from './docker-config.ts';

/** How long a helper may take, which may ask a cloud; and what it may say. */
const HELPER_MS_MAX = 20_000;
const OUTPUT_BYTES_MAX = 2 ** 16;

const NOT_WAITED_FOR = 'nobody waits for it any more';

/** What every helper says, on its standard output, of a registry that it knows nothing about. */
const NOT_FOUND = /credentials not found in native keychain/i;
/** In the place of a name: what is told is a token. */
const TOKEN_NAME = '<token>';

type Helper = ChildProcessByStdio<Writable, Readable, null>;

/** Begins a helper, which may say later, or at once by throwing or by a child without streams, that it can not. */
export type StartHelper = (program: string) => Helper;

export interface AskOptions {
  /** Ends it, with what it started. */
  signal?: AbortSignal | undefined;
  start?: StartHelper;
}

/**
 * Asks `docker-credential-NAME get`, as docker does: without a shell, the registry on standard input.
 * @param name of the helper, as `helperOf` gives it
 * @param key of the registry, as `registryKey` gives it
 * @returns undefined where it has none. Rejects `CredentialTrouble`, with none of its words, which may hold a secret
 */
export async function askHelper(
  name: string,
  key: string,
  clock: Clock,
  options: AskOptions = {},
): Promise<RegistryAuth | undefined> {
  const program = `docker-credential-${name}`;
  const trouble = (why: string) =>
    new CredentialTrouble(
      `the credential helper ${program} gave nothing for ${key}: ${why}; as the user that runs the host, try: echo ${key} | ${program} get`,
    );
  const { code, output } = await run(program, key, { clock, trouble, ...options });
  if (code !== 0) {
    if (NOT_FOUND.test(output)) return undefined;
    throw trouble(`it ended with code ${code}`);
  }
  const { Username: username, Secret: secret } = answerOf(output);
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw trouble('its answer is not of the form of a credential helper');
  if (username === TOKEN_NAME) return { kind: 'identity', token: secret };
  return username === '' && secret === '' ? undefined : { kind: 'password', username, password: secret };
}

function answerOf(output: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(output);
    return isRecord(answer) ? answer : {};
  } catch {
    return {};
  }
}

interface Ended {
  /** -1 where a signal ended it. */
  code: number;
  output: string;
}

/** In a group of its own, so that what it starts ends with it; and without the host's own secrets. */
function start(program: string): Helper {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HERSH_')));
  return spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true, env });
}

interface Run extends AskOptions {
  clock: Clock;
  trouble: (why: string) => CredentialTrouble;
}

async function run(program: string, input: string, options: Run): Promise<Ended> {
  const { clock, trouble, signal } = options;
  if (signal?.aborted === true) throw trouble(NOT_WAITED_FOR);
  const child = begun(program, options);
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const giveUp = (why: string): void => {
      over();
      end(child);
      reject(trouble(why));
    };
    const aborted = () => giveUp(NOT_WAITED_FOR);
    const cancel = clock.after(HELPER_MS_MAX, () => giveUp(`it took longer than ${HELPER_MS_MAX / 1000} s`));
    const over = (): void => {
      cancel();
      signal?.removeEventListener('abort', aborted);
    };
    signal?.addEventListener('abort', aborted, { once: true });
    child.once('error', (error) => giveUp(whyNotRun(error)));
    // One that ends without having read.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.stdout.on('data', (piece: Buffer) => {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > OUTPUT_BYTES_MAX) giveUp('it said too much');
    });
    child.once('close', (code) => {
      over();
      resolve({ code: code ?? -1, output: Buffer.concat(pieces).toString('utf8') });
    });
  });
}

function begun(program: string, { start: begin = start, trouble }: Run): Helper {
  let child: Helper;
  try {
    child = begin(program);
  } catch (error) {
    throw trouble(whyNotRun(error));
  }
  // Where no more files may be open there are no streams, whatever the type says; the reason comes as an event.
  if (child.stdin && child.stdout) return child;
  child.once('error', () => {});
  end(child);
  throw trouble(whyNotRun(undefined));
}

function whyNotRun(error: unknown): string {
  return codeOf(error) === 'ENOENT' ? 'it is not in the PATH of the host' : 'it can not be run';
}

function end(child: ChildProcess): void {
  child.stdout?.destroy();
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
