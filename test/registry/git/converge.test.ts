import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGitStage, enlist, imageManifest } from './stage.ts';

/** From the end of git's command to the registry's knowing of it. */
const CONVERGE_MS_MAX = 2_000;

test('600 manifests: every command of git is followed at once and shows no state between', async (t) => {
  const stage = await createGitStage(t);
  const write = (name: string, version: string) =>
    stage.write(`programs/${name}.yaml`, imageManifest(name, { env: { VERSION: version } }));
  const [kept, changed, removed] = [0, 1, 2].map((part) =>
    Array.from({ length: 200 }, (_, at) => `p${part}-${at}`),
  ) as [string[], string[], string[]];
  for (const name of [...kept, ...changed, ...removed]) await write(name, '1');
  await stage.commitAll('one');
  await stage.git('checkout', '-q', '-b', 'two');
  for (const name of changed) await write(name, '2');
  await stage.git('rm', '-q', ...removed.map((name) => `programs/${name}.yaml`));
  await stage.commitAll('two');

  const registry = await stage.open();
  for (const name of [...kept, ...changed]) await enlist(registry, name);
  const wrong: string[] = [];
  registry.subscribe(({ names }) => {
    for (const name of names) {
      if (kept.includes(name)) wrong.push(name);
      if (changed.includes(name) && registry.wanted(name).kind !== 'present')
        wrong.push(`${name} is not there`);
    }
  });
  const version = (name: string) =>
    (registry.get(name)?.program?.rawSpec.env as { VERSION?: string })?.VERSION;

  for (const [command, head, expected] of [
    [['checkout', '-q', 'main'], 'main', '1'],
    [['merge', '-q', '--no-edit', 'two'], 'two', '2'],
    [['revert', '--no-edit', 'HEAD'], 'main', '1'],
    [['reset', '-q', '--hard', 'two'], 'two', '2'],
    [['checkout', '-q', '-B', 'main', 'two~'], 'main', '1'],
    [['rebase', '-q', 'two'], 'two', '2'],
  ] as const) {
    await stage.meanwhile(stage.git(...command));
    const endedMs = stage.clock.monotonic();
    const there = head === 'main' ? removed : [];
    const id = await stage.git('rev-parse', 'HEAD');
    const isTaken = () =>
      changed.every((name) => version(name) === expected && registry.commitOf(name, undefined) === id) &&
      removed.every(
        (name) =>
          registry.wanted(name).kind === (there.includes(name) ? 'present' : 'gone') ||
          (!there.length && registry.get(name) === undefined),
      );
    await stage.until(isTaken, CONVERGE_MS_MAX);
    t.diagnostic(`${command.join(' ')}: ${stage.clock.monotonic() - endedMs} ms`);
  }
  assert.deepEqual(wrong, []);
});
