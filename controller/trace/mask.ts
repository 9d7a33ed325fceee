import { isRecord } from '../../schemas/is-record.ts';
import type { ProgramSpec, Runtime } from '../../schemas/program.ts';
import { underPolicy } from '../../schemas/resolve.ts';
import { attemptOf, digest, revisionHash, specHash } from '../../schemas/spec-hash.ts';
import type { PassRecord } from './pass.ts';

type Json = Record<string, unknown>;

/**
 * The record with other words in place of all values of `env`, and of headers of probes: equal ones stay equal, so
 * that the mind comes to the same. What is known by a hash over them (containers, revisions, attempts) gets the hash
 * that belongs to the new words.
 */
export function masked(record: PassRecord): PassRecord {
  const words = new Map<string, string>();
  const { wanted } = record;
  // The text holds the values too, and the mind does not read it.
  const entry = wanted.kind === 'present' ? { ...wanted.entry, text: '', etag: '' } : undefined;
  const plain = { ...record, wanted: entry === undefined ? wanted : { kind: 'present', entry } };
  const hidden = hide(plain, words);
  if (words.size === 0) return hidden as PassRecord;
  const hashes = hashesOf(plain, record.runtime, words);
  // Names of containers end with the last digits of one.
  const ends = new Map([...hashes].map((pair) => pair.map((hash) => hash.slice(-8)) as [string, string]));
  const text = JSON.stringify(hidden)
    .replace(/[0-9a-f]{32}/g, (hash) => hashes.get(hash) ?? hash)
    .replace(/(?<=-)[0-9a-f]{8}(?![0-9a-f])/g, (end) => ends.get(end) ?? end);
  return JSON.parse(text) as PassRecord;
}

/** What holds values that are nobody's business: variables, and headers of probes. */
const HIDDEN: ReadonlySet<string> = new Set(['env', 'headers']);

function hide(value: unknown, words: Map<string, string>, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => hide(item, words));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([inner, one]): [string, unknown] => {
    if (!HIDDEN.has(key) || typeof one !== 'string') return [inner, hide(one, words, inner)];
    if (!words.has(one)) words.set(one, `masked ${words.size + 1}`);
    return [inner, words.get(one)];
  });
  return Object.fromEntries(entries);
}

/** Each hash that the record may hold of a spec in it, and the one of the same spec when its values are hidden. */
function hashesOf(record: unknown, runtime: Runtime, words: Map<string, string>): Map<string, string> {
  const found: Found = { specs: [], images: new Set(['']), times: new Set(), ports: new Set([0]) };
  gather(record, found);
  const hashes = new Map<string, string>();
  for (const raw of found.specs) {
    const hash = (spec: unknown) => digest({ raw: spec, runtime: raw.runtime ?? runtime });
    hashes.set(hash(raw), hash(hide(raw, words)));
  }
  const bare = (hash: string): string => hash.replace('v1:', '');
  for (const { spec, image, port } of variants(found, runtime)) {
    const hidden = hide(spec, words) as ProgramSpec;
    hashes.set(revisionHash(spec, image), revisionHash(hidden, image));
    hashes.set(attemptOf(spec, image), attemptOf(hidden, image));
    hashes.set(bare(specHash(spec, image, port)), bare(specHash(hidden, image, port)));
  }
  return hashes;
}

/** Everything that looks like a spec, what its image may be made of, when a restart was asked for, and ports. */
interface Found {
  specs: Json[];
  images: Set<string>;
  times: Set<string>;
  ports: Set<number>;
}

function* variants({ specs, images, times, ports }: Found, runtime: Runtime) {
  const resolved = specs.filter(({ resources }) => isRecord(resources) && 'memoryBytes' in resources);
  for (const one of resolved as unknown as ProgramSpec[])
    for (const policed of [one, underPolicy(one, runtime)])
      for (const restartedAt of new Set([one.restartedAt, ...times]))
        for (const image of images)
          for (const port of ports) yield { spec: { ...policed, restartedAt }, image, port };
}

function gather(value: unknown, found: Found, key = ''): void {
  if (Array.isArray(value)) for (const item of value) gather(item, found);
  if (typeof value === 'number' && /port$/i.test(key)) found.ports.add(value);
  if (typeof value === 'string' && /^(hash|image|imageKey|buildHash|dev\.hersh\.build)$/.test(key))
    found.images.add(value);
  if (typeof value === 'string' && /restarted-?at/i.test(key)) found.times.add(value);
  if (!isRecord(value)) return;
  const mayHide = isRecord(value.env) || isRecord(value.readiness) || isRecord(value.liveness);
  if ('userId' in value && mayHide) found.specs.push(value);
  for (const [inner, one] of Object.entries(value)) gather(one, found, inner);
}
