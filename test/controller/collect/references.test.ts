import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keptIn, type ReferenceSources, referencesOf } from '../../../controller/collect/references.ts';
import type { ProgramMemory } from '../../../schemas/memory.ts';
import type { ProgramStatus } from '../../../schemas/status.ts';
import { emptyStatus } from '../../../schemas/status.ts';
import { memoryOf, specOf } from '../program/situation-fixture.ts';

const hash = (digit: string) => digit.repeat(64);
const buildId = (digit: string) => `build-${digit.repeat(12)}`;
const folder = (digit: string) => `sources/${buildId(digit)}`;

const NONE: ReferenceSources = {
  manifests: [],
  statuses: [],
  unsure: [],
  hashes: [],
  filling: [],
  withContainers: [],
  revisions: new Map(),
};
const status = (name: string, memory: ProgramMemory, more: Partial<ProgramStatus> = {}): ProgramStatus => ({
  ...emptyStatus(name, 0),
  userId: 'me',
  ...more,
  memory,
});
const sorted = (values: Iterable<string>) => [...values].sort();

describe('what is referred to', () => {
  it('by a ledger: what runs, is wanted, failed, and could come back', () => {
    const good = {
      ...{ revision: 1, hash: 'v1:x', imageKey: hash('c'), buildId: buildId('c') },
      spec: specOf({ build: { context: folder('c') } }),
    };
    const inForce = {
      rawHash: '',
      rawSpec: {},
      labels: {},
      spec: specOf({ build: { context: 'sources/hand' } }),
    };
    const failedImage = { key: hash('d'), reason: '', message: '', attempts: 1, nextAt: '' };
    const memory = memoryOf({
      program: { lastBuild: buildId('b'), inForce, volume: 'v' },
      rollout: { verdict: 'new', attempt: '', refusals: 0, good },
      failedImage,
    });
    const refs = referencesOf({ ...NONE, statuses: [status('x', memory, { buildId: buildId('a') })] });
    assert.deepEqual(sorted(refs.builds), ['a', 'b', 'c', 'd'].map(buildId));
    assert.deepEqual(sorted(refs.contexts), [folder('c'), 'sources/hand']);
    assert.deepEqual(sorted(refs.volumes), ['v']);
    assert.deepEqual([...refs.leaving], ['x'], 'its manifest is not there');
  });

  it('by a ledger and a manifest: images by their id, where the spec names them', () => {
    const id = (digit: string) => `sha256:${hash(digit)}`;
    const good = {
      revision: 1,
      hash: '',
      imageKey: 'shop/app:1',
      buildId: '',
      spec: specOf(),
      image: id('a'),
    };
    const memory = memoryOf({
      program: { newest: { number: 2, hash: '', image: id('b') } },
      rollout: { verdict: 'new', attempt: '', refusals: 0, image: id('c'), good },
    });
    const manifests = [{ name: 'y', text: `spec: {image: ${id('e')}}`, userId: '', context: undefined }];
    const statuses = [status('x', memory, { imageId: id('d') })];
    const refs = referencesOf({ ...NONE, statuses, manifests });
    assert.deepEqual(sorted(refs.images), ['a', 'b', 'c', 'd', 'e'].map(id));
  });

  it('by a manifest: its context, and every folder of the API that its text names, valid or not', () => {
    const text = `# was ${folder('a')}-01234567\nspec: {build: {context: ./${folder('b')}/app}} ${folder('c')}ff`;
    const manifests = [{ name: 'x', text, userId: '', context: 'sources/hand' }];
    const refs = referencesOf({ ...NONE, manifests });
    assert.deepEqual(sorted(refs.contexts), [`${folder('a')}-01234567`, folder('b'), 'sources/hand']);
    assert.deepEqual([...refs.programs], [['x', '']]);
    assert.deepEqual([...refs.leaving], []);
  });

  it('by what is being built or has a container', () => {
    assert.deepEqual([...referencesOf({ ...NONE, hashes: [hash('a'), ''] }).builds], [buildId('a')]);
  });

  it('by kept revisions: images only while there is such a program', () => {
    const kept = (digit: string) => ({
      builds: new Set([buildId(digit)]),
      images: new Set([`sha256:${hash(digit)}`]),
      contexts: new Set([folder(digit)]),
    });
    const revisions = new Map([
      ['there', kept('a')],
      ['gone', kept('b')],
      ['damaged', kept('c')],
    ]);
    const statuses = [status('there', memoryOf())];
    const refs = referencesOf({ ...NONE, statuses, unsure: ['damaged'], revisions });
    assert.deepEqual(sorted(refs.builds), ['a', 'c'].map(buildId));
    assert.deepEqual(sorted(refs.pastBuilds), [buildId('b')]);
    assert.deepEqual(sorted(refs.contexts), ['a', 'c'].map(folder));
    assert.deepEqual(
      sorted(refs.images),
      ['a', 'c'].map((digit) => `sha256:${hash(digit)}`),
    );
    assert.equal(refs.programs.get('damaged'), '', 'whose it is can not be said');
  });

  it('reads a revision as text: every whole hash in it, quoted or not, and every folder of the API', () => {
    const text = `buildHash: ${hash('a')}\nother: "${hash('1')}"\nshort: ${'b'.repeat(63)}\ncontext: ${folder('c')}\n`;
    const { builds, contexts, images } = keptIn(`${text}imageId: sha256:${hash('d')}\n`);
    assert.deepEqual(sorted(builds), ['1', 'a', 'd'].map(buildId));
    assert.deepEqual([...images], [`sha256:${hash('d')}`]);
    assert.deepEqual([...contexts], [folder('c')]);
  });
});
