import { isCollection, isMap, isNode, type Node, type Pair, type YAMLMap } from 'yaml';
import { isRecord } from '../../schemas/is-record.ts';
import { stableJson } from '../../schemas/stable-json.ts';
import { keyText } from './manifest.ts';
import { isMergeKey } from './yaml-merges.ts';
import {
  colonOf,
  commentStart,
  commentsIn,
  endOf,
  indentAt,
  indented,
  lineStart,
  nextLine,
  startOf,
  textBefore,
} from './yaml-places.ts';
import { blockScalar, blockText, flowPairs, inlineText, isBlockScalar } from './yaml-text.ts';

type Data = Readonly<Record<string, unknown>>;

/** A piece of a text, and what is put in its place. */
export interface Splice {
  start: number;
  end: number;
  text: string;
}

/** The text with its pieces replaced; of two at one place the one that takes nothing away comes first. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  let edited = '';
  let done = 0;
  for (const { start, end, text: put } of [...splices].sort((a, b) => a.start - b.start || a.end - b.end)) {
    edited += text.slice(done, start) + put.replaceAll('\n', newline);
    done = end;
  }
  return edited + text.slice(done);
}

/** How a mapping is edited. */
export interface How {
  /** New keys go below the line that this offset is in; else behind the last key. */
  under?: number | undefined;
  /**
   * Where what merges bring in is put in the place of the first of them, and the others are taken away: where something
   * of theirs goes, which is possible in no other way, where anything goes, since something of theirs may be under it,
   * or everywhere. By default the first.
   */
  unmerge?: 'needed' | 'removing' | 'always';
}

/**
 * What to replace so that a mapping says something else and all that is equal keeps every byte. It goes by the
 * looks of the text, which must end with a line's end: whether the result says what is wanted is still to be proved.
 * @param before what the mapping says
 * @returns undefined for a layout that it can not edit
 */
export function mapSplices(
  text: string,
  map: YAMLMap,
  before: Data,
  wanted: Data,
  { under, unmerge = 'needed' }: How = {},
): Splice[] | undefined {
  const items = map.items as Pair[];
  const merges = items.filter(({ key }) => isMergeKey(key));
  const own = items.filter(({ key }) => !isMergeKey(key));
  const pairs = new Map(own.map((pair) => [keyText(pair.key), pair]));
  const left = Object.keys(before).filter((key) => !Object.hasOwn(wanted, key));
  const gone = new Set(left.flatMap((key) => pairs.get(key) ?? []));
  const isNeeded = gone.size < left.length;
  if (isNeeded && merges.length === 0) return undefined;
  const isOut = isNeeded || unmerge === 'always' || (unmerge === 'removing' && gone.size > 0);
  const isMerged = (key: string) => isOut && Object.hasOwn(before, key) && !pairs.has(key);
  const merged = Object.entries(wanted).filter(([key]) => isMerged(key));
  const splices: Splice[] = [];
  if (isOut) {
    const out = merged.length === 0 ? undefined : merges[0];
    for (const merge of merges) if (merge !== out) gone.add(merge);
    const put = out ? anewSplices(text, map, out, Object.fromEntries(merged), merges) : [];
    if (put === undefined) return undefined;
    splices.push(...put);
  }
  const added: [string, unknown][] = [];
  for (const [key, value] of Object.entries(wanted)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (isMerged(key) || stableJson(old) === stableJson(value)) continue;
    const pair = pairs.get(key);
    if (pair === undefined) {
      added.push([key, value]);
      continue;
    }
    const changed = valueSplices(text, map, pair, old, value, unmerge) ?? pairSplices(text, map, pair, value);
    if (changed === undefined) return undefined;
    splices.push(...changed);
  }
  const removed = map.flow ? removeFromFlow(text, map, gone) : removeFromBlock(text, map, gone);
  const put = added.length === 0 ? [] : add(text, map, gone, Object.fromEntries(added), under);
  return removed && put && [...splices, ...put, ...removed];
}

/** A key and its value written anew, whatever its layout was. */
export function pairSplices(text: string, map: YAMLMap, pair: Pair, wanted: unknown): Splice[] | undefined {
  return anewSplices(text, map, pair, { [keyText(pair.key)]: wanted });
}

/** @param over pairs that it stands for: the comments in them stay, above it */
function anewSplices(
  text: string,
  map: YAMLMap,
  pair: Pair,
  anew: Data,
  over: readonly Pair[] = [pair],
): Splice[] | undefined {
  const start = startOf(pair.key);
  if (map.flow) return [{ start, end: endOf(text, pair), text: flowPairs(anew, isJson(text, map)) }];
  const indent = indentAt(text, start);
  if (indent === undefined) return undefined;
  const end = nextLine(text, endOf(text, pair));
  const comments = over.flatMap((one) => {
    const line = lineStart(text, startOf(one.key));
    // Above one that goes its comment goes with it, unless it is kept here.
    const from = one === pair ? line : commentStart(text, line, indent);
    return commentsIn(text.slice(from, nextLine(text, endOf(text, one))));
  });
  const lines = [...comments, blockText(anew)].join('\n');
  return [{ start: start - indent.length, end, text: indented(lines, indent) }];
}

function valueSplices(
  text: string,
  map: YAMLMap,
  pair: Pair,
  before: unknown,
  wanted: unknown,
  unmerge: NonNullable<How['unmerge']>,
): Splice[] | undefined {
  const node = pair.value;
  if (isMap(node) && isRecord(before) && isRecord(wanted)) {
    const inner = mapSplices(text, node, before, wanted, { unmerge });
    if (inner !== undefined) return inner;
  }
  if (!isNode(node) || !node.range) return undefined;
  if (isCollection(node) && !node.flow) return blockSplices(text, pair, node, wanted);
  const start = node.range[0];
  const end = endOf(text, pair);
  if (!isBlockScalar(node)) {
    const written = isJson(text, map) ? JSON.stringify(wanted) : inlineText(wanted, map.flow === true, node);
    // An empty value has its place in front of a comment: it is to stand behind its colon.
    if (start === end) return [at(lineStart(text, start) + textBefore(text, start).length, ` ${written}`)];
    return [{ start, end, text: written }];
  }
  const comment = /[ \t]+#[^\r\n]*/.exec(text.slice(start, nextLine(text, start)))?.[0] ?? '';
  if (typeof wanted !== 'string' || !wanted.includes('\n')) {
    return [{ start, end, text: inlineText(wanted, false) + comment }];
  }
  const { header, lines } = blockScalar(wanted, node);
  const indent = ' '.repeat(startOf(pair.key) - lineStart(text, startOf(pair.key)));
  return [{ start, end, text: `${header}${comment}\n${indented(lines, indent)}` }];
}

/** Of a collection in block form, with what stands behind its key left there. */
function blockSplices(text: string, pair: Pair, node: Node, wanted: unknown): Splice[] | undefined {
  const first = startOf(node);
  const indent = indentAt(text, first);
  const colon = colonOf(text, pair);
  if (indent === undefined || colon === undefined || nextLine(text, colon) > first - indent.length) {
    return undefined;
  }
  const end = nextLine(text, endOf(text, pair));
  const isFilled = typeof wanted === 'object' && wanted !== null && Object.keys(wanted).length > 0;
  if (isFilled) return [{ start: first - indent.length, end, text: indented(blockText(wanted), indent) }];
  return [
    { start: colon + 1, end: colon + 1, text: ` ${inlineText(wanted, false)}` },
    { start: nextLine(text, colon), end, text: '' },
  ];
}

function add(
  text: string,
  map: YAMLMap,
  gone: ReadonlySet<Pair>,
  entries: Data,
  under: number | undefined,
): Splice[] | undefined {
  const items = map.items as Pair[];
  const first = startOf(items[0]?.key);
  if (map.flow) {
    const last = items.findLast((pair) => !gone.has(pair));
    const json = isJson(text, map);
    if (last === undefined) return [at(startOf(map) + 1, flowPairs(entries, json))];
    const indent = json ? indentAt(text, first) : undefined;
    const space = indent === undefined ? ' ' : `\n${indent}`;
    const each = Object.entries(entries).map(([key, value]) => flowPairs({ [key]: value }, json));
    const pairs = each.join(`,${space}`);
    if (under !== undefined) return [at(first, `${pairs},${space}`)];
    return [at(endOf(text, last), `,${space}${pairs}`)];
  }
  const indent = indentAt(text, first);
  if (indent === undefined) return undefined;
  const offset = nextLine(text, under ?? endOf(text, items.at(-1)));
  if (under !== undefined && offset > first) return undefined;
  return [at(offset, indented(blockText(entries), indent))];
}

/**
 * Whether what is put into a flow mapping is to be JSON: its keys are in double quotes or, where it is empty, the key
 * that it stands behind.
 */
function isJson(text: string, map: YAMLMap): boolean {
  if (map.flow !== true) return false;
  const items = map.items as Pair[];
  if (items.length === 0) return /"\s*:\s*$/.test(text.slice(0, startOf(map)));
  return items.every(({ key }) => text[startOf(key)] === '"');
}

/** Each with the comment right above it; what stands above the first may be about all of them, and stays. */
function removeFromBlock(text: string, map: YAMLMap, gone: ReadonlySet<Pair>): Splice[] | undefined {
  if (gone.size > 0 && gone.size === map.items.length) return undefined;
  const splices: Splice[] = [];
  for (const pair of gone) {
    const indent = indentAt(text, startOf(pair.key));
    if (indent === undefined) return undefined;
    let start = lineStart(text, startOf(pair.key));
    if (pair !== map.items[0]) start = commentStart(text, start, indent);
    splices.push({ start, end: nextLine(text, endOf(text, pair)), text: '' });
  }
  return splices;
}

/** The last ones go with the comma in front of them, but for where a comment is between; the others with their own. */
function removeFromFlow(text: string, map: YAMLMap, gone: ReadonlySet<Pair>): Splice[] | undefined {
  const items = map.items as Pair[];
  if (gone.size === 0) return [];
  const lastKept = items.findLastIndex((pair) => !gone.has(pair));
  if (lastKept === -1) return undefined;
  const kept = endOf(text, items[lastKept]);
  const isRun = !text.slice(kept, startOf(items[lastKept + 1]?.key)).includes('#');
  const splices: Splice[] = [];
  for (const [index, pair] of items.entries()) {
    if (!gone.has(pair) || (isRun && index > lastKept)) continue;
    const removed = removeItem(text, map, index, pair);
    if (removed === undefined) return undefined;
    splices.push(removed);
  }
  const last = items.length - 1;
  if (isRun && last > lastKept) splices.push({ start: kept, end: endOf(text, items[last]), text: '' });
  return splices;
}

/** With its comma, and with its whole line where it has one to itself. */
function removeItem(text: string, map: YAMLMap, index: number, pair: Pair): Splice | undefined {
  const start = startOf(pair.key);
  const end = endOf(text, pair);
  const next = map.items[index + 1];
  const until = next === undefined ? endOf(text, map) : startOf(next.key);
  const comma = /^\s*,/.exec(text.slice(end, until))?.[0] ?? '';
  if (comma === '' && next !== undefined) return undefined;
  const behind = end + comma.length;
  const rest = text.slice(behind, nextLine(text, behind));
  const indent = indentAt(text, start);
  if (indent === undefined || !/^[ \t\r]*(?:#|\n)/.test(rest)) {
    return { start, end: behind + (/^[ \t]+/.exec(rest)?.[0].length ?? 0), text: '' };
  }
  const line = start - indent.length;
  return {
    start: index === 0 ? line : commentStart(text, line, indent),
    end: behind + rest.length,
    text: '',
  };
}

function at(offset: number, text: string): Splice {
  return { start: offset, end: offset, text };
}
