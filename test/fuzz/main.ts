/**
 * `npm run fuzz -- dockerignore [--cases N] [--seed S]`: compares with another program on random input; outside `npm test`,
 * since that program has to be brought first.
 */
import { parseArgs } from 'node:util';
import { makeSay, reportAndExit, SetupError } from '../setup/say.ts';
import { fuzzDockerignore } from './dockerignore.ts';

const WHAT = { dockerignore: fuzzDockerignore };

const say = makeSay();
/** Ends the run after what is under way; the engine is then closed as after any. */
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
try {
  const { values, positionals } = parseArgs({
    options: { cases: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } },
    allowPositionals: true,
  });
  const [what = ''] = positionals;
  const fuzz = Object.entries(WHAT).find(([name]) => name === what)?.[1];
  if (fuzz === undefined) throw new SetupError(`Name one of: ${Object.keys(WHAT).join(', ')}`);
  const [cases, seed] = [values.cases, values.seed].map(Number);
  if (!Number.isSafeInteger(cases) || !Number.isSafeInteger(seed))
    throw new SetupError('--cases and --seed are whole numbers');
  if ((await fuzz(say, cases ?? 0, seed ?? 0, stopped.signal)) > 0) process.exitCode = 1;
} catch (error) {
  reportAndExit(error);
}
