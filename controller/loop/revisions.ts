import type { Registry } from '../../registry/registry.ts';
import { hashOf, revisionOf } from '../../schemas/container.ts';
import { AppError } from '../../schemas/errors.ts';
import type { Made } from '../../schemas/memory.ts';
import { type BuildSpec, timestamp } from '../../schemas/program.ts';
import type { Revision } from '../../schemas/revision.ts';
import type { Situation } from '../../schemas/situation.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Engine } from '../engine/engine.ts';
import { isFinished, supersededNumber } from '../program/roles.ts';
import type { LedgerDeps } from './ledger.ts';
import { tailOf } from './observe.ts';

/** Lines of output kept of a revision that failed: as many as a look at the logs gives. */
const FAILED_LOG_LINES = 200;

export interface RevisionDeps extends LedgerDeps {
  engine: Engine;
  /** Keeps what was built from, see `Contexts.snapshot`. */
  snapshot: (build: BuildSpec, hash: string) => Promise<unknown>;
  /** See `Registry`. */
  lastChange: Registry['lastChange'];
  /** The revision of each program that is known to be written down as good. */
  good: Map<string, number>;
}

/** Why a revision is bad, see `Revision`. */
export interface Why {
  reason: string;
  message: string;
}

/**
 * The revisions that are kept of a program whose ledger knows of none, oldest first: its ledger was lost, or it was
 * deleted and comes back. What another user left under the same name is removed, since it is nobody else's to see.
 */
export async function keptRevisions(
  { revisions, events, usage }: Pick<Registry, 'revisions' | 'events' | 'usage'>,
  name: string,
  userId: string,
): Promise<Revision[]> {
  // What can not be read holds nobody up: it is as if there were none.
  const kept = (await revisions.list(name).catch(unlessUnavailable)) ?? [];
  const newest = kept.at(-1);
  if (newest === undefined || newest.spec.userId === userId) return kept;
  await revisions.remove(name);
  await events.remove(name);
  // As events do, it lets a program run whose figures can not be removed.
  await usage.remove(name).catch(() => undefined);
  return [];
}

function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof AppError)) throw error;
}

/** Writes down a revision that is about to be made, and what the one before it came to. Never rejects. */
export async function keepNew(
  deps: RevisionDeps,
  before: ProgramStatus,
  situation: Situation,
  made: Made,
  imageId: string,
): Promise<void> {
  await keep(deps, before.name, await recordOf(deps, before, made, imageId));
  await keepOvertaken(deps, before, situation, made.revision);
}

/** The outcome and the last output of a revision that is about to go. Never rejects. */
export async function keepFailed(
  deps: RevisionDeps,
  name: string,
  number: number,
  { reason, message }: Why,
  containerId?: string,
): Promise<void> {
  const log = containerId === undefined ? '' : await tailOf(deps.engine, containerId, FAILED_LOG_LINES);
  const revision = await deps.registry.revisions.get(name, number);
  if (revision !== undefined)
    await keep(deps, name, { ...revision, outcome: 'Failed', reason, message, log });
}

/** What was overtaken before it ran failed at nothing, and is nothing to go back to. Never rejects. */
export async function keepSuperseded(deps: RevisionDeps, name: string, situation: Situation): Promise<void> {
  const number = supersededNumber(situation);
  if (number === undefined) return;
  const revision = await deps.registry.revisions.get(name, number);
  if (revision?.outcome !== 'Pending') return;
  const message = 'another was wanted before it ran';
  await keep(deps, name, { ...revision, outcome: 'Superseded', message });
}

/** One that was superseded is wanted again, and made. Never rejects. */
export async function keepAgain(deps: RevisionDeps, name: string, revision: Revision): Promise<void> {
  if (revision.outcome === 'Superseded')
    await keep(deps, name, { ...revision, outcome: 'Pending', message: '' });
}

/**
 * A revision is good once it was ready, and had not had its time by then. Looked at anew by each host, since the one
 * before may have been killed.
 */
export async function keepReady(deps: RevisionDeps, status: ProgramStatus): Promise<void> {
  const { name, state, currentRevision, memory } = status;
  const { rollout } = memory;
  if (state !== 'Ready' || deps.good.get(name) === currentRevision) return;
  // What was rolled back may answer before the good one takes over.
  if (rollout.verdict === 'bad' && rollout.revision === currentRevision) return;
  const kept = await deps.registry.revisions.get(name, currentRevision);
  const revision = kept ?? (await missingRecord(deps, status));
  if (revision !== undefined && revision.outcome !== 'Ready') {
    const { reason: _, log: __, ...ready } = revision;
    if (!(await keep(deps, name, { ...ready, outcome: 'Ready', message: '' }))) return;
  }
  deps.good.set(name, currentRevision);
}

/** One that can not be written can not be gone back to, and no more. */
async function keep({ registry, log }: RevisionDeps, name: string, revision: Revision): Promise<boolean> {
  try {
    await registry.revisions.put(name, revision);
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    log.warn({ program: name, error: error.message }, 'the revision can not be written');
    return false;
  }
}

/** What the revision before it came to, where that had no time to become ready. */
async function keepOvertaken(
  deps: RevisionDeps,
  { name, memory: { program, rollout } }: ProgramStatus,
  situation: Situation,
  by: number,
): Promise<void> {
  const { number, ran } = program.newest ?? {};
  if (number === undefined || !ran || rollout.good?.revision === number) return;
  if ((await deps.registry.revisions.get(name, number))?.outcome !== 'Pending') return;
  const container = situation.containers.find((one) => revisionOf(one) === number);
  // One that ran to its end did what it was there for.
  if (container !== undefined && isFinished(situation, hashOf(container))) return;
  const why = { reason: 'Overtaken', message: `revision ${by} came before it was ready` };
  await keepFailed(deps, name, number, why, container?.id);
}

/** What there was no room to write when it was made, or was damaged since; undefined where something else is in force. */
async function missingRecord(deps: RevisionDeps, status: ProgramStatus): Promise<Revision | undefined> {
  const { inForce } = status.memory.program;
  const { good } = status.memory.rollout;
  if (good?.revision !== status.currentRevision || inForce === undefined) return undefined;
  if (revisionHash(inForce.spec, good.imageKey) !== good.hash) return undefined;
  return recordOf(deps, status, good, status.imageId);
}

/** All that is kept of a revision that is made of the spec in force, with the snapshot of its sources. */
async function recordOf(
  { clock, snapshot, lastChange }: RevisionDeps,
  { name, observedRevision, memory }: ProgramStatus,
  made: Made,
  imageId: string,
): Promise<Revision> {
  const { revision: number, hash, imageKey, buildId, spec } = made;
  const buildHash = spec.build === null ? '' : imageKey;
  // The image may be another host's, or older than what is kept: a rollback needs the sources all the same. Where
  // they changed just now there is no keeping them, and the next look sees them anew.
  if (spec.build !== null) await snapshot(spec.build, buildHash).catch(() => undefined);
  const { commit, author } = await lastChange(name, spec.build?.context, observedRevision);
  const rawSpec = memory.program.inForce?.rawSpec ?? {};
  const createdAt = timestamp(clock.now());
  return {
    ...{ number, hash, createdAt, commit, buildId, buildHash, imageId, spec, rawSpec },
    ...{ author: author || spec.userId, outcome: 'Pending', message: '' },
  };
}
