import type { Random } from '../sim/random.ts';

/** Files of a context by name, with the ignore file among them. */
export type RandomContext = ReadonlyMap<string, string>;

const PARTS: readonly [string, ...string[]] = [
  ...(['a', 'b', 'c', 'ab', 'abc', 'x.md', 'y.log', '.env', 'src', 'node_modules'] as const),
  ...['a.b', 'ä', 'a b', 'a*b', '[a]', 'a^', '!a', '#a', 'a\\b', 'd1', '-', '\u{1F600}'],
];
const DEPTH_MAX = 4;
const FILES_MAX = 14;
const RULES_MAX = 8;
/** Of the wildcards. */
const MALFORMED = 0.02;

/** A tree with rules that are mostly about what is in it. */
export function randomContext(random: Random): RandomContext {
  const files = new Map([['Dockerfile', 'FROM scratch\nCOPY . /\n']]);
  const folders = new Set<string>();
  const count = 1 + random.below(FILES_MAX);
  for (let tries = 0; tries < count; tries++) {
    const depth = 1 + random.below(DEPTH_MAX);
    const known = random.any([...folders]);
    const start = known !== undefined && random.chance(0.6) ? [known] : [];
    const name = [...start, ...Array.from({ length: depth }, () => random.pick(PARTS))].join('/');
    const above = name.split('/').map((_, index, parts) => parts.slice(0, index).join('/'));
    if (files.has(name) || folders.has(name) || above.some((folder) => files.has(folder))) continue;
    for (const folder of above) if (folder !== '') folders.add(folder);
    files.set(name, `${tries}`);
  }
  const names = [...files.keys(), ...folders, '.dockerignore'];
  const own = random.chance(0.05);
  const rules = Array.from({ length: random.below(RULES_MAX) + 1 }, () => line(random, names));
  const text = `${random.chance(0.03) ? '\uFEFF' : ''}${rules.join(random.chance(0.1) ? '\r\n' : '\n')}`;
  files.set(own ? 'Dockerfile.dockerignore' : '.dockerignore', text);
  return files;
}

function line(random: Random, names: readonly string[]): string {
  if (random.chance(0.02))
    return random.pick(['', '#', '# a', ' # a', '  ', '/', '.', '..', '!/', '! ', '/!a']);
  const pattern = random.chance(0.15)
    ? random.pick(['*', '**', '*/*', '**/*', '?', '*.*'])
    : made(random, names);
  const marks = random.chance(0.3) ? random.pick(['!', '!', '!', '! ', '!!', ' !', '!/', '!./']) : '';
  const around = random.chance(0.05) ? random.pick([' ', '\t', '\u00A0', '\u0085']) : '';
  return `${around}${marks}${pattern}${around}`;
}

/** A name of the tree, one above it or below it, with wildcards in some places. */
function made(random: Random, names: readonly string[]): string {
  const parts = (random.any(names) ?? 'a').split('/');
  const some = random.chance(0.3) ? parts.slice(0, 1 + random.below(parts.length)) : parts;
  const below = random.chance(0.1) ? [...some, random.pick(PARTS)] : some;
  const written = below.map((part) => (random.chance(0.35) ? wild(random, part) : part)).join('/');
  if (random.chance(0.85)) return written;
  return random.pick([
    ...([`/${written}`, `${written}/`, `./${written}`, `${written}/.`, `x/../${written}`] as const),
    ...[`**/${written}`, `**${written}`, `${written}/**`, `${written}**`, `${written}//`, `../${written}`],
  ]);
}

function wild(random: Random, part: string): string {
  const chars = [...part];
  const at = random.below(chars.length);
  const char = chars[at] ?? 'a';
  const put = (text: string) => [...chars.slice(0, at), text, ...chars.slice(at + 1)].join('');
  // What both refuse takes a run of buildx for itself.
  if (random.chance(MALFORMED)) {
    return random.pick([
      ...([put('['), put('[b-a]'), `${part}\\`, put('[]a]'), put(`[${char}-]`), put(`[-${char}]`)] as const),
      ...[put('\\y'), put('[a**/b]'), `*${part}\\`, `*${put('[a-]')}`, `?*${put('[')}`, `${part}*[`],
    ]);
  }
  const escaped = /^[a-z0-9]$/i.test(char) ? put('\\.') : put(`\\${char}`);
  return random.pick([
    ...(['*', '**', '?', `*${part}`, `${part}*`, put('*'), put('?'), put('**')] as const),
    ...[put(`[${/[-\]\\^]/.test(char) ? 'a' : char}]`), put('[^b]'), put('[a-c]'), put('[^a-c]'), escaped],
    ...[put('[*]'), put('[?]'), put('^'), put('\\d'), put('\\w'), put('[\\]]'), `^${part}`, put('[a*b]')],
    ...[
      put('\\b'),
      put(']'),
      put('{a,b}'),
      put('(a|b)'),
      put('+'),
      put('.'),
      put('$'),
      put('[!a]'),
      put('\\*'),
    ],
  ]);
}
