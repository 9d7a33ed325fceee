import { type Document, isCollection, isMap, isNode, type Pair, visit, type YAMLMap } from 'yaml';
import { AppError } from '../../schemas/errors.ts';
import { stableJson } from '../../schemas/stable-json.ts';
import { keyText } from './manifest.ts';
import { dataOf, NO_ALIASES_MAX, parseYamlDocument } from './yaml-document.ts';
import { applySplices, mapSplices, pairSplices, type Splice } from './yaml-splices.ts';
import { inlineText } from './yaml-text.ts';

type Data = Record<string, unknown>;

/** Fields a rollback leaves alone: they say what is wanted now, not what the program is. */
const KEPT_FIELDS = ['desiredState', 'restartedAt'];

/** When merges are written out: no more than has to be, and then where something may have come to light. */
const UNMERGE = ['needed', 'removing'] as const;

/**
 * Sets fields of `spec` and leaves every other byte of the text as it stands: comments, order, quoting, spacing.
 * @param text a manifest that parses
 */
export function editManifest(text: string, fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields).reduce(
    (edited, [field, value]) => setSpecField(edited, field, value, true),
    text,
  );
}

/**
 * Makes `spec` equal to another one, but for what KEPT_FIELDS name; what is equal in both keeps every byte.
 * @param text a manifest that parses
 */
export function replaceSpec(text: string, wanted: Record<string, unknown>): string {
  const was = read(text);
  const { data } = was;
  const isKept = ([field]: [string, unknown]) => KEPT_FIELDS.includes(field);
  const spec = Object.fromEntries([
    ...Object.entries(data.spec).filter(isKept),
    ...Object.entries(wanted).filter((entry) => !isKept(entry)),
  ]);
  for (const unmerge of UNMERGE) {
    const inPlace = splice(was, (whole, map) => mapSplices(whole, map, data.spec, spec, { unmerge }));
    const edited = inPlace.find((candidate) => says(candidate, { ...data, spec }, text));
    if (edited !== undefined) return edited;
  }
  // One by one, so that only what can not be edited in place is written anew. New ones first: no spec is empty.
  const gone = Object.keys(data.spec).filter((field) => !Object.hasOwn(spec, field));
  return [...Object.keys(spec), ...gone].reduce((now, field) => setSpecField(now, field, spec[field]), text);
}

/**
 * @param value undefined to remove the field
 * @param onTop a new field becomes the first of `spec` rather than the last
 */
function setSpecField(text: string, field: string, value: unknown, onTop = false): string {
  const was = read(text);
  const { data } = was;
  const others = Object.entries(data.spec).filter(([name]) => value !== undefined || name !== field);
  const spec = { ...Object.fromEntries(others), ...(value === undefined ? {} : { [field]: value }) };
  if (stableJson(spec) === stableJson(data.spec)) return text;
  const inPlace = (unmerge: (typeof UNMERGE)[number]) => (whole: string, map: YAMLMap, at: number) =>
    mapSplices(whole, map, data.spec, spec, { under: onTop ? at : undefined, unmerge });
  const anew = (whole: string, map: YAMLMap) => {
    const pair = pairOf(map, field);
    return pair && value !== undefined ? pairSplices(whole, map, pair, value) : undefined;
  };
  const ways = [
    ...UNMERGE.map((unmerge) => (base: Manifest) => splice(base, inPlace(unmerge))),
    (base: Manifest) => splice(base, anew),
    (base: Manifest) => spliceAtTop(base, { ...data, spec }),
    // The writer takes the document apart.
    (base: Manifest) => rewrite(read(base.text), field, value),
  ];
  // Where an anchor carries the change to places that were not meant, what it stands for is written out there; and
  // what came by a merge can be taken out only where it stands.
  const bases = [
    () => was,
    () => otherText(was, writeOutAliases(was, field)),
    () => otherText(was, writeOutMerges(was)),
  ];
  for (const way of ways) {
    for (const baseOf of bases) {
      const base = baseOf();
      if (base === undefined) continue;
      const edited = way(base).find((candidate) => says(candidate, { ...data, spec }, text));
      if (edited !== undefined) return edited;
    }
  }
  throw new AppError('Conflict', 'the manifest is written in a way that can not be edited by a call', {
    hint: 'Edit the file itself, or write it without anchors and aliases.',
  });
}

/** A text and what is made of it: to read one takes longer than all else that an edit does. */
interface Manifest {
  text: string;
  document: Document;
  data: Data & { spec: Data };
}

/** @throws AppError `Conflict` for a text that is not one mapping with a `spec` that is one */
function read(text: string): Manifest {
  try {
    const { document, secondAt } = parseYamlDocument(text);
    const data = document.errors.length === 0 && secondAt === undefined ? dataOf(document) : undefined;
    const spec = (data as Data | null | undefined)?.spec;
    if (typeof spec === 'object' && spec !== null && !Array.isArray(spec)) {
      return { text, document, data: { ...(data as Data), spec: spec as Data } };
    }
  } catch {
    // Said below.
  }
  throw new AppError('Conflict', 'the manifest does not parse, so it can not be edited; mend the file first');
}

/** Whether a text means just this, and is JSON where the one before was. No edit is used before that is proved. */
function says(text: string, wanted: unknown, before: string): boolean {
  return readAs(text, wanted) !== undefined && (isJson(text) || !isJson(before));
}

/** Another text for the same; `undefined` where it is no other, or not for the same. */
function otherText(was: Manifest, text: string): Manifest | undefined {
  return text === was.text ? undefined : readAs(text, was.data);
}

function readAs(text: string, wanted: unknown): Manifest | undefined {
  try {
    const manifest = read(text);
    return stableJson(manifest.data) === stableJson(wanted) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** The text with its `spec` edited in place; none for odd layouts, two where it has no line end at its end. */
function splice(
  manifest: Manifest,
  make: (whole: string, spec: YAMLMap, specAt: number) => Splice[] | undefined,
): string[] {
  return applied(manifest, (whole, root) => {
    const pair = pairOf(root, 'spec');
    return isMap(pair?.value) ? make(whole, pair.value, rangeOf(pair.key)[0]) : undefined;
  });
}

/** The text with a `spec` of its own beside what a merge brings in, or in the place of the alias that it was. */
function spliceAtTop(manifest: Manifest, wanted: Data): string[] {
  return applied(manifest, (whole, root) => mapSplices(whole, root, manifest.data, wanted));
}

function applied(
  { text, document }: Manifest,
  make: (whole: string, root: YAMLMap) => Splice[] | undefined,
): string[] {
  const whole = text.endsWith('\n') ? text : `${text}${text.includes('\r\n') ? '\r\n' : '\n'}`;
  const { contents } = whole === text ? document : read(whole).document;
  const splices = isMap(contents) ? make(whole, contents) : undefined;
  if (splices === undefined) return [];
  const edited = applySplices(whole, splices);
  // The line end belongs to a block scalar that comes last.
  return whole === text ? [edited] : [edited.replace(/\r?\n$/, ''), edited];
}

/** The edit by a writer for all of it, which keeps comments and order but not every space. */
function rewrite({ text, document, data }: Manifest, field: string, value: unknown): string[] {
  if (isJson(text)) {
    const indent = /^\uFEFF?\{\s*\n([ \t]+)/.exec(text)?.[1];
    const anew = JSON.stringify({ ...data, spec: { ...data.spec, [field]: value } }, undefined, indent);
    return [likeIn(text, text.endsWith('\n') ? `${anew}\n` : anew)];
  }
  try {
    if (value === undefined) document.deleteIn(['spec', field]);
    else document.setIn(['spec', field], document.createNode(value, { aliasDuplicateObjects: false }));
    return [likeIn(text, document.toString({ lineWidth: 0 }))];
  } catch {
    // An alias that lost its anchor.
    return [];
  }
}

/** With the line ends of another text, and with its byte order mark. */
function likeIn(text: string, edited: string): string {
  const result = text.includes('\r\n') ? edited.replaceAll(/\r?\n/g, '\r\n') : edited;
  return text.startsWith('\uFEFF') ? `\uFEFF${result}` : result;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return true;
  } catch {
    return false;
  }
}

/** The text with the aliases of what stands in a field of `spec`, or of `spec` itself, replaced by their values. */
function writeOutAliases({ text, document }: Manifest, field: string): string {
  const spec = pairOf(document.contents, 'spec')?.value;
  const [start, end] = rangeOf(pairOf(spec, field)?.value);
  const splices: Splice[] = [];
  visit(document, {
    Alias(_, alias, path) {
      const source = alias.resolve(document);
      const [from] = rangeOf(source);
      if (source === undefined || !(alias === spec || (from >= start && from < end))) return;
      const isInFlow = path.some((parent) => isCollection(parent) && parent.flow === true);
      const [at, behind] = rangeOf(alias);
      splices.push({
        start: at,
        end: behind,
        text: inlineText(source.toJS(document, NO_ALIASES_MAX), isInFlow),
      });
    },
  });
  return applySplices(text, splices);
}

/** The text with what merges bring into `spec` written into it; the text itself where none does. */
function writeOutMerges(manifest: Manifest): string {
  const { text, data } = manifest;
  const edited = splice(manifest, (whole, map) =>
    mapSplices(whole, map, data.spec, data.spec, { unmerge: 'always' }),
  );
  return edited[0] ?? text;
}

function rangeOf(node: unknown): [start: number, end: number] {
  const range = isNode(node) ? node.range : undefined;
  return range ? [range[0], range[1]] : [-1, -1];
}

function pairOf(map: unknown, name: string): Pair | undefined {
  return isMap(map) ? (map.items as Pair[]).find(({ key }) => keyText(key) === name) : undefined;
}
