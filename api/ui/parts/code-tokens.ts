/** Light colours for code: four inks, and no more understanding than they need. */

export type Language = 'dockerfile' | 'yaml' | 'json' | 'js' | 'go' | 'py' | 'text';

export interface Token {
  text: string;
  /** Undefined: plain ink. */
  ink: Ink | undefined;
}

export type Ink = 'note' | 'key' | 'text' | 'word';

/** A text longer than this is left plain, in characters: nobody reads that for its colours. */
const LENGTH_MAX = 400_000;

const DOUBLE = String.raw`"(?:[^"\\\n]|\\.)*"`;
const SINGLE = String.raw`'(?:[^'\\\n]|\\.)*'`;
const BACKTICKS = String.raw`\x60(?:[^\x60\\]|\\[^])*\x60`;
const SLASHES = String.raw`\/\/.*|\/\*[^]*?\*\/`;
const word = (all: string) => String.raw`\b(?:${all.trim().replaceAll(/\s+/g, '|')})\b`;

/**
 * Per language its inks in their turn: at one place the first that fits is taken. What looks back over a whole line first
 * looks whether a word begins here, or a long line of spaces would take a time that grows with its square.
 */
const RULES: Record<Exclude<Language, 'text'>, readonly (readonly [Ink, string])[]> = {
  dockerfile: [
    ['note', String.raw`^[ \t]*#.*`],
    [
      'word',
      String.raw`(?=[A-Z])(?<=^[ \t]*)(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)(?=\s)|(?=AS\s)(?<=^[ \t]*FROM[^\n]*\s)AS`,
    ],
    ['key', String.raw`(?<=\s)--[a-z][\w-]*(?==)`],
    ['text', `${DOUBLE}|${SINGLE}`],
  ],
  yaml: [
    ['note', String.raw`(?<=^|\s)#.*`],
    ['key', String.raw`(?=[\w./"'-])(?<=^[ \t]*(?:- +)*)(?:[\w./-]+|"[^"\n]*"|'[^'\n]*')(?=[ \t]*:(?:\s|$))`],
    ['text', String.raw`(?<=[\s,[{:])(?:${DOUBLE}|'(?:[^'\n]|'')*')`],
  ],
  json: [
    ['key', String.raw`${DOUBLE}(?=\s*:)`],
    ['text', DOUBLE],
    ['word', word('true false null')],
  ],
  js: [
    ['note', SLASHES],
    ['text', `${DOUBLE}|${SINGLE}|${BACKTICKS}`],
    [
      'word',
      word(`as async await break case catch class const continue default delete do else export extends false
        finally for from function if implements import in instanceof interface let new null of return static super
        switch this throw true try type typeof undefined var void while yield`),
    ],
  ],
  go: [
    ['note', SLASHES],
    ['text', String.raw`${DOUBLE}|${SINGLE}|\x60[^\x60]*\x60`],
    [
      'word',
      word(`break case chan const continue default defer else fallthrough false for func go goto if import
        interface map nil package range return select struct switch true type var`),
    ],
  ],
  py: [
    ['note', '#.*'],
    ['text', `"""[^]*?"""|'''[^]*?'''|${DOUBLE}|${SINGLE}`],
    [
      'word',
      word(`False None True and as assert async await break class continue def del elif else except finally for
        from global if import in is lambda nonlocal not or pass raise return try while with yield`),
    ],
  ],
};

const compiled = new Map<Language, RegExp>();

function expressionOf(language: Exclude<Language, 'text'>): RegExp {
  let found = compiled.get(language);
  if (found === undefined) {
    found = new RegExp(RULES[language].map(([ink, rule]) => `(?<${ink}>${rule})`).join('|'), 'gm');
    compiled.set(language, found);
  }
  return found;
}

/** Of a file, by its name. */
export function languageOf(file: string): Language {
  const name = file.slice(file.lastIndexOf('/') + 1).toLowerCase();
  if (/^(dockerfile|containerfile)(\..*)?$|\.dockerfile$/.test(name)) return 'dockerfile';
  return BY_ENDING[name.slice(name.lastIndexOf('.') + 1)] ?? 'text';
}

const BY_ENDING: Readonly<Record<string, Language>> = {
  ...{ yaml: 'yaml', yml: 'yaml', json: 'json', go: 'go', py: 'py' },
  ...{ js: 'js', mjs: 'js', cjs: 'js', jsx: 'js', ts: 'js', mts: 'js', cts: 'js', tsx: 'js' },
};

/** A text as its lines, each in pieces of one ink; the pieces of a line are the line. */
export function tokenLines(text: string, language: Language): Token[][] {
  const lines: Token[][] = [[]];
  const add = (piece: string, ink: Ink | undefined) => {
    for (const [at, part] of piece.split('\n').entries()) {
      if (at > 0) lines.push([]);
      if (part !== '') lines.at(-1)?.push({ text: part, ink });
    }
  };
  let at = 0;
  if (language !== 'text' && text.length <= LENGTH_MAX) {
    for (const match of text.matchAll(expressionOf(language))) {
      add(text.slice(at, match.index), undefined);
      add(match[0], inkOf(match.groups ?? {}));
      at = match.index + match[0].length;
    }
  }
  add(text.slice(at), undefined);
  return lines;
}

function inkOf(groups: Readonly<Record<string, string | undefined>>): Ink | undefined {
  return INKS.find((ink) => groups[ink] !== undefined);
}

const INKS: readonly Ink[] = ['note', 'key', 'text', 'word'];
