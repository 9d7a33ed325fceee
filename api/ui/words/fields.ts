import { ON_CHANGE } from '../../../schemas/on-change.ts';
import schema from '../../../schemas/program.schema.json' with { type: 'json' };

/** A field of a manifest, as the host's own schema has it. */
export interface Field {
  /** `spec.build.context`. */
  path: string;
  isRequired: boolean;
  /** What it may be: "Running or Stopped", "19001 to 29999". */
  values: string;
  /** `""` where it has none. */
  byDefault: string;
  says: string;
  /** What a change of it costs a program that runs. */
  costs: string;
}

/** The parts of a JSON schema that are read here. */
interface Node {
  type?: string | readonly string[];
  enum?: readonly string[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  default?: unknown;
  description?: string;
  required?: readonly string[];
  properties?: Readonly<Record<string, Node>>;
  $ref?: string;
}

const COSTS = {
  nothing: 'Nothing is restarted',
  recreate: 'The container is replaced: about a second without service',
  rebuild: 'A build or a pull first, while the old one serves; then the container is replaced',
} as const;

/** Where there is more to say than what the host's table of costs has. */
const MORE: Readonly<Record<string, string>> = {
  'metadata.name': 'Another name is another program',
  'metadata.labels': 'Nothing, until its container is made again',
  'metadata.annotations': 'Nothing',
  'spec.desiredState': 'It is stopped, or started',
  'spec.userId': `${COSTS.recreate}, and it has another /state`,
};

/** All fields, in the order of the schema. Those of a probe are told once. */
export function fields(): readonly Field[] {
  const { metadata, spec } = schema.properties as unknown as Record<'metadata' | 'spec', Node>;
  return [...below('metadata', metadata, ''), ...below('spec', spec, '')];
}

/** @param costs of the field that it is part of; `""` for none */
function below(path: string, node: Node, costs: string): Field[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, own]) => {
    const full = `${path}.${name}`;
    const cost = costs || MORE[full] || COSTS[ON_CHANGE[name as keyof typeof ON_CHANGE]];
    const inner = own.$ref !== undefined && name === 'readiness' ? schema.$defs.probe : own;
    const field: Field = {
      path: full,
      isRequired: node.required?.includes(name) === true,
      values: valuesOf(own),
      byDefault: own.default === undefined ? '' : shown(own.default),
      says: own.description ?? '',
      costs: cost,
    };
    return [field, ...below(full, inner as Node, cost)];
  });
}

function valuesOf({ type, enum: words, const: only, minimum, maximum, $ref, properties }: Node): string {
  if ($ref !== undefined || properties !== undefined) return 'fields';
  if (only !== undefined) return String(only);
  if (words !== undefined) return words.join(', ');
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  const kind = typeof type === 'string' ? type : (type?.[0] ?? '');
  return { object: 'a mapping', array: 'a list', string: 'text' }[kind] ?? kind;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
