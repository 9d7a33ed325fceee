import { expand, UNKNOWN } from './expand.ts';
import { LINES_A_SLICE, type PossibleLine, possibleLines } from './logical-lines.ts';
import { assignmentsOf, splitOptions, wordsOf } from './words.ts';

/** What the builder fetches by itself, in the machine's own network, and where the Dockerfile says so. */
export interface Fetch {
  /** From 1; 0 for what the build's arguments say. */
  line: number;
  /** The words that say it: `FROM`, `COPY --from`, `ADD`. */
  by: string;
  /** An image; a builder that is to read the Dockerfile instead; a source of `ADD` that is no file of the context. */
  kind: 'image' | 'syntax' | 'remote';
  /** As it comes to; with `UNKNOWN` in it where that is not known before the build. */
  name: string;
  /** As it stands there, where that is another word. */
  written?: string;
  /** It may be a line of a here-document, which older builders read as an instruction. */
  isDoubtful?: boolean;
}

/** Of a Dockerfile that is not read: why. */
export interface Unread {
  line: number;
  why: string;
}

/** Longer ones nobody writes, and to read them would keep all else waiting. */
export const DOCKERFILE_BYTES_MAX = 128 * 1024;
const LINES_MAX = 4_000;
const LINE_CHARS_MAX = 65_535;
/** What the builder itself gives to `FROM`. */
const HOST_ARGS = ['BUILD', 'TARGET'];
const SYNTAX_ARG = 'BUILDKIT_SYNTAX';
const REMOTE = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|(?:www\.)?github\.com\/|[a-z0-9_.-]+@[a-z0-9_.-]+:)/i;

/**
 * Everything that a build fetches by itself, by its Dockerfile; what its `RUN` steps do is theirs. Read as the builder
 * does, and where its versions differ in each of their ways. In slices.
 * @param arch the machine's, as the builder calls it
 */
export function* fetchesOf(
  text: string,
  args: Readonly<Record<string, string>>,
  arch: string,
): Generator<void, Fetch[] | Unread> {
  if (Buffer.byteLength(text) > DOCKERFILE_BYTES_MAX)
    return { line: 1, why: `it has more than ${DOCKERFILE_BYTES_MAX / 1024} KiB` };
  if (countOf(text, '\n', LINES_MAX) > LINES_MAX)
    return { line: LINES_MAX + 1, why: `it has more than ${LINES_MAX} lines` };
  // A builder gives up at those too.
  if (text.split('\n').some((line) => line.length > LINE_CHARS_MAX))
    return { line: 1, why: `a line of it has more than ${LINE_CHARS_MAX} characters` };
  const odd = /\r(?!\n)|\0/.exec(text);
  if (odd !== null)
    return { line: text.slice(0, odd.index).split('\n').length, why: 'a control character stands in it' };
  if (/^[\uFEFF\s]*\{/.test(text)) return { line: 1, why: 'it begins as JSON does' };
  const heads = directives(text);
  const found = heads.flatMap(({ line, key, value }): Fetch[] =>
    key === 'syntax' ? [{ line, by: '# syntax', kind: 'syntax', name: wordsOf(value)[0] ?? '' }] : [],
  );
  const given = args[SYNTAX_ARG];
  if (given !== undefined)
    found.push({ line: 0, by: SYNTAX_ARG, kind: 'syntax', name: wordsOf(given)[0] ?? '' });
  const isTwofold = heads.some(({ key, value }) => key === 'escape' && value.startsWith('`'));
  for (const sign of isTwofold ? (['\\', '`'] as const) : (['\\'] as const)) {
    const lines = yield* possibleLines(text, sign);
    if (lines === undefined) return { line: 1, why: 'too many of its lines are continued' };
    found.push(...(yield* fetchesIn(lines, args, arch)));
  }
  // Several readings have most of them in common.
  return [
    ...new Map(found.map((one) => [`${one.line}\n${one.by}\n${one.name}\n${one.isDoubtful}`, one])).values(),
  ];
}

/** How often it stands there, counted a little beyond `enough` at most. */
function countOf(text: string, letter: string, enough: number): number {
  let count = 0;
  for (let at = text.indexOf(letter); at >= 0 && count <= enough; at = text.indexOf(letter, at + 1)) count++;
  return count;
}

/** The comments that a Dockerfile begins with and that mean something, in any form that a builder takes. */
function directives(text: string): { line: number; key: string; value: string }[] {
  const found: { line: number; key: string; value: string }[] = [];
  for (const [at, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (!/^\s*(?:#|\/\/|$)/.test(line)) break;
    const [, key = '', value = ''] = /^\s*(?:#|\/\/)\s*([a-z][a-z0-9]*)\s*=\s*(\S.*)$/i.exec(line) ?? [];
    if (key !== '') found.push({ line: at + 1, key: key.toLowerCase(), value: value.trim() });
  }
  return found;
}

function* fetchesIn(
  lines: readonly PossibleLine[],
  args: Readonly<Record<string, string>>,
  arch: string,
): Generator<void, Fetch[]> {
  const variables = hostArgs(args, arch);
  const stages = new Set<string>();
  const found: Fetch[] = [];
  let isBegun = false;
  for (const [at, { line, text, isDoubtful }] of lines.entries()) {
    if (at > 0 && at % LINES_A_SLICE === 0) yield;
    const { keyword, rest } = instructionOf(text);
    if (keyword === 'ARG' && !isBegun) declare(rest, args, variables);
    if (keyword === 'FROM') {
      const from = fromOf(rest, variables);
      if (from === undefined) continue;
      isBegun = true;
      if (!stages.has(from.name.toLowerCase()) && from.name.toLowerCase() !== 'scratch')
        found.push({ line, by: 'FROM', kind: 'image', name: from.name, written: from.written, isDoubtful });
      if (from.stage !== '' && !isDoubtful) stages.add(from.stage);
    } else found.push(...ofStep(keyword, rest, stages).map((one) => ({ line, isDoubtful, ...one })));
  }
  return found;
}

interface Step {
  keyword: string;
  rest: string;
}

/** Of an `ONBUILD`, what it has other builds do. */
function instructionOf(text: string): Step {
  const step = stepOf(text);
  return step.keyword === 'ONBUILD' ? stepOf(step.rest) : step;
}

function stepOf(text: string): Step {
  const [, keyword = '', rest = ''] = /^([^\t\v\f\r ]+)[\t\v\f\r ]*(.*)$/s.exec(text) ?? [];
  return { keyword: keyword.toUpperCase(), rest };
}

function hostArgs(args: Readonly<Record<string, string>>, arch: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const of of HOST_ARGS) {
    variables.set(`${of}PLATFORM`, `linux/${arch}`).set(`${of}OS`, 'linux');
    variables.set(`${of}ARCH`, arch).set(`${of}VARIANT`, '');
  }
  for (const name of variables.keys()) variables.set(name, args[name] ?? variables.get(name) ?? '');
  return variables;
}

/** An `ARG` before the first stage. What a build is given counts before what stands there. */
function declare(rest: string, args: Readonly<Record<string, string>>, variables: Map<string, string>): void {
  for (const { name: written, value } of assignmentsOf(rest)) {
    const name = expand(written, variables);
    // What it is called is not known, and so none is.
    if (!/^[A-Za-z_]\w*$/.test(name)) variables.set(UNKNOWN, '');
    const given = Object.hasOwn(args, name) ? args[name] : undefined;
    if (given !== undefined) variables.set(name, given);
    else if (value !== undefined) variables.set(name, expand(value, variables));
  }
}

/** Undefined of what no builder takes. */
function fromOf(
  rest: string,
  variables: ReadonlyMap<string, string>,
): { name: string; written: string; stage: string } | undefined {
  const [image = '', as, stage = '', ...more] = wordsOf(splitOptions(rest).rest);
  if (image === '' || more.length > 0) return undefined;
  if (as !== undefined && (as.toUpperCase() !== 'AS' || stage === '')) return undefined;
  const name = expand(image, variables);
  return name === '' ? undefined : { name, written: image, stage: stage.toLowerCase() };
}

function ofStep(keyword: string, rest: string, stages: ReadonlySet<string>): Omit<Fetch, 'line'>[] {
  const { options, rest: behind } = splitOptions(rest);
  if (keyword === 'ADD')
    return sourcesOf(behind)
      .map(remoteName)
      .filter((name) => name !== undefined)
      .map((name) => ({ by: 'ADD', kind: 'remote', name }));
  const isStage = (name: string) => stages.has(name.toLowerCase()) || /^\d+$/.test(name);
  const names =
    keyword === 'COPY' ? valuesOf(options, 'from') : keyword === 'RUN' ? mountedFrom(options) : [];
  const by = keyword === 'COPY' ? 'COPY --from' : 'RUN --mount from';
  return names
    .filter((name) => name !== '' && !isStage(name))
    .map((name) => ({ by, kind: 'image', name: name.includes('$') ? `${name}${UNKNOWN}` : name }));
}

function valuesOf(options: readonly string[], key: string): string[] {
  const start = `--${key}=`;
  return options.flatMap((one) => (one.toLowerCase().startsWith(start) ? [one.slice(start.length)] : []));
}

function mountedFrom(options: readonly string[]): string[] {
  const fields = valuesOf(options, 'mount').flatMap((mount) => mount.split(','));
  return fields.flatMap((field) => /^\s*from\s*=\s*(.*?)\s*$/i.exec(field.replace(/"/g, ''))?.[1] ?? []);
}

/** All but the last, which is where they go. */
function sourcesOf(text: string): string[] {
  return [jsonWords(text), wordsOf(text)].flatMap((words) => words.slice(0, -1));
}

function jsonWords(text: string): string[] {
  if (!text.startsWith('[')) return [];
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) ? words.map(String) : [];
  } catch {
    return [];
  }
}

/**
 * Undefined of a file of the context. What a variable comes to within a stage is known to nobody before the build, since
 * the base image may set it: one may stand behind a folder alone.
 */
function remoteName(word: string): string | undefined {
  const bare = word.replace(/["'\\`]/g, '');
  if (REMOTE.test(bare)) return bare;
  const at = bare.indexOf('$');
  return at < 0 || /^[^:@]*\//.test(bare.slice(0, at)) ? undefined : `${bare}${UNKNOWN}`;
}
