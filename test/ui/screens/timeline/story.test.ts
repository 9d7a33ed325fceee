import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storyOf } from '../../../../api/ui/screens/timeline/story.ts';
import { anEvent, aProgram, aRevision, ms, t } from '../../a-program.ts';

const NOW = ms('04:00');
const clockOf = (time: number) => new Date(time).toISOString().slice(11, 16);

test('states, revisions and probes last from event to event, and until now', () => {
  const events = [
    anEvent('01:00', 'Starting', { state: 'Starting', revision: 0 }),
    anEvent('01:01', 'Running', { state: 'Running' }),
    anEvent('01:02', 'Ready'),
    anEvent('02:00', 'Running', { state: 'Running' }),
    anEvent('02:00', 'Unready', { state: 'Running', type: 'Warning' }),
    anEvent('03:00', 'Ready', { revision: 2 }),
  ];
  const revisions = [aRevision(1, '00:50', { commit: 'abc1234' }), aRevision(2, '02:59')];
  const story = storyOf({ p: aProgram({ revision: 2 }), events, revisions, runs: [] }, NOW);
  assert.equal(story.knownFrom, ms('01:00'));
  assert.deepEqual(
    story.states.map(({ from, to, state, role }) => `${clockOf(from)}-${clockOf(to)} ${state} ${role}`),
    [
      '01:00-01:01 Starting busy',
      '01:01-01:02 Running busy',
      '01:02-02:00 Ready good',
      '02:00-03:00 Running bad',
      '03:00-04:00 Ready good',
    ],
  );
  assert.deepEqual(
    story.probes.map(({ from, probe }) => `${clockOf(from)} ${probe}`),
    ['01:01 waits', '01:02 answers', '02:00 fails', '03:00 answers'],
  );
  assert.deepEqual(
    story.revisions.map(
      ({ from, revision, commit, isNow }) => `${clockOf(from)} r${revision} ${commit} ${isNow}`,
    ),
    ['01:01 r1 abc1234 false', '03:00 r2  true'],
  );
});

test('nothing is told of the time before the first event, nor where there is none', () => {
  const story = storyOf({ p: aProgram(), events: [], revisions: [], runs: [] }, NOW);
  assert.equal(story.knownFrom, undefined);
  assert.deepEqual(
    [...story.states, ...story.revisions, ...story.probes, ...story.exits, ...story.changes],
    [],
  );
});

test('a state that no event has told of yet counts from when it was written', () => {
  const p = aProgram({ state: 'Stopped', updated_at: t('03:30') });
  const { states } = storyOf({ p, events: [anEvent('01:00', 'Ready')], revisions: [], runs: [] }, NOW);
  assert.deepEqual(
    states.map(({ from, state }) => `${clockOf(from)} ${state}`),
    ['01:00 Ready', '03:30 Stopped'],
  );
});

test('changes are told once: what brought a revision, its commit, and who', () => {
  const message = 'generation 9 of its spec is that of commit 7d6a65f0123456789';
  const sources = 'build-1 is made of its sources in commit 7d6a65f0123456789';
  const events = [
    anEvent('01:00', 'ManifestChanged', { message, author: 'ana' }),
    anEvent('01:00', 'SourcesChanged', { message: sources, author: 'ana' }),
    anEvent('02:00', 'StopRequested', { author: 'bob' }),
  ];
  const revisions = [aRevision(1, '00:30', { author: 'eve' }), aRevision(2, '01:00:02.000')];
  const { changes } = storyOf({ p: aProgram(), events, revisions, runs: [] }, NOW);
  assert.deepEqual(
    changes.map(({ text }) => text),
    ['r1 begins by eve', 'commit 7d6a65f by ana', 'stop asked for by bob'],
  );
});

test('how it stood while nobody looked is not known', () => {
  const events = [anEvent('01:00', 'Ready'), anEvent('03:00', 'Stopped', { state: 'Stopped' })];
  const unwatched = [
    { from: ms('00:10'), to: ms('00:30') },
    { from: ms('01:30'), to: ms('02:30') },
  ];
  const story = storyOf({ p: aProgram(), events, revisions: [], runs: [], unwatched }, NOW);
  const shown = ({ from, to }: { from: number; to: number }) => `${clockOf(from)}-${clockOf(to)}`;
  assert.deepEqual(story.states.map(shown), ['01:00-01:30', '02:30-03:00', '03:00-04:00']);
  assert.deepEqual(story.probes.map(shown), ['01:00-01:30', '02:30-03:00']);
  // Before the first event nothing is told anyway.
  assert.deepEqual(story.unwatched.map(shown), ['01:30-02:30']);
});
