import { type PassRecord, think } from '../../../controller/trace/pass.ts';
import { type ContextState, type Facts, needKey } from '../../../schemas/facts.ts';
import { LABELS, type ProgramSpec } from '../../../schemas/program.ts';
import { resolveSpec } from '../../../schemas/resolve.ts';
import type { Revision } from '../../../schemas/revision.ts';
import { digest, revisionHash } from '../../../schemas/spec-hash.ts';
import { emptyStatus } from '../../../schemas/status.ts';
import { containerOf, HASH, hashOf, memoryOf, NOW_MS, PORT } from '../program/situation-fixture.ts';

/** Values of `env` that stand nowhere else. */
export const WORDS = { old: 'zq7Vx2Lk', next: 'Wm4"\\né', both: 'Jr9-Tb3yp', again: 'Jr9-Tb3yp' };
/** Of a header of the readiness probe. */
export const TOKEN = 'Bearer 8fQz-uV';
const RAW = { userId: 'me', build: { context: 'sources/x' }, progressDeadlineSeconds: 5 };
const READINESS = { path: '/', headers: { Authorization: TOKEN } };
const OLD = { ...RAW, readiness: READINESS, env: { KEY: WORDS.old, SAME: WORDS.both } };
const NEXT = { ...RAW, readiness: READINESS, env: { KEY: WORDS.next, SAME: WORDS.both, AGAIN: WORDS.again } };
const BUILD = 'build-aaaaaaaaaaaa';
const CONTEXT: ContextState = { kind: 'known', hash: HASH, buildId: BUILD };

const resolved = (raw: Record<string, unknown>): ProgramSpec => resolveSpec(raw, 'runc');

function revisionOf(raw: Record<string, unknown>, number: number): Revision {
  const spec = resolved(raw);
  return {
    ...{ number, spec, rawSpec: raw, hash: revisionHash(spec, HASH), buildId: BUILD, buildHash: HASH },
    ...{ createdAt: '', commit: '', imageId: 'sha256:image', author: 'me', outcome: 'Ready', message: '' },
  };
}

/** Revision 1 is good; revision 2, with other values, runs, does not answer, and has had so much of its five seconds. */
export function recordOf(hadMs: number): PassRecord {
  const [old, next] = [resolved(OLD), resolved(NEXT)];
  const one = containerOf('c'.repeat(64), next, {
    labels: { [LABELS.specHash]: hashOf(next), [LABELS.build]: HASH, [LABELS.revision]: '2' },
    startedAtMs: NOW_MS - hadMs,
  });
  const { number: revision, hash, buildId } = revisionOf(OLD, 1);
  const facts: Facts = {
    ...{
      nowMs: NOW_MS,
      containerName: 'hersh-program-x',
      containers: [one],
      strangers: [],
      stopping: [],
      pending: [],
    },
    probes: { [one.id]: { ready: false, live: undefined, message: 'nothing listens' } },
    ...{ port: { port: PORT, shownPort: PORT, portProblem: undefined }, context: CONTEXT, rollouts: {} },
    answers: {
      [needKey({ kind: 'revision', number: 1 })]: { kind: 'revision', revision: revisionOf(OLD, 1) },
    },
  };
  const inForce = { rawHash: digest({ raw: NEXT, runtime: 'runc' }), rawSpec: NEXT, spec: next, labels: {} };
  const record: Omit<PassRecord, 'decided'> = {
    name: 'x',
    before: {
      ...emptyStatus('x', NOW_MS - 10_000),
      ...{ observedGeneration: 2, currentRevision: 2, userId: 'me', containerId: one.id },
      memory: memoryOf({
        program: {
          ...{ startRequested: true, inForce, lastBuild: BUILD },
          newest: { number: 2, hash: revisionHash(next, HASH) },
        },
        rollout: {
          ...{ verdict: 'new', attempt: '', refusals: 0 },
          good: { revision, hash, imageKey: HASH, buildId, spec: old },
        },
      }),
    },
    wanted: {
      kind: 'present',
      entry: {
        ...{ name: 'x', text: `env: ${JSON.stringify(NEXT.env)}`, etag: 'e', problems: [] },
        program: { name: 'x', labels: {}, annotations: {}, rawSpec: NEXT },
      },
    },
    ...{ runtime: 'runc', facts, context: { commit: '', remote: undefined } },
  };
  const { actions, status } = think(record);
  // As it is read from a file.
  return JSON.parse(JSON.stringify({ ...record, decided: { actions, status } })) as PassRecord;
}
