import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Problem } from './errors.ts';
import { article, formatMessage, nameMessage, patternMessage, typeHint } from './field-words.ts';
import { folderProblem, innerPathProblem } from './folder-problem.ts';
import { unknownField } from './nearest.ts';
import { expectProblem, probeProblems } from './probe-problems.ts';
import type { Program, Runtime } from './program.ts';
import { MEMORY_BYTES_MIN, parseMemory, RUNSC_PIDS_MIN } from './resolve.ts';

let compiled: ValidateFunction | undefined;

/** At the first manifest: to compile it takes as long as to load a quarter of the host. */
function validateSchema(): ValidateFunction {
  compiled ??= new Ajv2020(AJV_OPTIONS).compile(programSchema());
  return compiled;
}

/** The schema of a manifest. */
export function programSchema(): object {
  return JSON.parse(readFileSync(new URL('./program.schema.json', import.meta.url), 'utf8')) as object;
}

const AJV_OPTIONS: Options = {
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  strictRequired: false,
  verbose: true,
  // That the schema is one is tested, and not asked at each start: that takes more than to compile it.
  ...{ meta: false, validateSchema: false },
  formats: {
    'registry-folder': (path: string) => folderProblem(path) === undefined,
    'inner-path': (path: string) => innerPathProblem(path) === undefined,
    'memory-quantity': (text: string) => (parseMemory(text) ?? 0) >= MEMORY_BYTES_MIN,
  },
};

/** Of `KEY=value`, and of each word of a command: Linux takes 128 KiB for a string, the zero at its end included. */
const STRING_BYTES_MAX = 128 * 1024 - 1;

/** More of them help nobody, and finding the place of each takes time. */
const PROBLEMS_MAX = 20;

/** A problem that knows whether the name of its field is wrong rather than the value. */
export interface ManifestProblem extends Problem {
  atKey?: true;
}

export type Written = (path: string) => string | undefined;

/** What the host allows beyond the schema. */
export interface HostPolicy {
  /** The default runtime; with `runsc`, `runc` is refused. */
  runtime: Runtime;
}

/**
 * Checks a parsed manifest.
 * @param value the YAML document as plain data
 * @param stem the file's name without `.yaml`, which must equal `metadata.name`
 * @param written how the scalar at a path stands in the file, where that is known: `0123` is the number 83 or 123
 * @returns the program, or what is wrong with it (the first PROBLEMS_MAX); paths as `spec.publishPort`, without
 * file and line
 */
export function validateManifest(
  value: unknown,
  stem: string,
  policy: HostPolicy,
  written: Written = () => undefined,
): { program: Program; problems: [] } | { program: undefined; problems: ManifestProblem[] } {
  const problems = [...schemaProblems(value, written), ...crossProblems(value, stem, policy)];
  if (problems.length > 0) return { program: undefined, problems: dedupe(problems).slice(0, PROBLEMS_MAX) };
  const { metadata, spec } = value as {
    metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
    spec: Record<string, unknown>;
  };
  return {
    program: {
      name: metadata.name,
      labels: { ...metadata.labels },
      annotations: { ...metadata.annotations },
      rawSpec: spec,
    },
    problems: [],
  };
}

function schemaProblems(value: unknown, written: Written): ManifestProblem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [
      {
        path: '',
        message: 'the file must hold one Program: a mapping with apiVersion, kind, metadata and spec',
      },
    ];
  }
  const validate = validateSchema();
  if (validate(value)) return [];
  // Of thousands alike the first tell enough; the spare ones are for those that say nothing by themselves.
  return (validate.errors ?? []).slice(0, PROBLEMS_MAX * 10).flatMap((error) => problemOf(error, written));
}

/** ajv speaks in keywords; people get a sentence that starts with the field. */
function problemOf(error: ErrorObject, written: Written): ManifestProblem[] {
  const path = dotted(error.instancePath);
  const at = path === '' ? 'the manifest' : path;
  const { keyword, params } = error;
  if (keyword !== 'type' && /\.expect\.\d+$/.test(path)) return [expectProblem(path)];
  const one = (message: string): ManifestProblem[] => [{ path, message }];
  const atKey = (message: string, where: string): ManifestProblem[] => [
    { path: where, message, atKey: true },
  ];
  switch (keyword) {
    case 'additionalProperties': {
      const field = String(params.additionalProperty);
      const where = path === '' ? field : `${path}.${field}`;
      if (where === 'status') {
        return atKey(
          'status does not belong in a manifest: the controller writes it to status/<name>.yaml',
          where,
        );
      }
      const known = Object.keys((error.parentSchema as { properties?: object })?.properties ?? {});
      return atKey(unknownField(where, field, known), where);
    }
    case 'required': {
      const field = String(params.missingProperty);
      return isBranch(error) ? [] : one(`${path === '' ? field : `${path}.${field}`} is required`);
    }
    case 'type':
      return one(`${at} must be ${article(params.type)}${typeHint(path, error, written(path))}`);
    case 'const':
      return one(`${at} must be ${JSON.stringify(params.allowedValue)}`);
    case 'enum':
      return one(`${at} must be one of ${(params.allowedValues as string[]).join(', ')}`);
    case 'minimum':
      return one(`${at} must be at least ${params.limit}`);
    case 'maximum':
      return one(`${at} must be at most ${params.limit}`);
    case 'minLength':
      return one(`${at} must not be empty`);
    case 'maxLength':
      return one(`${at} is longer than ${params.limit} characters`);
    case 'pattern':
      return isBranch(error) ? [] : one(patternMessage(path, at, error));
    case 'propertyNames':
      return atKey(nameMessage(path, String(params.propertyName)), `${path}.${params.propertyName}`);
    case 'format':
      return one(formatMessage(at, String(params.format), error.data));
    // `oneOf` and `not` are explained by crossProblems, which knows what was meant.
    case 'oneOf':
    case 'anyOf':
    case 'not':
      return [];
    default:
      return one(`${at} ${error.message ?? 'is invalid'}`);
  }
}

/** Whether the error only says why one branch of a `oneOf`, or a property's name, did not match. */
function isBranch(error: ErrorObject): boolean {
  return /\/(oneOf|anyOf|not|propertyNames)(\/|$)/.test(error.schemaPath);
}

function dotted(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
}

/** Rules that concern several fields at once. */
function crossProblems(value: unknown, stem: string, policy: HostPolicy): Problem[] {
  const problems: Problem[] = [];
  const root = record(value);
  const name = record(root.metadata).name;
  if (typeof name === 'string' && name !== stem) {
    problems.push({
      path: 'metadata.name',
      message: `metadata.name is ${JSON.stringify(name)} but the file is called ${stem}.yaml: make them equal`,
    });
  }
  if (typeof root.spec !== 'object' || root.spec === null || Array.isArray(root.spec)) return problems;
  const spec = record(root.spec);
  if (spec.build !== undefined && spec.image !== undefined) {
    problems.push({ path: 'spec.image', message: 'spec.image and spec.build exclude each other: keep one' });
  }
  if (spec.build === undefined && spec.image === undefined) {
    problems.push({ path: 'spec', message: 'spec.build or spec.image is required: what should run?' });
  }
  if (policy.runtime === 'runsc' && spec.runtime === 'runc') {
    problems.push({
      path: 'spec.runtime',
      message: 'spec.runtime: this host runs programs under runsc only',
    });
  }
  const runtime = spec.runtime ?? policy.runtime;
  const { memory, pids } = record(spec.resources) as { memory?: unknown; pids?: unknown };
  if (runtime === 'runsc' && typeof pids === 'number' && pids < RUNSC_PIDS_MIN) {
    const why = "gVisor's own threads count against it";
    problems.push({
      path: 'spec.resources.pids',
      message: `spec.resources.pids must be at least ${RUNSC_PIDS_MIN} under runsc, since ${why}`,
    });
  }
  if (Number.isInteger(memory) && (parseMemory(memory) ?? 0) < MEMORY_BYTES_MIN) {
    problems.push({
      path: 'spec.resources.memory',
      message: formatMessage('spec.resources.memory', 'memory-quantity', memory),
    });
  }
  problems.push(
    ...entryProblems('spec.env', spec.env),
    ...entryProblems('spec.build.args', record(spec.build).args),
    ...commandProblems(spec),
    ...['readiness', 'liveness'].flatMap((probe) => probeProblems(`spec.${probe}`, spec[probe])),
  );
  return problems;
}

/** What no program can be run by: no name, or words that the kernel would refuse. */
function commandProblems({ command, args }: Record<string, unknown>): Problem[] {
  const long = Object.entries({ command, args }).flatMap(([field, words]) =>
    (Array.isArray(words) ? words : []).flatMap((word: unknown, index) => {
      const path = `spec.${field}.${index}`;
      const message = `${path} is longer than ${STRING_BYTES_MAX} bytes, which is all that Linux takes: put it into a file`;
      return Buffer.byteLength(String(word)) > STRING_BYTES_MAX ? [{ path, message }] : [];
    }),
  );
  const hasName = !Array.isArray(command) || command[0] !== '';
  const path = 'spec.command.0';
  return hasName ? long : [...long, { path, message: `${path} must not be empty: it names what is run` }];
}

/** What the kernel would refuse at the start: a program's variables, and those of the steps of its build. */
function entryProblems(at: string, entries: unknown): Problem[] {
  return Object.entries(record(entries))
    .filter(([key, value]) => Buffer.byteLength(`${key}=${String(value)}`) > STRING_BYTES_MAX)
    .map(([key]) => ({
      path: `${at}.${key}`,
      message: `${at}.${key} is longer than ${STRING_BYTES_MAX} bytes as KEY=value, which is all that Linux takes: put it into a file`,
    }));
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function dedupe(problems: ManifestProblem[]): ManifestProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ path, message }) => {
    const key = `${path}\n${message}`;
    return seen.has(key) ? false : seen.add(key) !== undefined;
  });
}
