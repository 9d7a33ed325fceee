/**
 * The room of the page at `/docs`: the description of the API, which programs read as `/openapi.json`, as HTML for
 * people. Pure, without script; what it may hold is what `schemas/openapi.yaml` does.
 */

/** Of OpenAPI 3.1, as far as our description uses it. */
export interface ApiDocument {
  info: { title: string; description?: string };
  tags?: readonly { name: string; description?: string }[];
  paths: Readonly<Record<string, PathItem>>;
  components?: {
    schemas?: Readonly<Record<string, Schema>>;
    parameters?: Readonly<Record<string, Parameter>>;
    responses?: Readonly<Record<string, ApiResponse>>;
    headers?: Readonly<Record<string, { description?: string }>>;
    securitySchemes?: Readonly<Record<string, { name?: string; description?: string }>>;
  };
}

export type PathItem = Partial<Record<Method, Operation>> & {
  description?: string;
  parameters?: readonly (Parameter | Ref)[];
};

export const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;
export type Method = (typeof METHODS)[number];

export interface Ref {
  $ref: string;
}

export interface Operation {
  operationId: string;
  tags?: readonly string[];
  summary?: string;
  description?: string;
  parameters?: readonly (Parameter | Ref)[];
  requestBody?: { required?: boolean; description?: string; content: Content };
  responses: Readonly<Record<string, ApiResponse | Ref>>;
  security?: readonly Readonly<Record<string, unknown>>[];
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

export type Content = Readonly<Record<string, { schema?: Schema; example?: unknown }>>;

export interface ApiResponse {
  description: string;
  content?: Content;
  headers?: Readonly<Record<string, { description?: string } | Ref>>;
}

export interface Schema {
  $ref?: string;
  type?: string | readonly string[];
  description?: string;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  enum?: readonly unknown[];
  const?: unknown;
  default?: unknown;
  example?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  oneOf?: readonly Schema[];
  anyOf?: readonly Schema[];
  allOf?: readonly Schema[];
}

/** The last part of a reference, which names it: `Program` of `#/components/schemas/Program`. */
export function refName($ref: string): string {
  return $ref.slice($ref.lastIndexOf('/') + 1);
}

/** What a reference within the document leads to; what is none is itself. Throws where it leads nowhere. */
export function resolved<T extends object>(document: ApiDocument, value: T | Ref): T {
  if (!('$ref' in value) || typeof value.$ref !== 'string') return value as T;
  let found: unknown = document;
  for (const part of value.$ref.replace(/^#\//, '').split('/'))
    found = (found as Record<string, unknown> | undefined)?.[
      part.replaceAll('~1', '/').replaceAll('~0', '~')
    ];
  if (found === undefined) throw new Error(`${value.$ref} leads nowhere`);
  return resolved(document, found as T | Ref);
}
