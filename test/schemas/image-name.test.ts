import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageName, isOwnName, mayBeOfThisHost } from '../../schemas/image-name.ts';

test('a reference says who is asked for it, as the engine reads it', () => {
  const rows: [string, string, string][] = [
    ['alpine', 'docker.io', 'library/alpine'],
    ['alpine:3', 'docker.io', 'library/alpine'],
    ['team/app', 'docker.io', 'team/app'],
    ['localhost', 'docker.io', 'library/localhost'],
    ['localhost/app:1', 'localhost', 'app'],
    ['Team/app', 'team', 'app'],
    ['registry.example/a/b:1', 'registry.example', 'a/b'],
    ['registry:5000/a', 'registry:5000', 'a'],
    ['index.docker.io/team/app', 'docker.io', 'team/app'],
    ['docker.io/alpine@sha256:ab', 'docker.io', 'library/alpine'],
    ['[fd00::1]:5000/a', '[fd00::1]:5000', 'a'],
  ];
  for (const [reference, registry, repository] of rows)
    assert.deepEqual(imageName(reference), { registry, repository }, reference);
  for (const text of ['', '/a', 'a b', 'a\0', '-a', 'http://a b'])
    assert.equal(imageName(text), undefined, text);
});

test('what this engine may have without a registry: own names in every spelling, and ids or what they begin with', () => {
  const id = '0123456789abcdef'.repeat(4);
  const own = ['', 'docker.io/', 'Docker.io/', 'index.docker.io/', 'registry-1.docker.io/'].map(
    (registry) => `${registry}hersh/build-0123456789ab`,
  );
  for (const name of [...own, `${own[0]}:1`, `${own[3]}@sha256:${id}`, id, `sha256:${id}`]) {
    assert.ok(isOwnName(name), name);
    assert.ok(mayBeOfThisHost(name), name);
  }
  for (const name of ['0123', 'cafe', id.slice(0, 12), `sha256:${id.slice(0, 12)}`, 'a b'])
    assert.ok(mayBeOfThisHost(name), name);
  for (const name of [
    'nginx',
    'cafe:1',
    'library/cafe',
    'docker.io/library/0123',
    'registry.example/hersh/a',
  ])
    assert.ok(!mayBeOfThisHost(name), name);
});
