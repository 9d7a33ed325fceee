import type { Engine } from '../../controller/engine/engine.ts';
import type { ExecPiece, ExecRequest } from '../../schemas/exec.ts';
import type { SimContainer, SimWorld } from './engine-world.ts';

type Call = <T>(method: string, act: () => T | Promise<T>) => Promise<T>;

/** Of `sh -c`, with `;` between: `echo …`, `echo … >&2`, `cat`, `sleep <seconds>` and `exit <code>`. All else is not there. */
export function simExec(world: SimWorld, call: Call): Pick<Engine, 'exec'> {
  return {
    exec: (id, request) =>
      call('exec', () => {
        const container = world.containers.get(id);
        return container?.facts.state === 'running' ? runIn(world, container, request) : undefined;
      }),
  };
}

async function* runIn(
  world: SimWorld,
  container: SimContainer,
  { command: [name = '', , script = ''], stdin = none(), signal }: ExecRequest,
): AsyncGenerator<ExecPiece> {
  const run = container.facts.startedAtMs;
  const isOn = () => container.facts.state === 'running' && container.facts.startedAtMs === run;
  if (name !== 'sh') {
    yield { stream: 'stderr', bytes: Buffer.from(`exec: "${name}": executable file not found`) };
    yield { exitCode: 127 };
    return;
  }
  for (const step of script.split(';').map((one) => one.trim())) {
    const [word = '', ...rest] = step.split(' ');
    if (word === 'exit') return yield { exitCode: Number(rest[0]) };
    if (word === 'cat') for await (const bytes of stdin) yield { stream: 'stdout', bytes };
    if (word === 'sleep') await wait(world, container, Number(rest[0]) * 1_000, signal);
    if (signal.aborted) return;
    if (!isOn()) return yield { exitCode: 137 };
    if (word !== 'echo') continue;
    const isError = rest.at(-1) === '>&2';
    const bytes = Buffer.from(`${rest.slice(0, isError ? -1 : undefined).join(' ')}\n`);
    yield { stream: isError ? 'stderr' : 'stdout', bytes };
  }
  yield { exitCode: 0 };
}

async function* none(): AsyncGenerator<Uint8Array> {}

/** Until the time is over, the container prints or ends, or the signal fires. */
function wait(world: SimWorld, { readers }: SimContainer, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      readers.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = world.clock.after(ms, done);
    readers.add(done);
    signal.addEventListener('abort', done, { once: true });
  });
}
