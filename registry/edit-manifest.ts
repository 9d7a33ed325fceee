import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  type Node,
  visit,
  type YAMLMap,
} from 'yaml';
import { AppError } from '../schemas/errors.ts';
import { stableJson } from '../schemas/stable-json.ts';
import { keyText } from './manifest.ts';
import { dataOf, parseYamlDocument } from './yaml-document.ts';

type Data = Record<string, unknown>;

/** Fields a rollback leaves alone: they say what is wanted now, not what the program is. */
const KEPT_FIELDS = ['desiredState', 'restartedAt'];

/**
 * Sets fields of `spec` and leaves every other byte of the text as it stands: comments, order, quoting, spacing.
 * @param text a manifest that parses
 */
export function editManifest(text: string, fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields).reduce((edited, [field, value]) => setSpecField(edited, field, value), text);
}

function setSpecField(text: string, field: string, value: string): string {
  const before = read(text).data;
  const wanted = { ...before, spec: { ...before.spec, [field]: value } };
  const spliced = splice(text, field, scalarText(value));
  if (spliced !== undefined && says(spliced, wanted)) return spliced;
  return rewrite(text, wanted, (document) => document.setIn(['spec', field], value));
}

/**
 * Makes `spec` equal to another one, but for what KEPT_FIELDS name; fields that are equal keep their comments.
 * @param text a manifest that parses
 */
export function replaceSpec(text: string, wanted: Record<string, unknown>): string {
  const before = read(text).data;
  const isKept = ([field]: [string, unknown]) => KEPT_FIELDS.includes(field);
  const spec = Object.fromEntries([
    ...Object.entries(before.spec).filter(isKept),
    ...Object.entries(wanted).filter((entry) => !isKept(entry)),
  ]);
  if (stableJson(spec) === stableJson(before.spec)) return text;
  return rewrite(text, { ...before, spec }, (document) => {
    for (const field of Object.keys(before.spec)) if (!(field in spec)) document.deleteIn(['spec', field]);
    for (const [field, value] of Object.entries(spec)) {
      if (stableJson(before.spec[field]) === stableJson(value)) continue;
      document.setIn(['spec', field], document.createNode(value));
    }
  });
}

/** @throws AppError `Conflict` for a text that is not one mapping with a `spec` that is one */
function read(text: string): { document: Document; data: Data & { spec: Data } } {
  try {
    const { document, secondAt } = parseYamlDocument(text);
    const data = document.errors.length === 0 && secondAt === undefined ? dataOf(document) : undefined;
    const spec = (data as Data | null | undefined)?.spec;
    if (typeof spec === 'object' && spec !== null && !Array.isArray(spec)) {
      return { document, data: { ...(data as Data), spec: spec as Data } };
    }
  } catch {
    // Said below.
  }
  throw new AppError('Conflict', 'the manifest does not parse, so it can not be edited; mend the file first');
}

/** Whether a text means just this. No edit is used before that is proved. */
function says(text: string, wanted: unknown): boolean {
  try {
    return stableJson(read(text).data) === stableJson(wanted);
  } catch {
    return false;
  }
}

/**
 * The edit by the library's own writer, which keeps comments and order but not every space. Where an anchor
 * carries the change to places that were not meant, what it stands for is written out first.
 */
function rewrite(text: string, wanted: unknown, change: (document: Document) => void): string {
  for (const prepare of [() => undefined, writeOutAliases]) {
    const { document } = read(text);
    prepare(document);
    try {
      change(document);
      const edited = document.toString({ lineWidth: 0 });
      const result = text.includes('\r\n') ? edited.replaceAll(/\r?\n/g, '\r\n') : edited;
      if (says(result, wanted)) return text.startsWith('\uFEFF') ? `\uFEFF${result}` : result;
    } catch {
      // An alias that lost its anchor: the next way has none.
    }
  }
  throw new AppError('Conflict', 'the manifest is written in a way that can not be edited by a call', {
    hint: 'Edit the file itself, or write it without anchors and aliases.',
  });
}

function writeOutAliases(document: Document): undefined {
  visit(document, {
    Alias: (_, alias) => alias.resolve(document)?.clone() as Node | undefined,
  });
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node)) delete (node as { anchor?: string }).anchor;
    },
  });
}

/** The text with one scalar replaced, or with one field added as the first of `spec`; undefined for odd layouts. */
function splice(text: string, field: string, scalar: string): string | undefined {
  const { contents } = read(text).document;
  const pair = isMap(contents) ? contents.items.find(({ key }) => keyText(key) === 'spec') : undefined;
  const spec = pair?.value;
  if (!isMap(spec)) return undefined;
  const known = spec.items.find(({ key }) => keyText(key) === field);
  if (isPair(known)) return spliceValue(text, known.value, scalar);
  const start = startOf(spec.items[0]?.key);
  if (spec.flow) return spliceFlow(text, spec, start, `${field}: ${scalar}`);
  // Below the line of `spec:`, above any comment that belongs to what is the first field now.
  const lineEnd = text.indexOf('\n', startOf(pair?.key) ?? 0);
  if (start === undefined || lineEnd === -1 || lineEnd > start) return undefined;
  const indent = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  const newline = text[lineEnd - 1] === '\r' ? '\r\n' : '\n';
  return `${text.slice(0, lineEnd + 1)}${indent}${field}: ${scalar}${newline}${text.slice(lineEnd + 1)}`;
}

function spliceValue(text: string, value: unknown, scalar: string): string | undefined {
  const range = isScalar(value) || isAlias(value) ? value.range : undefined;
  if (!range) return undefined;
  const [start, end] = range;
  // An empty value begins right behind its colon; a block scalar ends with its line.
  const space = start === end ? ' ' : '';
  const newline = /\r?\n$/.exec(text.slice(start, end))?.[0] ?? '';
  return `${text.slice(0, start)}${space}${scalar}${newline}${text.slice(end)}`;
}

function spliceFlow(
  text: string,
  spec: YAMLMap<unknown, unknown>,
  start: number | undefined,
  field: string,
): string | undefined {
  if (start !== undefined) return `${text.slice(0, start)}${field}, ${text.slice(start)}`;
  const open = text.indexOf('{', spec.range?.[0] ?? text.length);
  return open === -1 ? undefined : `${text.slice(0, open + 1)}${field}${text.slice(open + 1)}`;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** A word stays plain; anything else is quoted, so that no YAML dialect reads a date out of it. */
function scalarText(value: string): string {
  return /^[A-Za-z]+$/.test(value) ? value : JSON.stringify(value);
}
