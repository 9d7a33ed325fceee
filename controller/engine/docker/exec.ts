import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import { type Clock, elapse } from '../../../schemas/clock.ts';
import type { ExecPiece, ExecRequest } from '../../../schemas/exec.ts';
import type { EngineLog } from '../engine.ts';
import type { Connection } from './client.ts';
import { absent, engineError, statusOf } from './errors.ts';
import { framesOf } from './frames.ts';

/** In the environment of a command, and with it of all that it starts: by this they are found again. */
const MARK = 'HERSH_EXEC';

/**
 * Ends what bears the mark, in any shell that has grep: asked at first, forced 5 s later. Docker (20.10 to 28.5) has no
 * call that ends a command, and leaves it alone when whoever started it hangs up. It runs as the container's user.
 */
const END = [
  `each() { for p in /proc/[0-9]*; do grep -qs "$2" "$p/environ" && kill "$1" "\${p#/proc/}"; done; }`,
  'each -TERM "$1"; sleep 5; each -KILL "$1"',
].join('\n');

/** How a process ends that goes with its container. */
const KILLED = 137;
/** What runs containers for the engine says so in place of the command's output where it can not run it. */
const NEVER_RAN = /^OCI runtime exec failed: /;

/** Between looks whether a command has ended that has closed its output, in milliseconds. */
const LOOK_MS = 10;
const LOOK_MS_MAX = 1_000;

interface Deps {
  connection: Connection;
  clock: Clock;
  log: EngineLog;
}

/** See `Engine.exec`. */
export async function execIn(
  deps: Deps,
  id: string,
  { command, stdin, signal }: ExecRequest,
): Promise<AsyncIterable<ExecPiece> | undefined> {
  const { quick, patient } = deps.connection;
  const mark = randomBytes(16).toString('hex');
  const container = quick.getContainer(id);
  const make = container.exec({
    ...{ Cmd: [...command], Env: [`${MARK}=${mark}`], Tty: false, Privileged: false },
    ...{ AttachStdin: stdin !== undefined, AttachStdout: true, AttachStderr: true },
  });
  // 409: it is paused, or does not run.
  const made = await absent(make, [404, 409], 'InternalError');
  if (made === undefined) return undefined;
  if (signal.aborted) return nothing();
  const start = patient.getExec(made.id).start(startOptions(false));
  const socket: Duplex | undefined = await absent(start, [404, 409], 'InternalError');
  if (socket === undefined) return undefined;
  socket.on('error', () => {});
  const leave = (): void => {
    socket.destroy();
    void endMarked(deps, id, mark);
  };
  signal.addEventListener('abort', leave, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', leave));
  if (signal.aborted) leave();
  if (stdin !== undefined) void pass(stdin, socket);
  return pieces(deps, quick.getExec(made.id), socket, signal);
}

/** What the engine takes, beside how dockerode is to send it. */
function startOptions(isDetached: boolean): Docker.ExecStartOptions {
  const body = { Detach: isDetached, Tty: false };
  return { hijack: !isDetached, _body: body } as Docker.ExecStartOptions;
}

async function* pieces(
  deps: Deps,
  exec: Docker.Exec,
  socket: Duplex,
  signal: AbortSignal,
): AsyncGenerator<ExecPiece> {
  let isStart = true;
  try {
    for await (const { stream = 'stdout', bytes } of framesOf(socket)) {
      const isOfEngine =
        isStart && NEVER_RAN.test(Buffer.from(bytes).toString('latin1')) && (await neverRan(exec));
      isStart = false;
      yield { stream: isOfEngine ? 'stderr' : stream, bytes };
    }
    const exitCode = await exitCodeOf(deps.clock, exec, signal);
    if (exitCode !== undefined) yield { exitCode };
  } catch (error) {
    if (!signal.aborted) throw engineError(error, 'InternalError');
  } finally {
    socket.destroy();
  }
}

/** Whether no process was ever made of it. */
async function neverRan(exec: Docker.Exec): Promise<boolean> {
  const { Pid: pid } = await exec.inspect();
  return pid === 0;
}

/** When it has ended, which may be after its output. Undefined where the signal fires before. */
async function exitCodeOf(clock: Clock, exec: Docker.Exec, signal: AbortSignal): Promise<number | undefined> {
  for (let ms = LOOK_MS; !signal.aborted; ms = Math.min(2 * ms, LOOK_MS_MAX)) {
    try {
      const { Running: isRunning, ExitCode: code } = await exec.inspect();
      if (!isRunning) return code ?? KILLED;
    } catch (error) {
      // It goes with its container.
      if (statusOf(error) === 404) return KILLED;
      throw error;
    }
    await elapse(clock, ms);
  }
  return undefined;
}

/** As fast as it is read. What is not read any more is not passed on; what breaks off ends it. */
async function pass(stdin: AsyncIterable<Uint8Array>, socket: Duplex): Promise<void> {
  try {
    for await (const chunk of stdin) {
      if (socket.destroyed || socket.writableEnded) return;
      if (socket.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          socket.off('drain', done).off('close', done).off('finish', done);
          resolve();
        };
        socket.on('drain', done).on('close', done).on('finish', done);
      });
    }
  } catch {
    // Whoever gave it is gone, and told by the signal.
  }
  if (!socket.destroyed) socket.end();
}

/** Not waited for: what it comes to, nobody is there to be told. */
async function endMarked({ connection, log }: Deps, id: string, mark: string): Promise<void> {
  try {
    const ending = await connection.quick.getContainer(id).exec({
      // By an argument: in its environment it would be one of them.
      ...{ Cmd: ['sh', '-c', END, 'sh', `${MARK}=${mark}`], Tty: false, Privileged: false },
      ...{ AttachStdout: false, AttachStderr: false },
    });
    await connection.quick.getExec(ending.id).start(startOptions(true));
  } catch (error) {
    // It has no shell, or is gone.
    log.debug({ err: error, container: id }, 'a command that nobody waits for could not be ended');
  }
}

async function* nothing(): AsyncGenerator<ExecPiece> {}
