import { html } from 'hono/html';
import { refName, type Schema } from './document.ts';
import { type Html, inline, NOTHING } from './text.ts';

/** How many levels of properties are written out; what lies deeper is called an object. */
const DEPTH_MAX = 4;

/** What a value is, in a few words: `string or null`, `list of Program`. */
export function typeWords(schema: Schema): Html {
  if (schema.$ref !== undefined) {
    const name = refName(schema.$ref);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return html`${joined(choices.map(typeWords), ' or ')}`;
  if (schema.allOf !== undefined) return html`${joined(schema.allOf.map(typeWords), ' and ')}`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.enum !== undefined) {
    return html`${joined(
      schema.enum.map((one) => html`<code>${JSON.stringify(one)}</code>`),
      ' or ',
    )}`;
  }
  const types = [schema.type ?? 'any value'].flat();
  return html`${joined(
    types.map((type) => ofType(type, schema)),
    ' or ',
  )}`;
}

function ofType(type: string, { items, additionalProperties: more, format }: Schema): Html {
  if (type === 'array') return items === undefined ? html`list` : html`list of ${typeWords(items)}`;
  if (type === 'object' && typeof more === 'object') return html`object, by name: ${typeWords(more)}`;
  return html`${format === undefined ? type : `${type} (${format})`}`;
}

/** What else is asked of a value. */
export function limitWords(schema: Schema): string {
  const words: string[] = [];
  const { minimum, maximum, minLength, maxLength, maxItems, pattern } = schema;
  if (minimum !== undefined) words.push(`at least ${minimum}`);
  if (maximum !== undefined) words.push(`at most ${maximum}`);
  if (minLength !== undefined && minLength > 0)
    words.push(minLength === 1 ? 'not empty' : `${minLength} characters or more`);
  if (maxLength !== undefined) words.push(`at most ${maxLength} characters`);
  if (maxItems !== undefined) words.push(`at most ${maxItems} of them`);
  if (schema.default !== undefined) words.push(`by default \`${JSON.stringify(schema.default)}\``);
  if (pattern !== undefined) words.push(`matches \`${pattern}\``);
  return words.join(', ');
}

/** The properties of what an object or a list of objects holds, each with what it is; nothing where there are none. */
export function fields(schema: Schema, depth = 0): Html {
  if (schema.$ref !== undefined || depth >= DEPTH_MAX) return html`${NOTHING}`;
  if (schema.items !== undefined) return fields(schema.items, depth);
  const parts = [...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  const names = Object.entries(schema.properties ?? {});
  const more = typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
  return html`${
    names.length === 0
      ? ''
      : html`<dl class="fields">
${names.map(([name, of]) => field(name, of, schema.required?.includes(name) === true, depth))}</dl>`
  }${[...parts, ...more].map((part) => fields(part, depth))}`;
}

function field(name: string, schema: Schema, isRequired: boolean, depth: number): Html {
  const limits = limitWords(schema);
  return html`<dt><code>${name}</code> <span class="type">${typeWords(schema)}</span>${
    isRequired ? '' : html` <span class="may">may be missing</span>`
  }</dt>
<dd>${inline(schema.description)}${limits === '' ? '' : html` <span class="limits">${inline(limits)}</span>`}${fields(schema, depth + 1)}</dd>
`;
}

function joined(parts: readonly Html[], between: string): Html[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [html`${between}`, part]));
}
