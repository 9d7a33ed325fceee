import { parse } from 'yaml';
import { AppError } from '../../schemas/errors.ts';
import { isRecord } from '../../schemas/is-record.ts';
import type { ProgramMemory } from '../../schemas/memory.ts';
import { API_VERSION, PROGRAM_STATES } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { isOlder, turnedOver } from './older-memory.ts';

/**
 * A status as YAML, one field or list item a line, each value as JSON (which is YAML): the general reader takes
 * half a millisecond a file, and a host that starts has thousands to read.
 */
export function encodeStatus(status: ProgramStatus): string {
  const { name, ...fields } = status;
  const lines = Object.entries(fields).flatMap(([key, value]: [string, unknown]) => {
    if (value === undefined) return [];
    if (Array.isArray(value) && value.length > 0) {
      return [`  ${key}:`, ...value.map((item) => `    - ${JSON.stringify(item)}`)];
    }
    if (isRecord(value) && Object.keys(value).length > 0) {
      const inner = Object.entries(value).filter(([, item]) => item !== undefined);
      return [`  ${key}:`, ...inner.map(([field, item]) => `    ${field}: ${JSON.stringify(item)}`)];
    }
    return [`  ${key}: ${isWord(value) ? value : JSON.stringify(value)}`];
  });
  return `${headOf(name)}${lines.join('\n')}\n`;
}

/**
 * The status in a text.
 * @param empty gives what is missing, and by its types what is sound
 * @throws AppError `RegistryUnavailable` for a newer version, Error for what is damaged
 */
export function decodeStatus(text: string, empty: ProgramStatus): ProgramStatus {
  const { name } = empty;
  const fields = decodeLines(text, name) ?? decodeYaml(text, name);
  const status = { ...empty, ...fields, name };
  for (const [key, like] of Object.entries(empty) as [keyof ProgramStatus, unknown][]) {
    if (!isLike(status[key], like)) throw new Error(`status.${key} is of the wrong type`);
  }
  const { conditions, lastExit, memory } = status;
  if (!PROGRAM_STATES.includes(status.state)) throw new Error('status.state is not a known state');
  if (!conditions.every((item) => isRecord(item) && typeof item.type === 'string')) {
    throw new Error('status.conditions is not a list of conditions');
  }
  if (lastExit !== null && !isRecord(lastExit)) throw new Error('status.lastExit is of the wrong type');
  const known = isOlder(memory) ? { ...status, ...turnedOver(memory, lastExit) } : status;
  checkMemory(known.memory);
  return known;
}

function checkMemory({ program, rollout, containers, starts }: ProgramMemory): void {
  for (const [part, value] of Object.entries({ program, rollout, containers, starts }))
    if (!isRecord(value)) throw new Error(`status.memory.${part} is of the wrong type`);
  const { inForce } = program;
  if (inForce !== undefined && !(isRecord(inForce) && isRecord(inForce.spec) && isRecord(inForce.labels))) {
    throw new Error('status.memory.program.inForce is of the wrong type');
  }
}

const headOf = (name: string) =>
  `# Written by Hersh Host. What is wanted stands in programs/${name}.yaml.
apiVersion: ${API_VERSION}
kind: ProgramStatus
metadata:
  name: ${JSON.stringify(name)}
status:
`;

/** Words that stay without quotes: names of states and reasons, none that YAML reads as something else. */
function isWord(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^[A-Z][A-Za-z]{2,}$/.test(value) &&
    !/^(true|false|null|yes|off)$/i.test(value)
  );
}

/** The fields of a text just as `encodeStatus` writes it, or undefined: somebody else wrote it. */
function decodeLines(text: string, name: string): Record<string, unknown> | undefined {
  const head = headOf(name);
  if (!text.startsWith(head) || !text.endsWith('\n')) return undefined;
  const fields: Record<string, unknown> = {};
  let list: unknown[] = [];
  let record: Record<string, unknown> = {};
  let open = '';
  try {
    for (const line of text.slice(head.length, -1).split('\n')) {
      const [, indent, dash, key, value = ''] =
        /^( {2}| {4})(?:(- )|([A-Za-z]+):)(?: ?(.*))$/.exec(line) ?? [];
      if (indent === undefined || (indent === '  ' && dash !== undefined)) return undefined;
      if (indent === '  ' && key !== undefined) {
        open = value === '' ? key : '';
        if (value !== '') fields[key] = scalarOf(value);
        list = [];
        record = {};
      } else if (open === '') {
        return undefined;
      } else if (dash === undefined && key !== undefined) {
        record[key] = JSON.parse(value);
        fields[open] = record;
      } else {
        list.push(JSON.parse(value));
        fields[open] = list;
      }
    }
  } catch {
    return undefined;
  }
  return fields;
}

function scalarOf(text: string): unknown {
  return isWord(text) ? text : JSON.parse(text);
}

function decodeYaml(text: string, name: string): Record<string, unknown> {
  const document: unknown = parse(text, { logLevel: 'error' });
  if (!isRecord(document)) throw new Error('it is not a ProgramStatus');
  const version = document.apiVersion;
  if (typeof version === 'string' && version.startsWith('hersh.dev/') && version !== API_VERSION) {
    throw new AppError(
      'RegistryUnavailable',
      `status/${name}.yaml is of version ${version}, and this host knows ${API_VERSION} only`,
      { hint: 'It was written by a newer Hersh Host: start that one, or move the file away.' },
    );
  }
  if (version !== API_VERSION || document.kind !== 'ProgramStatus')
    throw new Error('it is not a ProgramStatus');
  if (!isRecord(document.metadata) || document.metadata.name !== name) {
    throw new Error('metadata.name is not the name of the file');
  }
  if (!isRecord(document.status)) throw new Error('it holds no status');
  return document.status;
}

function isLike(value: unknown, like: unknown): boolean {
  if (like === null) return value === null || typeof value === 'object';
  if (typeof like === 'number') return Number.isSafeInteger(value);
  if (Array.isArray(like)) return Array.isArray(value);
  return typeof like === 'object' ? isRecord(value) : typeof value === typeof like;
}
