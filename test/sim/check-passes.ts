/**
 * Plays stories and thinks each pass of theirs again, masked: `node --import tsx test/sim/check-passes.ts SEED…`, with
 * one thread for file work (see main.ts). Prints as JSON what it found.
 */
import { isDeepStrictEqual } from 'node:util';
import { masked } from '../../controller/trace/mask.ts';
import { type PassRecord, think } from '../../controller/trace/pass.ts';
import { messageOf } from '../../schemas/errors.ts';
import { DEFAULT_STEPS } from './run-seeds.ts';
import { simulate } from './simulation.ts';

export interface PassFindings {
  passes: number;
  /** How many of them told of each. */
  seen: { builds: number; crashes: number; rollbacks: number; values: number };
  /** Those whose masked record comes to something else, or still holds a value of `env`; in words. */
  wrong: string[];
  /** Of stories that failed. */
  failures: string[];
}

const findings: PassFindings = {
  passes: 0,
  seen: { builds: 0, crashes: 0, rollbacks: 0, values: 0 },
  wrong: [],
  failures: [],
};

for (const seed of process.argv.slice(2).map(Number)) {
  const { failure } = await simulate(seed, DEFAULT_STEPS, (pass) => look(pass, `seed ${seed}`));
  if (failure !== '') findings.failures.push(`seed ${seed}: ${failure}`);
}
process.stdout.write(JSON.stringify(findings));

function look(pass: PassRecord, seed: string): void {
  const { seen, wrong } = findings;
  findings.passes += 1;
  const { actions, status } = pass.decided;
  if (actions.some((action) => action.startsWith('build'))) seen.builds += 1;
  if (status.memory.starts.crashes !== undefined) seen.crashes += 1;
  if (status.memory.rollout.verdict === 'bad') seen.rollbacks += 1;
  const about = `${seed}, pass ${findings.passes} of ${pass.name}`;
  try {
    // As it is read from a file.
    const record = JSON.parse(JSON.stringify(masked(pass))) as PassRecord;
    const values = envValues(record);
    seen.values += values.length;
    const open = values.filter((value) => !/^masked \d+$/.test(value));
    if (open.length > 0) wrong.push(`${about}: shows ${open.join()}`);
    const { wish, situation, ...decided } = think(record);
    const now = JSON.parse(JSON.stringify(decided)) as unknown;
    if (!isDeepStrictEqual(now, record.decided))
      wrong.push(`${about}: ${JSON.stringify(record.decided)}\ncame to ${JSON.stringify(now)}`);
  } catch (error) {
    wrong.push(`${about}: ${messageOf(error)}`);
  }
}

function envValues(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]: [string, unknown]) =>
    key === 'env' && typeof one === 'object' && one !== null
      ? Object.values(one).map(String)
      : envValues(one),
  );
}
