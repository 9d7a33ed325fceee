import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonLines, targetOf } from '../../../controller/engine/docker-client.ts';

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
