import { nearest } from '../../../schemas/nearest.ts';
import { ApiError } from '../../client.ts';
import { CliError, EXIT } from '../io/exit.ts';
import type { ProgramBody } from './bodies.ts';
import type { Host } from './host.ts';

/** Names in one message. */
const NAMES_MAX = 10;

/**
 * The programs that are meant, each by its name or by what only its name begins with. Rejects `CliError` for what none
 * or several begin with, before anything is done about any of them.
 */
export async function findPrograms(host: Host, given: readonly string[]): Promise<ProgramBody[]> {
  let all: ProgramBody[] | undefined;
  const found = new Map<string, ProgramBody>();
  for (const word of given) {
    const exact = all?.find(({ program_id }) => program_id === word) ?? (await exactly(host, word));
    if (exact === undefined) all ??= await host.client.programs();
    const program = exact ?? byPrefix(word, all ?? []);
    found.set(program.program_id, program);
  }
  return [...found.values()];
}

/** The one that is meant. */
export async function findProgram(host: Host, word: string): Promise<ProgramBody> {
  const [program] = await findPrograms(host, [word]);
  if (program === undefined) throw noProgram(word, []);
  return program;
}

/** The one of that very name; undefined where there is none. */
export async function exactly(host: Host, name: string): Promise<ProgramBody | undefined> {
  return host.client.program(name).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404 && !isUnknownRoute(error)) return undefined;
    throw error;
  });
}

function byPrefix(word: string, all: readonly ProgramBody[]): ProgramBody {
  const candidates = all.filter(({ program_id }) => program_id.startsWith(word));
  const [one] = candidates;
  if (one === undefined || word === '')
    throw noProgram(
      word,
      all.map(({ program_id }) => program_id),
    );
  if (candidates.length === 1) return one;
  const names = candidates.map(({ program_id }) => program_id);
  const more = names.length > NAMES_MAX ? `\n  and ${names.length - NAMES_MAX} more` : '';
  throw new CliError(
    EXIT.usage,
    `${names.length} programs begin with ${word}:\n  ${names.slice(0, NAMES_MAX).join('\n  ')}${more}`,
    'Write more of the name.',
  );
}

function noProgram(word: string, names: readonly string[]): CliError {
  const meant = nearest(word, names);
  const hint = meant === undefined ? 'hershctl get lists the programs there are.' : `Did you mean ${meant}?`;
  return new CliError(EXIT.notFound, `there is no program ${JSON.stringify(word)}`, hint);
}

/** A route that a host of another version does not have. */
export const isUnknownRoute = ({ status, message }: ApiError): boolean =>
  status === 404 && message.startsWith('no route ');
