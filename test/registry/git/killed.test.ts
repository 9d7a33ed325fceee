import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openGit } from '../../../registry/git/git.ts';
import { openRegistry } from '../../../registry/open-registry.ts';
import type { Registry } from '../../../registry/registry.ts';
import { filesAtRest } from '../../sim/pace.ts';
import { dieAt } from '../mortal-files.ts';
import { brought, createGitStage, type GitStage, imageManifest } from './stage.ts';

const FOLDER = 'sources/build-0123456789ab';
/** More changes than any edit makes. */
const STEPS_MAX = 60;

/** A host of its own, which nobody closes in good order. */
async function openMortal({ root, clock }: GitStage): Promise<Registry> {
  const onWarning = () => undefined;
  const git = await openGit({ root, clock, onWarning });
  const watchFiles = () => ({ refresh: async () => undefined, close: async () => undefined });
  return openRegistry({ ...{ root, git, clock, onWarning, watchFiles }, policy: { runtime: 'runc' } });
}

/** The lock that this process left is one of a process that is no more. */
async function bury({ root }: GitStage): Promise<void> {
  const path = join(root, '.git/index.lock');
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text === '') return;
  const { hershHost, ...note } = JSON.parse(text);
  await writeFile(path, JSON.stringify({ hershHost: { ...hershHost, bootId: 'another' }, ...note }));
}

/** Kills a host before every single change of a file that the edit makes, and looks at what the next one finds. */
async function killAtEachStep(
  stage: GitStage,
  edit: (registry: Registry) => Promise<unknown>,
  check: (step: string) => Promise<void>,
): Promise<number> {
  const head = await stage.git('rev-parse', 'HEAD');
  for (let step = 1; step < STEPS_MAX; step++) {
    const registry = await openMortal(stage);
    const death = dieAt(step);
    let ended = false;
    void edit(registry).then(() => {
      ended = true;
    });
    while (!ended && !death.came) await filesAtRest();
    await filesAtRest();
    death.over();
    if (ended) return step;
    await bury(stage);
    const next = await stage.open();
    assert.equal(await stage.git('status', '--porcelain'), '', `step ${step}`);
    await check(`step ${step}`);
    await stage.turning(next.close());
    await stage.git('reset', '-q', '--hard', head);
  }
  throw new Error('the edit does not end');
}

describe('git: a host that is killed in the middle of an edit', () => {
  test('a POST: the next start finds manifest and sources in one commit, or neither', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', imageManifest('a'));
    await stage.commitAll('one');
    const seen = new Set<string>();
    const steps = await killAtEachStep(
      stage,
      (registry) => registry.createFromSources('c', brought(), { author: 'ann', message: 'create c' }),
      async (step) => {
        const files = (await stage.git('ls-files', 'programs/c.yaml', 'sources')).split('\n').join();
        assert.ok(['', `programs/c.yaml,${FOLDER}/Dockerfile`].includes(files), `${step}: ${files}`);
        assert.deepEqual(
          await readdir(join(stage.root, 'sources')),
          files === '' ? [] : [FOLDER.slice(8)],
          step,
        );
        seen.add(files);
      },
    );
    assert.ok(steps > 5, `${steps} steps`);
    assert.equal(seen.size, 2);
  });

  test('a DELETE that lets sources go: they went with the commit, or are there', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', imageManifest('a'));
    await stage.commitAll('one');
    const registry = await stage.open();
    await registry.createFromSources('c', brought());
    await stage.turning(registry.close());
    const seen = new Set<string>();
    await killAtEachStep(
      stage,
      (host) => host.remove('c'),
      async (step) => {
        const isNamed = (await stage.read('programs/c.yaml').catch(() => '')) !== '';
        const isThere = (await stage.read(`${FOLDER}/Dockerfile`).catch(() => '')) !== '';
        assert.ok(!isNamed || isThere, `${step}: what is named is there`);
        seen.add(`${isNamed} ${isThere}`);
      },
    );
    assert.ok(seen.has('true true') && seen.has('false false'), [...seen].join());
  });
});
