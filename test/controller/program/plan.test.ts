import assert from 'node:assert/strict';
import { describe as suite, test } from 'node:test';
import { describe } from '../../../controller/program/action.ts';
import { plan } from '../../../controller/program/plan.ts';
import { ended } from '../../../controller/program/transitions.ts';
import { LABELS, timestamp } from '../../../schemas/program.ts';
import type { Situation } from '../../../schemas/situation.ts';
import { revisionHash } from '../../../schemas/spec-hash.ts';
import {
  containerOf,
  crashOf,
  EXITED,
  HASH,
  hashOf,
  memoryOf,
  NEVER_RAN,
  NOW_MS,
  ready,
  SETTINGS,
  situationOf,
  specOf,
} from './situation-fixture.ts';

const spec = specOf();
const older = specOf({ env: { OLD: '1' } });
const stopped = specOf({ desiredState: 'Stopped' });
const current = containerOf('new', spec);
const previous = containerOf('old', older, { createdAtMs: NOW_MS - 9_000, startedAtMs: NOW_MS - 8_000 });
const beside = { name: `hersh-program-x-${hashOf(spec).slice(-8)}` };
const inFuture = (ms: number) => timestamp(NOW_MS + ms);
const crashed = containerOf('new', spec, EXITED);

interface Row {
  name: string;
  observed: Situation;
  want: string[];
}

const rows: Row[] = [
  // From nothing to ready.
  {
    name: 'no image: builds it',
    observed: situationOf(spec, { image: { kind: 'absent' } }),
    want: ['build build-aaaaaaaaaaaa'],
  },
  {
    name: 'no image of a reference: pulls it',
    observed: situationOf(specOf({ build: undefined, image: 'busybox' }), {
      imageKey: 'busybox',
      image: { kind: 'absent' },
    }),
    want: ['pull busybox'],
  },
  {
    name: 'the build runs: nothing to do',
    observed: situationOf(spec, { image: { kind: 'pending' } }),
    want: [],
  },
  {
    name: 'the image is there: creates',
    observed: situationOf(spec),
    want: ['create hersh-program-x for revision 1'],
  },
  {
    name: 'created: starts',
    observed: situationOf(spec, { containers: [containerOf('new', spec, NEVER_RAN)] }),
    want: ['start new (first)'],
  },
  {
    name: 'runs, not ready: looks again at the deadline',
    observed: situationOf(spec, { containers: [current] }),
    want: ['look again in 59000 ms: it has until then to become ready'],
  },
  {
    name: 'ready: nothing to do',
    observed: situationOf(spec, { containers: [current], probes: ready('new') }),
    want: [],
  },
  {
    name: 'readiness none: nothing to do',
    observed: situationOf(specOf({ readiness: { none: true } }), { containers: [current] }),
    want: [],
  },

  // Replacing.
  {
    name: 'a changed spec: creates beside the one that serves, for the next revision',
    observed: situationOf(spec, {
      containers: [previous],
      memory: memoryOf({ program: { newest: { number: 4, hash: 'another' } } }),
    }),
    want: [`create ${beside.name} for revision 5`],
  },
  {
    name: 'a restart is the same revision',
    observed: situationOf(specOf({ restartedAt: 'now' }), {
      containers: [current],
      memory: memoryOf({ program: { newest: { number: 4, hash: revisionHash(spec, HASH) } } }),
    }),
    want: [`create hersh-program-x-${hashOf(specOf({ restartedAt: 'now' })).slice(-8)} for revision 4`],
  },
  {
    name: 'a changed spec whose image has to be made: the old one serves on',
    observed: situationOf(spec, { containers: [previous], image: { kind: 'absent' }, probes: ready('old') }),
    want: ['build build-aaaaaaaaaaaa'],
  },
  {
    name: 'a failed build leaves alone what runs',
    observed: situationOf(spec, {
      containers: [previous],
      image: { kind: 'absent' },
      memory: memoryOf({
        failedImage: { key: HASH, reason: 'BuildFailed', message: '', attempts: 1, nextAt: '' },
      }),
    }),
    want: [],
  },
  {
    name: 'a failed build, and the old one crashed: the old one is started again',
    observed: situationOf(spec, {
      containers: [containerOf('old', older, EXITED)],
      image: { kind: 'absent' },
      ...crashOf(containerOf('old', older, EXITED), 1, inFuture(-1)),
      memory: memoryOf({
        ...crashOf(containerOf('old', older, EXITED), 1, inFuture(-1)).memory,
        failedImage: { key: HASH, reason: 'BuildFailed', message: '', attempts: 1, nextAt: '' },
      }),
    }),
    want: ['start old (restart)'],
  },
  {
    name: 'an old one that was stopped by wish is not started while the new one is built',
    observed: situationOf(spec, {
      containers: [containerOf('old', older, EXITED)],
      image: { kind: 'pending' },
      memory: ended(memoryOf(), containerOf('old', older, EXITED), 'asked'),
    }),
    want: [],
  },
  {
    name: 'the new container stands beside: the old one is stopped',
    observed: situationOf(spec, {
      containers: [previous, containerOf('new', spec, { ...NEVER_RAN, ...beside })],
    }),
    want: ['stop old within 10 s: a new revision takes over'],
  },
  {
    name: 'while the old one stops: nothing',
    observed: situationOf(spec, {
      containers: [previous, containerOf('new', spec, { ...NEVER_RAN, ...beside })],
      stopping: new Set(['old']),
    }),
    want: [],
  },
  {
    name: 'another is wanted while the old one stops: the one that never ran goes, and none is made yet',
    observed: situationOf(spec, {
      containers: [previous, containerOf('mid', specOf({ env: { A: 'mid' } }), { ...NEVER_RAN, ...beside })],
      stopping: new Set(['old']),
    }),
    want: ['remove mid: it is not the container of any wanted revision'],
  },
  {
    name: 'the old one has stopped, and nothing is made of what is wanted since: creates',
    observed: situationOf(spec, { containers: [{ ...previous, ...EXITED }] }),
    want: [`create ${beside.name} for revision 2`],
  },
  {
    name: 'the old one has stopped: the new one is started, the old one kept',
    observed: situationOf(spec, {
      containers: [{ ...previous, ...EXITED }, containerOf('new', spec, { ...NEVER_RAN, ...beside })],
    }),
    want: ['start new (first)'],
  },
  {
    name: 'the new one is ready: the old one goes',
    observed: situationOf(spec, {
      containers: [
        { ...previous, ...EXITED },
        { ...current, ...beside, labels: { ...current.labels, [LABELS.revision]: '2' } },
      ],
      probes: ready('new'),
    }),
    want: ['remove old: the new revision is ready'],
  },
  {
    name: 'the one made anew of the same revision is ready: the old one goes',
    observed: situationOf(spec, {
      containers: [
        { ...previous, ...EXITED },
        { ...current, ...beside },
      ],
      probes: ready('new'),
    }),
    want: ['remove old: the one that takes its place is ready'],
  },
  {
    name: 'alone again: takes the plain name',
    observed: situationOf(spec, { containers: [{ ...current, ...beside }], probes: ready('new') }),
    want: ['rename new to hersh-program-x'],
  },
  {
    name: 'a spec overtaken before its container started: that one goes',
    observed: situationOf(spec, {
      containers: [containerOf('mid', older, NEVER_RAN), current],
      probes: ready('new'),
    }),
    want: ['remove mid: it is not the container of any wanted revision'],
  },
  {
    name: 'a twin that runs is stopped, the newest stays',
    observed: situationOf(spec, {
      containers: [containerOf('twin', spec, { createdAtMs: NOW_MS - 5_000 }), current],
      probes: ready('new', 'twin'),
    }),
    want: ['stop twin within 10 s: it is not the container of any wanted revision'],
  },

  // Changed behind the controller's back.
  {
    name: 'somebody took its network away: another container takes over',
    observed: situationOf(spec, {
      containers: [{ ...current, settings: { ...SETTINGS, networks: [] } }],
      memory: memoryOf({
        containers: { new: { settings: SETTINGS } },
        program: { newest: { number: 3, hash: revisionHash(spec, HASH) } },
      }),
    }),
    want: [
      `create ${beside.name} for revision 3: somebody changed the container: networks is [] instead of ["programs"]`,
    ],
  },
  {
    name: 'the changed one is stopped when the other stands beside it',
    observed: situationOf(spec, {
      containers: [
        { ...current, createdAtMs: NOW_MS - 9_000, settings: { ...SETTINGS, memoryBytes: 1 } },
        containerOf('next', spec, { ...NEVER_RAN, ...beside }),
      ],
      memory: memoryOf({ containers: { new: { settings: SETTINGS } } }),
    }),
    want: ['stop new within 10 s: a new revision takes over'],
  },
  {
    name: 'an engine that keeps less than it was asked for is no drift',
    observed: situationOf(spec, {
      containers: [{ ...current, settings: { ...SETTINGS, pids: 0 } }],
      probes: ready('new'),
      memory: memoryOf({ containers: { new: { settings: { ...SETTINGS, pids: 0 } } } }),
    }),
    want: [],
  },
  {
    name: 'what a host before this one did not look at is no drift',
    observed: situationOf(spec, {
      containers: [{ ...current, settings: { ...SETTINGS, memorySwapBytes: -1 } }],
      probes: ready('new'),
      memory: memoryOf({
        containers: { new: { settings: { memoryBytes: 2 ** 29, networks: ['programs'] } } },
      }),
    }),
    want: [],
  },
  {
    name: 'renamed by somebody: named back',
    observed: situationOf(spec, { containers: [{ ...current, name: 'mine' }], probes: ready('new') }),
    want: ['rename new to hersh-program-x'],
  },

  // Stopping.
  { name: 'stopped and nothing there: nothing', observed: situationOf(stopped), want: [] },
  {
    name: 'stop: ends what runs',
    observed: situationOf(stopped, { containers: [current] }),
    want: ['stop new within 10 s: desiredState is Stopped'],
  },
  {
    name: 'stop: a build is cancelled',
    observed: situationOf(stopped, { image: { kind: 'pending' } }),
    want: ['cancel the build: desiredState is Stopped'],
  },
  {
    name: 'stop: one container is kept, with its output',
    observed: situationOf(stopped, {
      containers: [{ ...previous, ...EXITED }, crashed, containerOf('oops', older, NEVER_RAN)],
    }),
    want: ['remove old: a newer container was kept', 'remove oops: a newer container was kept'],
  },
  {
    name: 'stopped, and its container being removed by somebody: not waited for',
    observed: situationOf(stopped, { containers: [{ ...current, state: 'removing' }] }),
    want: [],
  },
  {
    name: 'started by hand though it should be stopped: stopped again',
    observed: situationOf(stopped, { containers: [current], memory: ended(memoryOf(), current, 'asked') }),
    want: ['stop new within 10 s: desiredState is Stopped'],
  },

  // Deleting, and doing nothing.
  {
    name: 'deleted: cancels the build and ends what runs',
    observed: situationOf(spec, {
      goal: { kind: 'remove' },
      containers: [current],
      image: { kind: 'pending' },
    }),
    want: ['cancel the build: the program was deleted', 'stop new within 10 s: the program was deleted'],
  },
  {
    name: 'deleted: removes what has ended',
    observed: situationOf(spec, {
      goal: { kind: 'remove' },
      containers: [crashed],
      image: { kind: 'unneeded' },
    }),
    want: ['remove new: the program was deleted'],
  },
  {
    name: 'deleted and all gone: forgotten',
    observed: situationOf(spec, { goal: { kind: 'remove' }, image: { kind: 'unneeded' } }),
    want: ['forget the program: the program was deleted'],
  },
  {
    name: 'held: nothing is touched',
    observed: situationOf(spec, { goal: { kind: 'hold' }, containers: [current, crashed] }),
    want: [],
  },
];

suite('plan', () => {
  for (const { name, observed, want } of rows) {
    test(name, () => assert.deepEqual(plan(observed).map(describe), want));
  }

  test('a stop by wish is told from one that is not', () => {
    const wish = plan(situationOf(stopped, { containers: [current] }));
    const sick = plan(
      situationOf(spec, {
        containers: [current],
        probes: new Map([['new', { ready: true, live: false, message: '' }]]),
      }),
    );
    assert.deepEqual(
      [...wish, ...sick].map((action) => action.kind === 'stop' && action.wanted),
      [true, false],
    );
  });

  test('the wanted container carries what tells it from others', () => {
    const [action] = plan(situationOf(spec));
    assert.ok(action?.kind === 'create');
    assert.equal(action.specHash, hashOf(spec));
    assert.equal(action.specHash, current.labels[LABELS.specHash]);
  });
});
