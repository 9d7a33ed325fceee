import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../api/client.ts';
import { costOf, fieldValue, nothingDone } from '../../api/ui/screens/manifest/costs.ts';
import * as edits from '../../api/ui/screens/manifest/edit.ts';
import { nameProblem } from '../../api/ui/screens/manifest/name-problem.ts';
import { statusWords } from '../../api/ui/screens/manifest/status-words.ts';
import { createManifestStore } from '../../api/ui/screens/manifest/store.ts';

const V1 = { text: 'a: 1\nb: 1\nc: 1\n', etag: '"1"' };
const V2 = { text: 'a: 1\nb: 1\nc: 2\n', etag: '"2"' };
const MINE = 'a: 9\nb: 1\nc: 1\n';
const mine = () => edits.typed(edits.opened(V1, undefined), MINE, 7);

test('what was typed stays when the registry changes, and what was not follows', () => {
  assert.deepEqual(edits.seen(edits.opened(V1, undefined), V2), edits.opened(V2, undefined));
  const stale = edits.seen(mine(), V2);
  assert.equal(stale.text, MINE);
  assert.deepEqual(stale.theirs, V2);
  assert.equal(edits.seen(stale, V1).theirs, undefined, 'they took it back');
  assert.equal(edits.seen(mine(), { text: V1.text, etag: '"3"' }).base.etag, '"3"', 'a touch of the file');
});

test('out of a change of theirs: put on it, in its place, or let go', () => {
  const stale = edits.seen(mine(), V2);
  const merged = edits.mergedOnTheirs(stale, 8);
  assert.deepEqual(merged, { base: V2, text: 'a: 9\nb: 1\nc: 2\n', typedAt: 8, theirs: undefined });
  assert.equal(
    edits.mergedOnTheirs(edits.seen(mine(), { text: 'a: 5\nb: 1\nc: 1\n', etag: '"4"' }), 8),
    undefined,
  );
  assert.deepEqual(edits.overTheirs(stale), { base: V2, text: MINE, typedAt: 7, theirs: undefined });
  assert.deepEqual(edits.takenTheirs(stale), edits.opened(V2, undefined));
});

test('a draft comes back over a reload, also over what somebody changed meanwhile', () => {
  const draft = edits.draftOf(mine());
  assert.deepEqual(edits.opened(V1, edits.readDraft(JSON.stringify(draft))), mine());
  assert.deepEqual(edits.opened(V2, draft).theirs, V2);
  assert.deepEqual(edits.opened({ text: MINE, etag: '"9"' }, draft).typedAt, undefined, 'it was applied');
  assert.equal(edits.draftOf(edits.undone(mine())), undefined);
  for (const bad of [null, '', '{}', '{"base":{}}', '[]', '7']) assert.equal(edits.readDraft(bad), undefined);
});

test('a name that is another is told at its place', () => {
  const text = 'kind: Program\nmetadata:\n  labels: {}\n  name: "grd"\nspec: {}\n';
  assert.deepEqual(nameProblem('grid', 'grid', text), []);
  assert.deepEqual(nameProblem('', 'grid', text), []);
  const [problem] = nameProblem('grd', 'grid', text);
  assert.deepEqual([problem?.line, problem?.column], [4, 9]);
  assert.equal(nameProblem('grd', 'grid', '{metadata: {name: grd}}')[0]?.line, undefined);
});

test('what it costs, as far as the actions say it', () => {
  assert.match(costOf([]), /^Nothing\.$/);
  assert.match(costOf(['stop the running container']), /does not serve any more/);
  assert.match(costOf(['start the container that was kept']), /does not run now/);
  const all = ['build sources/x unless its image is there', 'create a container for the new revision'];
  assert.match(
    costOf([...all, 'stop the running container', 'start the new container']),
    /the old one serves meanwhile\. Then about a second/,
  );
  assert.match(costOf([...all, 'start the new container']), /does not run now/);
  assert.match(nothingDone({ changed: false }), /says the same/);
  assert.deepEqual([fieldValue(null), fieldValue('x'), fieldValue([1])], ['nothing', 'x', '[1]']);
});

test('how the text stands, in a sentence', () => {
  const status = { isReadOnly: false, isChanged: false, problems: 0, checkFailure: '' };
  assert.equal(statusWords(status), 'As it stands in the registry.');
  assert.match(statusWords({ ...status, isChanged: true }), /^Changed, not applied/);
  assert.match(statusWords({ ...status, problems: 2 }), /^2 problems\. The last valid/);
  assert.equal(statusWords({ ...status, isReadOnly: true }), 'Read only.');
});

/** A host with one manifest, and what can go wrong with it. */
function fakeHost() {
  const box = new Map<string, string>();
  const host = {
    now: V1 as edits.Stored | undefined,
    putError: undefined as ApiError | undefined,
    put: [] as string[],
    storage: {
      getItem: (key: string) => box.get(key) ?? null,
      setItem: (key: string, value: string) => void box.set(key, value),
      removeItem: (key: string) => void box.delete(key),
    },
    async manifest() {
      if (host.now === undefined) throw new ApiError(404, 'program p not found');
      return host.now;
    },
    async putManifest(_: string, text: string, etag?: string) {
      if (host.putError !== undefined) throw host.putError;
      if (etag !== host.now?.etag) throw new ApiError(412, 'If-Match does not hold');
      host.put.push(text);
      host.now = { text, etag: '"new"' };
      return { etag: '"new"', created: false };
    },
    validate: async () => ({ valid: true, name: 'p', problems: [] }),
    dryRun: async () => ({ changed: true, diff: [], actions: [] }),
  };
  const open = async () => {
    const store = createManifestStore('p', { client: host, storage: host.storage, now: () => 7 });
    await store.look();
    return store;
  };
  return { host, open };
}

test('an edit is applied, with the line ends of the file', async () => {
  const { host, open } = fakeHost();
  host.now = { text: 'a: 1\r\nb: 1\r\n', etag: '"1"' };
  const store = await open();
  store.type('a: 2\nb: 1\n');
  assert.deepEqual(await store.apply(), { kind: 'done' });
  assert.deepEqual(host.put, ['a: 2\r\nb: 1\r\n']);
  assert.deepEqual(store.edit.value?.base, { text: 'a: 2\nb: 1\n', etag: '"new"' });
  assert.equal(host.storage.getItem('hersh-manifest-p'), null);
});

test('somebody was faster: nothing is applied, nothing is lost, and it goes together', async () => {
  const { host, open } = fakeHost();
  const store = await open();
  store.type(MINE);
  host.now = V2;
  assert.deepEqual(await store.apply(), { kind: 'stale' });
  assert.equal(store.edit.value?.text, MINE);
  assert.equal(store.mergeOnTheirs(), true);
  assert.deepEqual(await store.apply(), { kind: 'done' });
  assert.deepEqual(host.put, ['a: 9\nb: 1\nc: 2\n']);
});

test('the host goes away while it is applied: the next look says what became of it', async () => {
  for (const wasTaken of [true, false]) {
    const { host, open } = fakeHost();
    const store = await open();
    store.type(MINE);
    host.putError = new ApiError(0, 'the host does not answer');
    assert.deepEqual(await store.apply(), { kind: 'unsure' });
    if (wasTaken) host.now = { text: MINE, etag: '"5"' };
    await store.look();
    assert.equal(store.edit.value?.text, MINE);
    assert.match(store.note.value, wasTaken ? /^It was applied/ : /was not applied/);
  }
});

test('it is gone, or refused: the text stays, here and over a reload', async () => {
  const { host, open } = fakeHost();
  const store = await open();
  store.type(MINE);
  const details = [{ path: 'a', message: 'a is no field', line: 1 }];
  host.putError = new ApiError(400, 'no', { details });
  assert.deepEqual(await store.apply(), { kind: 'refused', text: 'no' });
  assert.deepEqual(store.problems.value, details);
  [host.putError, host.now] = [undefined, undefined];
  assert.deepEqual(await store.apply(), { kind: 'gone' });
  assert.equal(store.edit.value?.text, MINE);
  host.now = V1;
  assert.equal((await open()).edit.value?.text, MINE);
});
