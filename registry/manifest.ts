import {
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Pair,
  parseDocument,
  stringify,
  type YAMLMap,
} from 'yaml';
import { AppError, messageOf, type Problem } from '../schemas/errors.ts';
import { API_VERSION, type Program } from '../schemas/program.ts';
import { stableJson } from '../schemas/stable-json.ts';
import { type HostPolicy, validateManifest } from '../schemas/validate.ts';

/** A manifest larger than this is refused unread: nobody writes one by hand, and parsing it takes the loop. */
export const MANIFEST_BYTES_MAX = 1024 * 1024;
/** Aliases a manifest may expand; enough for anchors, too few for a bomb. */
const ALIASES_MAX = 100;

export interface ParsedManifest {
  /** Undefined where there are problems. */
  program: Program | undefined;
  problems: Problem[];
  /** `metadata.name` as written, `""` where it can not be read. */
  writtenName: string;
}

/**
 * YAML text → Program, or problems with file, line and column.
 * @param file for the problems, e.g. `programs/x.yaml`
 * @param stem the file's name without `.yaml`
 */
export function parseManifest(text: string, file: string, stem: string, policy: HostPolicy): ParsedManifest {
  const fail = (problems: Problem[]): ParsedManifest => ({ program: undefined, problems, writtenName: '' });
  if (Buffer.byteLength(text) > MANIFEST_BYTES_MAX) {
    return fail([{ file, path: '', message: `the file is larger than ${MANIFEST_BYTES_MAX} bytes` }]);
  }
  if (text.includes('\0') || text.includes('\uFFFD')) {
    return fail([{ file, path: '', message: 'the file is not UTF-8 text' }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    return fail(
      document.errors.map((error) => ({
        file,
        ...place(error.pos[0]),
        path: '',
        message:
          error.code === 'MULTIPLE_DOCS'
            ? 'the file holds more than one document: one Program a file'
            : error.message,
      })),
    );
  }
  if (document.contents === null) {
    return fail([
      { file, line: 1, column: 1, path: '', message: 'the file is empty: it must hold one Program' },
    ]);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    return fail([{ file, path: '', message: `the file can not be read: ${messageOf(error)}` }]);
  }
  const { program, problems } = validateManifest(value, stem, policy);
  const located = problems.map((problem) => {
    const offset = offsetOf(document.contents, problem.path);
    return { file, ...(offset === undefined ? { line: 1, column: 1 } : place(offset)), ...problem };
  });
  const writtenName = document.getIn(['metadata', 'name']);
  return { program, problems: located, writtenName: typeof writtenName === 'string' ? writtenName : '' };
}

/**
 * Where in the text the node at `spec.env.KEY` stands: the value of a field (its key, where the field is unknown
 * or empty), or of the nearest ancestor that exists.
 */
function offsetOf(root: unknown, path: string): number | undefined {
  let node: unknown = root;
  let offset = isNode(root) ? root.range?.[0] : undefined;
  let rest = path;
  while (rest !== '' && isMap(node)) {
    // Keys may hold dots themselves, so the longest key that fits is taken.
    const pair = (node.items as Pair<unknown, unknown>[])
      .filter(({ key }) => rest === keyText(key) || rest.startsWith(`${keyText(key)}.`))
      .sort((a, b) => keyText(b.key).length - keyText(a.key).length)[0];
    if (pair === undefined) break;
    rest = rest.slice(keyText(pair.key).length + 1);
    node = pair.value;
    const target = isNode(pair.value) && pair.value.range ? pair.value : pair.key;
    offset = (isNode(target) ? target.range?.[0] : undefined) ?? offset;
  }
  return offset;
}

function keyText(key: unknown): string {
  return String(isNode(key) && 'value' in key ? key.value : key);
}

/**
 * Sets fields of `spec` and leaves every other byte of the text as it stands: comments, order, quoting, spacing.
 * @param text a manifest that parses
 */
export function editManifest(text: string, fields: Record<string, string>): string {
  return Object.entries(fields).reduce((edited, [field, value]) => setSpecField(edited, field, value), text);
}

function setSpecField(text: string, field: string, value: string): string {
  const document = parseDocument(text, { prettyErrors: false });
  const spec = isMap(document.contents) ? document.contents.get('spec', true) : undefined;
  if (document.errors.length > 0 || !isMap(spec)) {
    throw new AppError(
      'Conflict',
      'the manifest does not parse, so it can not be edited; mend the file first',
    );
  }
  const spliced = splice(text, spec as YAMLMap<unknown, unknown>, field, scalarText(value));
  document.setIn(['spec', field], value);
  const wanted = stableJson(document.toJS());
  // The splice is proved before it is used; odd layouts (a flow mapping, an anchor) take the library's own writer.
  if (spliced !== undefined && stableJson(plain(spliced)) === wanted) return spliced;
  return document.toString({ lineWidth: 0 });
}

/** The text with one scalar replaced, or with one line added as the first of `spec`. */
function splice(
  text: string,
  spec: YAMLMap<unknown, unknown>,
  field: string,
  scalar: string,
): string | undefined {
  const pair = spec.items.find(({ key }) => keyText(key) === field);
  if (pair !== undefined) {
    const range = isScalar(pair.value) && pair.value.anchor === undefined ? pair.value.range : undefined;
    if (!range || range[0] === range[1]) return undefined;
    return text.slice(0, range[0]) + scalar + text.slice(range[1]);
  }
  const first = spec.items[0]?.key;
  const start = isNode(first) ? first.range?.[0] : undefined;
  if (spec.flow || start === undefined) return undefined;
  const indent = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  if (indent.trim() !== '') return undefined;
  return `${text.slice(0, start)}${field}: ${scalar}\n${indent}${text.slice(start)}`;
}

/** Fields a rollback leaves alone: they say what is wanted now, not what the program is. */
const KEPT_FIELDS = ['desiredState', 'restartedAt'];

/**
 * Makes `spec` equal to another one, but for what KEPT_FIELDS name; fields that are equal keep their comments.
 * @param text a manifest that parses
 */
export function replaceSpec(text: string, wanted: Record<string, unknown>): string {
  const document = parseDocument(text, { prettyErrors: false });
  const spec = isMap(document.contents) ? document.contents.get('spec', true) : undefined;
  if (document.errors.length > 0 || !isMap(spec)) {
    throw new AppError(
      'Conflict',
      'the manifest does not parse, so it can not be edited; mend the file first',
    );
  }
  const before = (document.toJS() as { spec: Record<string, unknown> }).spec;
  for (const field of Object.keys(before)) {
    if (!(field in wanted) && !KEPT_FIELDS.includes(field)) spec.delete(field);
  }
  for (const [field, value] of Object.entries(wanted)) {
    if (KEPT_FIELDS.includes(field) || stableJson(before[field]) === stableJson(value)) continue;
    document.setIn(['spec', field], document.createNode(value));
  }
  return document.toString({ lineWidth: 0 });
}

/** A word stays plain; anything else is quoted, so that no YAML dialect reads a date out of it. */
function scalarText(value: string): string {
  return /^[A-Za-z]+$/.test(value) ? value : JSON.stringify(value);
}

function plain(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false });
  return document.errors.length > 0 ? undefined : document.toJS();
}

/** Any YAML text of the project's own, as data. */
export function parseYaml(text: string): unknown {
  return parseDocument(text).toJS();
}

/** The manifest that `POST /programs` writes. */
export function newManifest(name: string, userId: string, context: string): string {
  return stringify(
    {
      apiVersion: API_VERSION,
      kind: 'Program',
      metadata: { name },
      spec: { userId, desiredState: 'Stopped', build: { context } },
    },
    { lineWidth: 0 },
  );
}
