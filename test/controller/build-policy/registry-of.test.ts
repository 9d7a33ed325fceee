import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isInward, registryName } from '../../../controller/build-policy/registry-of.ts';

test('registries of this machine and its networks are known in every spelling, others are not taken for them', () => {
  const inward = [
    ...[
      'localhost',
      'localhost:5000',
      'a.localhost',
      'registry',
      'registry:5000',
      'x.local',
      'y.internal',
      'z.lan',
    ],
    ...[
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '10.2.3.4:80',
      '172.16.0.1',
      '172.31.255.1',
    ],
    ...[
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      'localhost.',
    ],
    ...[
      '[::1]',
      '[::1]:5000',
      '[fe80::1]',
      '[fd00::1]',
      '[::ffff:127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
    ],
    ...['1.2.3.4.5', 'a:99999999'],
  ];
  for (const host of inward) assert.equal(isInward(host), true, host);
  const outward = [
    ...[
      'docker.io',
      'ghcr.io',
      'registry.example:5000',
      '8.8.8.8',
      '172.32.0.1:443',
      '100.128.0.1',
      '11.0.0.1',
    ],
    ...['[2606:4700::1111]', 'localhost.example', 'my-local.example', '127.0.0.1.example'],
  ];
  for (const host of outward) assert.equal(isInward(host), false, host);
});

test('no address within a private range is outward, however the number is written', () => {
  const last = fc.integer({ min: 0, max: 0xffffff });
  fc.assert(
    fc.property(fc.constantFrom(10, 127), last, fc.constantFrom(10, 16, 8), (net, rest, base) => {
      const whole = net * 2 ** 24 + rest;
      const text =
        base === 16 ? `0x${whole.toString(16)}` : base === 8 ? `0${whole.toString(8)}` : `${whole}`;
      return isInward(text) && isInward(`${net}.${rest}`) && isInward(`${text}:5000`);
    }),
  );
});

test('operators name registries as references do', () => {
  assert.equal(registryName('Registry.Example:5000'), 'registry.example:5000');
  assert.equal(registryName('registry-1.docker.io'), 'docker.io');
  for (const text of ['', 'a/b', 'http://a', 'a b', '-a', 'a:port'])
    assert.equal(registryName(text), undefined, text);
});
