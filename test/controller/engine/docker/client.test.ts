import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { connect, jsonLines, targetOf } from '../../../../controller/engine/docker/client.ts';

describe('targetOf', () => {
  it('reads sockets and addresses', () => {
    assert.deepEqual(targetOf('unix:///run/x.sock'), {
      host: undefined,
      protocol: 'http',
      socketPath: '/run/x.sock',
    });
    assert.deepEqual(targetOf('tcp://h:1234'), { host: 'h', port: '1234', protocol: 'http' });
    assert.deepEqual(targetOf('h:1234'), { host: 'h', port: '1234', protocol: 'http' });
    assert.deepEqual(targetOf('tcp://h:2376'), { host: 'h', port: '2376', protocol: 'https' });
    assert.deepEqual(targetOf('tcp://h'), { host: 'h', port: '2375', protocol: 'http' });
  });

  it('refuses what it can not reach', () => {
    for (const host of ['ssh://h', 'npipe://x', '://']) assert.throws(() => targetOf(host), host);
  });
});

describe('a connection to an engine that takes calls and says nothing', () => {
  it('gives up looking long before anything else, and all short calls when it is cut', async (test) => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { look, quick, patient, cut } = connect(`tcp://127.0.0.1:${port}`, 50);
    const patience = new AbortController();
    test.after(() => {
      patience.abort();
      server.close();
    });
    await assert.rejects(look.getContainer('x').inspect(), /socket hang up/);
    let waits = true;
    const stop = patient.getContainer('x').stop({ abortSignal: patience.signal });
    stop.catch(() => {
      waits = false;
    });
    const start = quick.getContainer('x').start();
    await new Promise<void>((resolve) => server.once('connection', () => resolve()));
    cut();
    await assert.rejects(start, /socket hang up/);
    assert.equal(waits, true, 'a stop has a limit of its own');
    const again = quick.getContainer('x').start();
    cut();
    await assert.rejects(again, /socket hang up|before secure|aborted/, 'and there are calls after a cut');
  });
});

describe('what docker-modem prints of each request, whether anybody reads it', () => {
  it('does not grow with the requests under way', () => {
    const connection = connect('unix:///nowhere');
    const disposable = connection.disposable();
    for (const { modem } of [connection.look, connection.quick, disposable.docker]) {
      const { agent } = modem as { agent?: object };
      assert.ok(agent !== undefined);
      assert.equal(inspect({ agent }, { showHidden: true, depth: null }), '{ agent: agent }');
    }
    // This one has none, so Node's own is used, of which docker-modem knows nothing.
    assert.equal((connection.patient.modem as { agent?: object }).agent, undefined);
    disposable.close();
  });
});

describe('jsonLines', () => {
  it('puts lines and characters together again', async () => {
    const bytes = Buffer.from('{"a":"ü"}\r\n\n{"b":2}\n{"c":3}');
    async function* source(): AsyncGenerator<Uint8Array> {
      for (const byte of bytes) yield Uint8Array.of(byte);
    }
    const messages = [];
    for await (const message of jsonLines(source())) messages.push(message);
    assert.deepEqual(messages, [{ a: 'ü' }, { b: 2 }, { c: 3 }]);
  });
});
