import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { timeOut } from '../../schemas/time-out.ts';

describe('timeOut', () => {
  it('lets what came be read first, though the loop was busy until the time was over', async (test) => {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address() as { port: number };
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const near = connect(address.port, '127.0.0.1');
    const [[far]] = await Promise.all([accepted, once(near, 'connect')]);
    test.after(() => {
      near.destroy();
      far.destroy();
      server.close();
    });
    const seen: string[] = [];
    const read = once(near, 'data').then(() => seen.push('read'));
    const silence = new Promise<void>((resolve) => {
      timeOut(1, () => {
        seen.push('silence');
        resolve();
      });
    });
    far.write('x');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    await Promise.all([read, silence]);
    assert.deepEqual(seen, ['read', 'silence']);
  });

  it('says nothing once it is cancelled, not even when its time was over', async () => {
    const never = () => assert.fail('it was cancelled');
    timeOut(60_000, never)();
    const cancel = timeOut(0, never);
    const cancelled = new Promise<void>((resolve) => {
      setTimeout(() => {
        cancel();
        resolve();
      }, 0);
    });
    // Both are over when the loop looks at its timers next.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    await cancelled;
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  });
});
