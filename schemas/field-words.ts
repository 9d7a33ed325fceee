import type { ErrorObject } from 'ajv/dist/2020.js';
import { folderProblem, innerPathProblem } from './folder-problem.ts';

/** What people are told of a field that the schema refuses. `at` is its path, as messages begin. */

/** `a mapping`, `an integer or a string`. */
export function article(type: unknown): string {
  const names = Array.isArray(type) ? type : [type];
  return names.map((name) => ARTICLES[String(name)] ?? `a ${String(name)}`).join(' or ');
}

const ARTICLES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  integer: 'an integer',
  array: 'a list',
};

/** How to write what has the wrong type, where that is clear. */
export function typeHint(path: string, error: ErrorObject, written: string | undefined): string {
  if (error.params.type === 'array' && /^spec\.(command|args)$/.test(path))
    return ', with an entry for each word: ["node", "main.mjs"]';
  if (error.params.type === 'array' && path.endsWith('.expect')) return ', such as [200, "300-399"]';
  return quoteHint(error, written);
}

function quoteHint(error: ErrorObject, written: string | undefined): string {
  const scalar = typeof error.data === 'number' || typeof error.data === 'boolean';
  return error.params.type === 'string' && scalar
    ? `; put it in quotes: "${written ?? String(error.data)}"`
    : '';
}

/** The path of a probe's headers, or of one of them. */
const HEADERS = /^spec\.(readiness|liveness)\.headers(\.|$)/;

export function patternMessage(path: string, at: string, error: ErrorObject): string {
  if (path === 'metadata.name') {
    return `${at} must start with a letter or digit and hold only letters, digits, ".", "_" and "-", 128 at most`;
  }
  if (path === 'spec.userId') {
    return `${at} must start with a letter or digit and hold only letters, digits, ".", "_" and "-", 63 at most`;
  }
  if (HEADERS.test(path)) {
    return `${at} must be one line of letters, digits, spaces and signs of ASCII: no line break, also none at its end`;
  }
  if (/^spec\.(env|command|args)\./.test(path)) return `${at} must not hold a NUL character`;
  if (path.endsWith('.path')) return `${at} must start with "/" and hold no spaces or control characters`;
  if (path === 'spec.image')
    return `${at} must be an image reference such as registry/name:tag, or sha256:<id>`;
  return `${at} must match ${String(error.params.pattern)}`;
}

export function nameMessage(path: string, name: string): string {
  if (path === 'spec.env' && name.startsWith('HERSH_')) {
    return `spec.env.${name} is reserved: names that start with HERSH_ are set by the host`;
  }
  if (path === 'metadata.labels' && name.startsWith('dev.hersh.')) {
    return `metadata.labels.${name} is reserved: labels that start with dev.hersh. are set by the host`;
  }
  return `${path}.${name} is not a valid name: use ${nameRule(path)}`;
}

function nameRule(path: string): string {
  if (path === 'metadata.labels')
    return 'letters, digits, ".", "_", "/" and "-", beginning and ending with a letter or digit, 253 at most';
  if (path === 'spec.env') return 'letters, digits, "_", "." and "-", not beginning with a digit, "." or "-"';
  if (HEADERS.test(path)) return 'letters, digits, "-" and others of !#$%&\'*+.^_`|~, as HTTP has them';
  return 'letters, digits and "_", not beginning with a digit';
}

export function formatMessage(at: string, format: string, data: unknown): string {
  if (format === 'registry-folder') return `${at} ${folderProblem(String(data)) ?? 'is invalid'}`;
  if (format === 'inner-path') return `${at} ${innerPathProblem(String(data)) ?? 'is invalid'}`;
  return `${at} must be bytes, or a number with k, M, G, Ki, Mi or Gi such as 512Mi, and at least 6Mi`;
}
