import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { advanceUntil, startInGit } from './git-stage.ts';

const manifest = (env: string) => `# All of ours have this.
x-common: &common # one place
  userId: me
  build: {context: sources/app}
x-env: &env {LOG: "info", N: "0"} # for every program
apiVersion: hersh.dev/v1
kind: Program
metadata: {name: app}
spec: # mine
  <<: *common
  env:
    <<: *env${env}
`;

describe('a manifest with anchors and merges in a git work tree', () => {
  it('keeps them, and its comments, over stop, start and rollback, each of which is a commit', async (test) => {
    const stage = await startInGit(test);
    const text = () => readFile(join(stage.root, 'programs/app.yaml'), 'utf8');
    const commit = async (env: string) => {
      await stage.write('programs/app.yaml', manifest(env));
      await stage.git('add', '-A');
      await stage.git('commit', '-qm', 'by hand');
    };
    await commit('');
    const host = await stage.start({ git: true, watchFiles: undefined });
    await stage.reach('app', 'Ready');
    assert.deepEqual([stage.running('app').env.LOG, stage.running('app').env.N], ['info', '0']);

    await advanceUntil(stage, stage.edit('app', { desiredState: 'Stopped' }));
    await stage.reach('app', 'Stopped');
    const stopped = manifest('').replace('# mine\n', '# mine\n  desiredState: Stopped\n');
    assert.equal(await text(), stopped);
    await advanceUntil(stage, stage.edit('app', { desiredState: 'Running' }));
    await stage.reach('app', 'Ready');

    await commit('\n    N: "1"');
    await host.until('the second serves', () => stage.status('app').currentRevision === 2);
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').env.N, '1');
    await advanceUntil(stage, host.programs.rollBack('app', 1));
    await host.until('the first is back', () => stage.running('app').env.N === '0');
    const back = await text();
    assert.equal(back.slice(0, back.indexOf('spec:')), manifest('').slice(0, manifest('').indexOf('spec:')));
    assert.match(back, /^ {2}<<: \*common\n {2}env:\n {4}<<: \*env\n {4}N: "0"\n/m);
    assert.equal(await stage.git('status', '--porcelain'), '');
    assert.equal((await stage.git('log', '--format=%an')).trim().split('\n').length, 5);
  });
});
