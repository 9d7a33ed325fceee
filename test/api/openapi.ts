import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

type Json = Record<string, unknown>;

/** `schemas/openapi.yaml`, as data. */
export const openapi = parse(
  readFileSync(new URL('../../schemas/openapi.yaml', import.meta.url), 'utf8'),
) as Json & { paths: Record<string, Json> };

/** To make functions of the schemas takes longer than to run them: no schema is written into another, nor made short. */
export const QUICKLY_MADE = { inlineRefs: false, code: { optimize: false } } as const;

const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false, ...QUICKLY_MADE });
(addFormats as unknown as (instance: Ajv2020) => void)(ajv);
ajv.addSchema(openapi, 'openapi');
const compiled = new Map<string, ValidateFunction>();

export interface SeenResponse {
  status: number;
  contentType: string;
  text: string;
}

/** Fails unless the document says that this answer can come from this route. Unknown routes must give an Error. */
export function assertDocumented(method: string, path: string, seen: SeenResponse): void {
  const where = `${method} ${path} → ${seen.status}`;
  const found = findOperation(method === 'HEAD' ? 'GET' : method, path);
  if (found === undefined) {
    assert.ok(seen.status >= 400, `${where}: an undocumented route succeeded`);
    assertMatches('#/components/schemas/Error', seen.text, where);
    return;
  }
  const responses = found.operation.responses as Record<string, Json>;
  const key = responses[seen.status] === undefined ? 'default' : String(seen.status);
  assert.ok(key !== 'default' || seen.status >= 400, `${where}: this success is not documented`);
  const { pointer, response } = resolve(`${found.pointer}/responses/${key}`, responses[key] as Json);
  const content = response.content as Record<string, Json> | undefined;
  if (content === undefined || method === 'HEAD') return;
  const type = seen.contentType.split(';')[0]?.trim() ?? '';
  assert.ok(content[type] !== undefined, `${where}: type ${type} is not documented`);
  if (type === 'application/json') {
    assertMatches(`${pointer}/content/application~1json/schema`, seen.text, where);
  }
}

/** Fails unless the text is JSON that matches the schema at `pointer`. */
export function assertMatches(pointer: string, text: string, where: string): void {
  if (where.startsWith('HEAD ')) return;
  let validate = compiled.get(pointer);
  if (validate === undefined) {
    validate = ajv.compile({ $ref: `openapi${pointer}` });
    compiled.set(pointer, validate);
  }
  assert.ok(validate(JSON.parse(text)), `${where}: ${ajv.errorsText(validate.errors)}\n${text}`);
}

function findOperation(method: string, path: string): { operation: Json; pointer: string } | undefined {
  const bare = (path.split('?')[0] ?? '').replace(/(?<=.)\/$/, '');
  for (const [template, item] of Object.entries(openapi.paths)) {
    const pattern = template
      .replaceAll('.', '\\.')
      .replace('{path}', '.*')
      .replace(/\{\w+\}/g, '[^/]+');
    const operation = item[method.toLowerCase()] as Json | undefined;
    if (operation !== undefined && new RegExp(`^${pattern}$`).test(bare)) {
      return { operation, pointer: `#/paths/${template.replaceAll('/', '~1')}/${method.toLowerCase()}` };
    }
  }
  return undefined;
}

function resolve(pointer: string, value: Json): { pointer: string; response: Json } {
  const ref = value.$ref;
  if (typeof ref !== 'string') return { pointer, response: value };
  let target: unknown = openapi;
  for (const key of ref.slice(2).split('/')) target = (target as Json)[key];
  return { pointer: ref, response: target as Json };
}
