import { stringify } from 'yaml';
import { CliError, EXIT } from '../io/exit.ts';

export const FORMATS = ['table', 'wide', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** What `-o` says. Throws `CliError`. */
export function formatOf(value: string | undefined, taken: readonly Format[] = FORMATS): Format {
  const format = taken.find((one) => one === (value ?? 'table'));
  if (format !== undefined) return format;
  throw new CliError(EXIT.usage, `-o ${value} is none that is known`, `One of ${taken.join(', ')}.`);
}

/** An answer of the API as it is, in that form. */
export function asData(body: unknown, format: 'json' | 'yaml'): string {
  return format === 'json' ? `${JSON.stringify(body, null, 2)}\n` : stringify(body, { lineWidth: 0 });
}

/** For programs that read YAML as 1.1 had it, where `no`, `on` and `1:30` are no words. */
export function asOlderYaml(body: unknown): string {
  return stringify(body, { lineWidth: 0, version: '1.1' });
}

/** An answer that is one of many that come one after the other. */
export function asItem(body: unknown, format: 'json' | 'yaml'): string {
  return format === 'json' ? `${JSON.stringify(body)}\n` : `---\n${stringify(body, { lineWidth: 0 })}`;
}

export const isData = (format: Format): format is 'json' | 'yaml' => format === 'json' || format === 'yaml';
