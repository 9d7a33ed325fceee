import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { StoredToken } from './token.ts';

/** More of them help nobody. */
const PROBLEMS_MAX = 10;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

let compiled: ValidateFunction | undefined;

function validateSchema(): ValidateFunction {
  compiled ??= new Ajv2020({
    ...{ allErrors: true, strict: true, strictRequired: false, meta: false, validateSchema: false },
    formats: { rfc3339: (text: string) => TIME.test(text) && !Number.isNaN(Date.parse(text)) },
  }).compile(JSON.parse(readFileSync(new URL('./tokens.schema.json', import.meta.url), 'utf8')) as object);
  return compiled;
}

/** @returns the tokens that a tokens file holds, or what is wrong with it, without a value of it */
export function validateTokens(
  value: unknown,
): { tokens: StoredToken[]; problems: [] } | { tokens: undefined; problems: string[] } {
  const validate = validateSchema();
  if (!validate(value)) {
    const problems = [...new Set((validate.errors ?? []).flatMap(problemOf))].slice(0, PROBLEMS_MAX);
    return { tokens: undefined, problems };
  }
  const { tokens } = value as { tokens: StoredToken[] };
  const seen = new Map<string, number>();
  const problems: string[] = [];
  for (const [at, { id }] of tokens.entries()) {
    const first = seen.get(id);
    if (first !== undefined) problems.push(`tokens[${at}].id is that of tokens[${first}]`);
    else seen.set(id, at);
  }
  if (problems.length > 0) return { tokens: undefined, problems: problems.slice(0, PROBLEMS_MAX) };
  return { tokens, problems: [] };
}

function problemOf({ keyword, instancePath, message, params }: ErrorObject): string[] {
  const path = instancePath
    .slice(1)
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.');
  const at = path === '' ? 'the file' : path;
  switch (keyword) {
    // Said by what is within.
    case 'if':
      return [];
    case 'not':
      return [`${at} has a userId, which only the role user has`];
    case 'additionalProperties':
      return [`${at} has a field that is none: ${String(params.additionalProperty).slice(0, 60)}`];
    case 'enum':
      return [`${at} must be one of ${(params.allowedValues as string[]).join(', ')}`];
    case 'const':
      return [`${at} must be ${String(params.allowedValue)}`];
    case 'format':
      return [`${at} must be a time such as 2027-01-31T00:00:00Z`];
    default:
      return [`${at} ${message ?? 'is not valid'}`];
  }
}
