import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { healthOf, warningsOf } from '../../controller/health.ts';
import type { Stranger } from '../../schemas/container.ts';

const REGISTRY = { scanned: true, message: '', paused: [], moved: [], unwritable: [], warnings: [] };
const ENGINE = { trouble: '', awaySinceMs: 0, listed: true, strays: [] };
const UNDAMAGED = new Map<string, string>();

describe('the health of the host', () => {
  it('is good once the registry was scanned and the engine listed', () => {
    const good = { ready: true, reason: '', message: '', warnings: [] };
    assert.deepEqual(healthOf(REGISTRY, UNDAMAGED, ENGINE), good);
  });

  it('names what the host waits for, the engine that does not answer first', () => {
    const reasonOf = (registry: object, engine: object) => {
      const { ready, reason, message } = healthOf({ ...REGISTRY, ...registry }, UNDAMAGED, {
        ...ENGINE,
        ...engine,
      });
      assert.equal(ready, false);
      return `${reason}: ${message}`;
    };
    const away = 'EngineUnavailable: the engine does not answer: refused';
    assert.equal(reasonOf({ scanned: false }, { trouble: 'refused', listed: false }), away);
    assert.equal(reasonOf({ scanned: false }, { listed: false }), 'RegistryUnavailable: not scanned yet');
    assert.equal(reasonOf({ scanned: false, message: 'no folder' }, {}), 'RegistryUnavailable: no folder');
    assert.equal(reasonOf({}, { listed: false }), 'EngineUnavailable: the engine was not listed yet');
  });

  it('is good with warnings while programs run on in spite of what people should look at', () => {
    const copy = { name: 'z', program: 'app', why: 'no host made it' };
    const strays = [{ name: 'x', why: '' }, copy, { name: 'y', why: '' }] as Stranger[];
    const registry = { ...REGISTRY, message: 'no folder', paused: ['a', 'b'], warnings: ['told'] };
    const { ready, warnings } = healthOf(registry, new Map([['c', 'not YAML']]), { ...ENGINE, strays });
    assert.equal(ready, true);
    assert.deepEqual(warnings, [
      'told',
      'no folder; everything keeps running',
      '2 manifests are gone at once (a, b): their programs keep running until the files return or POST /registry/prune confirms',
      'status/c.yaml is damaged: not YAML',
      'containers that belong to no program: x, y; POST /registry/prune removes them',
      'container z bears the labels of app and is not its own: no host made it; POST /registry/prune removes it',
    ]);
  });

  it('warns of an engine that is away, with since when, and /readyz tells the rest beside it as before', () => {
    const away = { ...ENGINE, trouble: 'refused', awaySinceMs: 60_000 };
    const registry = { ...REGISTRY, warnings: ['told'] };
    const [first, ...rest] = warningsOf(registry, UNDAMAGED, away);
    assert.match(first?.message ?? '', /^the engine does not answer: refused;/);
    const { code, names, confirm, since } = first ?? {};
    assert.deepEqual(
      [code, names, confirm, since],
      ['EngineUnavailable', [], '', '1970-01-01T00:01:00.000Z'],
    );
    assert.deepEqual(
      rest.map(({ message }) => message),
      ['told'],
    );
    const { ready, warnings } = healthOf(registry, UNDAMAGED, away);
    assert.deepEqual([ready, warnings], [false, ['told']]);
  });

  it('names all that a confirmation lets go, what was only moved with it, and tells which that is', () => {
    const moved = [{ name: 'b', message: 'programs/b.yaml is gone, …' }];
    const registry = {
      ...REGISTRY,
      moved,
      paused: ['a', 'c'],
      warnings: moved.map(({ message }) => message),
    };
    const [first, second, ...rest] = warningsOf(registry, UNDAMAGED, ENGINE);
    assert.deepEqual([first?.code, first?.names, first?.confirm], ['ManifestMoved', ['b'], '']);
    assert.deepEqual([second?.code, second?.names], ['PrunePaused', ['a', 'b', 'c']]);
    assert.match(second?.message ?? '', /^2 manifests .* only moved: b$/);
    assert.deepEqual(rest, []);
  });

  it('says of each warning of what kind it is, which names it is about, and what confirms it', () => {
    const strays = [
      { name: 'x', why: '' },
      { name: 'z', program: 'app', why: 'no host made it' },
    ] as Stranger[];
    const remote = { reason: 'RemoteDiverged', message: 'it holds another history' } as const;
    const registry = {
      ...{ ...REGISTRY, message: 'no folder', paused: ['a', 'b'], unwritable: ['status/ is read-only'] },
      warnings: ['told', `the remote is not followed: ${remote.message}`, 'status/ is read-only'],
    };
    const warnings = warningsOf(registry, new Map([['c', 'not YAML']]), { ...ENGINE, strays }, remote);
    assert.deepEqual(
      warnings.map(({ code, names, confirm }) => [code, names.join(), confirm]),
      [
        ['RegistryNotice', '', ''],
        ['RemoteDiverged', '', ''],
        ['FolderNotWritable', '', ''],
        ['RegistryUnavailable', '', ''],
        ['PrunePaused', 'a,b', 'programs'],
        ['StatusDamaged', 'c', ''],
        ['StrayContainers', 'x', 'strays'],
        ['StrangeContainer', 'z', 'strays'],
      ],
    );
  });
});
