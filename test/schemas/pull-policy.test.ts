import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveSpec } from '../../schemas/resolve.ts';
import { attemptOf, digest, revisionHash, specHash } from '../../schemas/spec-hash.ts';

/** As a host of 39bf78b, which knew no `pullPolicy`, made them: spec hash, revision, attempt, and the generation's. */
const RECORDED = [
  {
    spec: { image: 'registry.example/shop:1', progressDeadlineSeconds: 5 },
    key: 'registry.example/shop:1',
    hashes: [
      'v1:21cdc12395f0f694f19786c7c1f8a270',
      '56eb24da39b1f894e9187f1e94d5ce35',
      '625d1e61165f75ab8890e629a3ccb82b',
      '23bed93c10f4288fe9da3278ee0d3e19',
    ],
  },
  {
    spec: { build: { context: 'sources/shop' } },
    key: 'a'.repeat(64),
    hashes: [
      'v1:a62e578f03c2a0c7b87ab56bf0b2d57b',
      '5c445de6bea23bc34a688a7c535377c4',
      'ed1453611c88296cca6af63562d525bd',
      'ff7d53b513faa198c0281f9495a8b8a6',
    ],
  },
];

for (const { spec, key, hashes } of RECORDED) {
  test(`pullPolicy leaves the hashes of what runs as they were: ${Object.keys(spec)[0]}`, () => {
    const of = (more: object) => {
      const one = resolveSpec({ userId: 'me', ...spec, ...more }, 'runc');
      return [specHash(one, key, 19001), revisionHash(one, key), attemptOf(one, key), digest(one)];
    };
    for (const same of [{}, { pullPolicy: 'IfNotPresent' }]) assert.deepEqual(of(same), hashes);
    const always = of({ pullPolicy: 'Always' });
    assert.deepEqual(always.slice(0, 3), hashes.slice(0, 3), 'nothing is replaced for it');
    assert.notEqual(always[3], hashes[3], 'it is another spec all the same');
  });
}
