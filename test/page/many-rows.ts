import type { ProgramState } from '../../schemas/program.ts';
import { fakeView } from '../api/fake-view.ts';
import { type FakeServer, startFakeServer } from './fake-server.ts';

/** As many programs as a host is made for, and as much as happens to them. */
export const ROWS = 1_000;
export const CHANGES_PER_SECOND = 50;
const TICK_MS = 100;

const STATES: readonly ProgramState[] = ['Ready', 'Ready', 'Ready', 'Starting', 'Error', 'Ready', 'Stopped'];

export const nameOf = (index: number) => `bot-${String(index).padStart(4, '0')}`;

export async function startManyRows(): Promise<FakeServer> {
  const server = await startFakeServer(Array.from({ length: ROWS }, (_, index) => viewOf(index, 0)));
  for (const name of server.host.views.keys()) {
    server.host.figures.set(name, {
      ...{ cpu: 0.1, memoryBytes: 2 ** 26, cpuLimit: 0.5, memoryLimitBytes: 2 ** 28 },
      ...{ sampledAtMs: Date.now(), reason: '' },
    });
  }
  return server;
}

/** How a program stands after so many changes of it; the first hundredth is ill from the first. */
function viewOf(index: number, round: number) {
  const state =
    round === 0 && index % 100 !== 7 ? 'Ready' : (STATES[(index + round) % STATES.length] ?? 'Ready');
  const isIll = state === 'Error';
  const reason = isIll ? 'CrashLoopBackOff' : '';
  return fakeView(nameOf(index), {
    ...{ state, desiredState: state === 'Stopped' ? 'Stopped' : 'Running', userId: `user-${index % 23}` },
    port: 20_000 + index,
    status: {
      ...{ reason, errorMsg: isIll ? `exited ${round + 1} times in a row (exit code 1)` : '' },
      ...{ restartCount: round, updatedAt: new Date().toISOString() },
      conditions: [
        {
          ...{ type: 'Ready', status: state === 'Ready' ? 'True' : 'False', reason: 'ProbeSucceeded' },
          ...{ message: '', lastTransitionTime: new Date().toISOString() },
        },
      ],
    },
  });
}

/** @param made how many there were before: all have their turn, all over the list */
export function changeOne({ host }: FakeServer, made: number): void {
  // 383 and 1,000 have no divisor in common.
  host.put(viewOf((made * 383) % ROWS, 1 + Math.floor(made / ROWS) + (made % 5)));
}

/** As many as come in a real host at its busiest. @returns what ends that, and gives how many there were */
export function startChanges(server: FakeServer): () => number {
  const startedMs = Date.now();
  let made = 0;
  const timer = setInterval(() => {
    // By the clock: a busy machine lets ticks out.
    const due = Math.floor(((Date.now() - startedMs) / 1_000) * CHANGES_PER_SECOND);
    for (; made < due; made++) changeOne(server, made);
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    return made;
  };
}
