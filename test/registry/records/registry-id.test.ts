import assert from 'node:assert/strict';
import { mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  inheritedId,
  keepRegistryId,
  openRegistryId,
  readRegistryId,
} from '../../../registry/records/registry-id.ts';
import { LABELS } from '../../../schemas/program.ts';
import { tempFolder } from '../folder.ts';

const [A, B] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb'];
const of = (id: string, path: string, program = 'app') => ({
  ...{ [LABELS.instance]: 'default', [LABELS.program]: program },
  ...{ [LABELS.registry]: id, [LABELS.registryPath]: path },
});

async function opened(root: string, programs: readonly string[] = []) {
  const notes: string[] = [];
  const hasProgram = (name: string) => programs.includes(name);
  const onNote = (_: object, message: string) => notes.push(message);
  return { notes, ...(await openRegistryId({ root, hasProgram, onNote })) };
}

async function places(test: TestContext): Promise<{ here: string; there: string }> {
  const root = await realpath(await tempFolder(test));
  const [here, there] = [join(root, 'here'), join(root, 'there')];
  for (const folder of [here, there]) await mkdir(folder);
  return { here, there };
}

describe('the id of a registry', () => {
  it('is settled once, and is the same ever after, whatever is on the engine', async (test) => {
    const { here } = await places(test);
    const first = await opened(here);
    assert.equal(first.known(), undefined);
    const id = await first.settle([]);
    assert.match(id, /^[0-9a-f]{12}$/);
    assert.equal(first.known(), id);
    assert.equal((await opened(here)).known(), id);
    assert.deepEqual(first.notes, []);
  });

  it('is another one where what lies there is none', async (test) => {
    const { here } = await places(test);
    await mkdir(join(here, 'data'));
    for (const text of ['', 'aaaa', `${A}${A}`, '../../../x\n']) {
      await writeFile(join(here, 'data', 'registry-id'), text);
      assert.equal(await readRegistryId(here), undefined, text);
    }
    const id = await (await opened(here)).settle([]);
    assert.equal(await readRegistryId(here), id);
  });

  it("is that of the registry's own objects where data/ was lost, and says so", async (test) => {
    const { here } = await places(test);
    await keepRegistryId(here, A);
    await rm(join(here, 'data'), { recursive: true });
    const again = await opened(here);
    assert.equal(await again.settle([of(B, '/nowhere', 'other'), of(A, here)]), A);
    assert.match(again.notes.join(), /goes on with the one/);
  });

  it('goes with a backup that is restored at another place, by the programs in it', async (test) => {
    const { here, there } = await places(test);
    await rm(there, { recursive: true });
    assert.equal(await (await opened(here, ['app'])).settle([of(A, there)]), A);
  });

  it('does not go with a clone as long as the first one is there', async (test) => {
    const { here, there } = await places(test);
    await keepRegistryId(there, A);
    const id = await (await opened(here, ['app'])).settle([of(A, there)]);
    assert.notEqual(id, A);
    assert.equal(await readRegistryId(there), A);
  });

  it('does not go with a clone where the first one can not be looked at', async (test) => {
    const { here, there } = await places(test);
    await rm(there, { recursive: true });
    await symlink(there, there);
    assert.notEqual(await (await opened(here, ['app'])).settle([of(A, there)]), A);
    await rm(there);
    await mkdir(join(there, 'data', 'registry-id'), { recursive: true });
    assert.notEqual(await (await opened(here, ['app'])).settle([of(A, there)]), A);
  });

  it('that can not be read is not replaced by another', async (test) => {
    const { here } = await places(test);
    await mkdir(join(here, 'data', 'registry-id'), { recursive: true });
    await assert.rejects(opened(here), /registry-id can not be read: it is not a file/);
  });

  it('is used though it can not be written, and that is said', async (test) => {
    const { here } = await places(test);
    await writeFile(join(here, 'data'), 'in the way');
    const { settle, notes, known } = await opened(here);
    assert.equal(await settle([]), known());
    assert.match(notes.join(), /can not be written/);
  });
});

describe('which id on the engine is inherited', () => {
  const inherited = (found: object[], programs: readonly string[], living: readonly string[] = []) =>
    inheritedId(found as never, '/here', new Set(living), (name) => programs.includes(name));

  it('is that of this folder before that of the same programs, and of those the one with most', () => {
    assert.equal(inherited([of(A, '/gone', 'x'), of(B, '/here', 'y')], ['x']), B);
    assert.equal(inherited([of(A, '/gone', 'x'), of(B, '/gone', 'x'), of(B, '/gone', 'y')], ['x', 'y']), B);
  });

  it('is none of objects without one, of other programs, or of a registry that is elsewhere', () => {
    assert.equal(inherited([{ [LABELS.instance]: 'default', [LABELS.program]: 'x' }], ['x']), undefined);
    assert.equal(inherited([of('', '/here', 'x'), of('no id', '/here', 'x')], ['x']), undefined);
    assert.equal(inherited([of(A, '/gone', 'x')], ['y']), undefined);
    assert.equal(inherited([of(A, '/gone', 'x'), of(A, '/gone', 'z')], ['x']), undefined, 'of half of them');
    assert.equal(inherited([of(A, '/here', 'x')], ['x'], [A]), undefined);
  });
});
