import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Measurement, Sizes } from './bench.ts';

/** A median of fewer says little (issue: medians of at least 10). */
const ROUNDS = 11;

export interface Options {
  /** Where the JSON goes; `""`: nowhere. */
  out: string;
  chosen: readonly Measurement[];
  rounds: number;
  /** See `Bench`. */
  base?: string;
  pictures?: string;
  sandbox?: 'on' | 'off';
  sizes: Sizes;
  /** Another engine, by its name in test/other-engines. */
  on?: string;
  /** As it was asked for, but for that engine and what is written here. */
  argv: readonly string[];
}

const SIZES = ['programs', 'manifests', 'minutes', 'gigabytes'] as const;

/** @throws Error that says what an option takes */
export function readOptions(argv: readonly string[], measurements: readonly Measurement[]): Options {
  const string = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...{
        out: string,
        only: string,
        rounds: string,
        base: string,
        pictures: string,
        on: string,
        sandbox: string,
      },
      ...{ programs: string, manifests: string, minutes: string, gigabytes: string },
    },
  });
  const { out = '', rounds = String(ROUNDS), base, pictures, on, sandbox } = values;
  if (sandbox !== undefined && sandbox !== 'on' && sandbox !== 'off')
    throw new Error('--sandbox takes on or off');
  if (!/^[1-9]\d{0,3}$/.test(rounds)) throw new Error('--rounds takes a number from 1 to 9999');
  const given = SIZES.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]] as const]));
  const wrong = given.find(([, text]) => !(Number(text) > 0 && Number.isFinite(Number(text))));
  if (wrong !== undefined) throw new Error(`--${wrong[0]} takes a number above 0`);
  return {
    ...{ out, chosen: choose(values.only, measurements), rounds: Number(rounds), argv: withoutEngine(argv) },
    ...(base !== undefined && { base: resolve(base) }),
    ...(pictures !== undefined && { pictures: resolve(pictures) }),
    ...(on !== undefined && { on }),
    ...(sandbox !== undefined && { sandbox }),
    sizes: Object.fromEntries(given.map(([name, text]) => [name, Number(text)])),
  };
}

/** Named one by one with commas between them; without names all that do not wait to be named. */
function choose(only: string | undefined, measurements: readonly Measurement[]): readonly Measurement[] {
  if (only === undefined) return measurements.filter(({ onlyByName }) => onlyByName !== true);
  const names = only.split(',');
  const unknown = names.find((name) => !measurements.some((one) => one.name === name));
  if (unknown !== undefined)
    throw new Error(`--only takes some of ${measurements.map(({ name }) => name).join(',')}`);
  return measurements.filter(({ name }) => names.includes(name));
}

function withoutEngine(argv: readonly string[]): string[] {
  return argv.filter(
    (word, index) => word !== '--on' && !word.startsWith('--on=') && argv[index - 1] !== '--on',
  );
}
