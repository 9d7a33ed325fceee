/** Manifests: YAML text to Program and back, the set that is known, edits that keep every byte of the rest. */

import { isMap, isNode, isScalar, isSeq, LineCounter, parse, stringify } from 'yaml';
import { messageOf, type Problem } from '../../schemas/errors.ts';
import { isRecord } from '../../schemas/is-record.ts';
import { API_VERSION, type Program } from '../../schemas/program.ts';
import { type HostPolicy, type ManifestProblem, validateManifest } from '../../schemas/validate.ts';
import { dataOf, parseYamlDocument } from './yaml-document.ts';
import { behind, pairsOf, type Targets, targetsOf } from './yaml-merges.ts';
import { YamlRefused } from './yaml-refused.ts';

/** A manifest larger than this is refused unread: nobody writes one by hand, and parsing it takes the loop. */
export const MANIFEST_BYTES_MAX = 1024 * 1024;
/** Syntax errors told at once: what follows the first is often its echo. */
const PROBLEMS_MAX = 20;
/** A message holds what somebody wrote, and nobody reads a megabyte of it. */
const MESSAGE_LENGTH_MAX = 500;

export interface ParsedManifest {
  /** Undefined where there are problems. */
  program: Program | undefined;
  problems: Problem[];
  /** `metadata.name` as written, `""` where it can not be read. */
  writtenName: string;
}

/**
 * YAML text → Program, or problems with file, line and column, in the order of the text.
 * @param file for the problems, e.g. `programs/x.yaml`
 * @param stem the file's name without `.yaml`
 */
export function parseManifest(text: string, file: string, stem: string, policy: HostPolicy): ParsedManifest {
  const lines = new LineCounter();
  const at = (offset: number, path: string, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    // A byte order mark takes no column in any editor.
    const column = line <= 1 && text.startsWith('\uFEFF') ? col - 1 : col;
    return { file, line: Math.max(1, line), column: Math.max(1, column), path, message: cut(message) };
  };
  const fail = (...problems: Problem[]): ParsedManifest => ({
    program: undefined,
    problems,
    writtenName: '',
  });
  if (Buffer.byteLength(text) > MANIFEST_BYTES_MAX) {
    return fail({ file, path: '', message: `the file is larger than ${MANIFEST_BYTES_MAX} bytes` });
  }
  if (text.includes('\0') || text.includes('\uFFFD')) {
    return fail({ file, path: '', message: 'the file is not UTF-8 text' });
  }
  try {
    const { document, secondAt } = parseYamlDocument(text, lines);
    if (document.errors.length > 0) {
      const errors = document.errors.slice(0, PROBLEMS_MAX);
      return fail(...errors.map(({ pos, message }) => at(pos[0], '', message)));
    }
    if (secondAt !== undefined) {
      return fail(at(secondAt, '', 'the file holds more than one document: one Program a file'));
    }
    const { contents } = document;
    if (contents === null || isEmpty(contents))
      return fail(at(0, '', 'the file is empty: it must hold one Program'));
    const targets = targetsOf(document);
    const lost = [...targets].find(([, target]) => target === undefined)?.[0];
    if (lost !== undefined)
      return fail(at(startOf(lost) ?? 0, '', `no anchor &${lost.source} stands before this alias`));
    const data = dataOf(document);
    const find = (problem: ManifestProblem) => nodeAt(contents, problem, targets);
    const written = (path: string) => sourceOf(behind(find({ path, message: '' }).node, targets));
    const { program, problems } = validateManifest(data, stem, policy, written);
    const located = problems
      .map((problem) => ({ problem, offset: find(problem).offset }))
      .sort((a, b) => a.offset - b.offset)
      .map(({ problem, offset }) => at(offset, problem.path, problem.message));
    const writtenName = nameIn(data);
    return { program, problems: located, writtenName };
  } catch (error) {
    if (error instanceof YamlRefused) return fail(at(error.offset, '', error.message));
    return fail(at(0, '', `the file can not be read: ${messageOf(error)}`));
  }
}

/** Wherever it stands: it may have come by an alias or a merge. */
function nameIn(data: unknown): string {
  const metadata = isRecord(data) ? data.metadata : undefined;
  const name = isRecord(metadata) ? metadata.name : undefined;
  return typeof name === 'string' ? name : '';
}

function cut(message: string): string {
  return message.length <= MESSAGE_LENGTH_MAX ? message : `${message.slice(0, MESSAGE_LENGTH_MAX)}…`;
}

/**
 * The thing at `spec.env.KEY`, undefined where only an ancestor of it exists, and where in the text it stands: the
 * value of a field (its key, where the key is what is wrong, or the value is empty), or the nearest ancestor that
 * exists. What comes by an alias or a merge stands where its anchor does.
 */
function nodeAt(
  root: unknown,
  { path, atKey }: ManifestProblem,
  targets: Targets,
): { node: unknown; offset: number } {
  let node: unknown = root;
  let offset = startOf(root) ?? 0;
  let rest = path;
  while (rest !== '') {
    const inner = behind(node, targets);
    if (isSeq(inner)) {
      const [index = ''] = rest.split('.', 1);
      rest = rest.slice(index.length + 1);
      node = inner.items[Number(index)];
      offset = startOf(node) ?? offset;
      continue;
    }
    if (!isMap(inner)) break;
    // Keys may hold dots themselves, so the longest key that fits is taken.
    const pair = pairsOf(inner, targets)
      .filter(({ key }) => rest === keyText(key) || rest.startsWith(`${keyText(key)}.`))
      .sort((a, b) => keyText(b.key).length - keyText(a.key).length)[0];
    if (pair === undefined) break;
    rest = rest.slice(keyText(pair.key).length + 1);
    node = pair.value;
    const isKeyMeant = (rest === '' && atKey === true) || isEmpty(node);
    offset = (isKeyMeant ? startOf(pair.key) : startOf(node)) ?? startOf(pair.key) ?? offset;
  }
  return { node: rest === '' ? node : undefined, offset };
}

/** A scalar as it is written in the file. */
function sourceOf(node: unknown): string | undefined {
  return isScalar(node) ? node.source : undefined;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** `key:` without anything after it. */
function isEmpty(node: unknown): boolean {
  return isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1];
}

/** The key of a pair as text. */
export function keyText(key: unknown): string {
  return String(isNode(key) && 'value' in key ? key.value : key);
}

/** Any YAML text of the project's own, as data. Throws where it is damaged. */
export function parseYaml(text: string): unknown {
  return parse(text);
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
